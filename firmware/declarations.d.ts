/** What SDK 8.2 has and @moddable/typings 5.6 lacks, as far as it is used. */

declare module 'embedded:storage/key-value' {
  interface Storage {
    /** Undefined, or an exception, where nothing was ever written. */
    read(key: string): ArrayBuffer | undefined;
    write(key: string, value: Uint8Array): void;
  }
  const KeyValueStorage: { open(options: { path: string; format: 'buffer' }): Storage };
  export default KeyValueStorage;
}
