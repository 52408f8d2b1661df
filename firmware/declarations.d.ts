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

declare module 'embedded:storage/key-value' {
  type Format = 'buffer' | 'string' | 'uint8' | 'int8' | 'uint16' | 'int16' | 'uint32' | 'int32';
  type Value = ArrayBufferLike | ArrayBufferView | string | number;

  class Storage {
    private constructor();
    format: Format;
    /** Undefined where there is no such key. */
    read(key: string): ArrayBuffer | string | number | undefined;
    write(key: string, value: Value): void;
    delete(key: string): void;
    close(): void;
    [Symbol.iterator](): IterableIterator<string>;
  }

  const KeyValueStorage: { open(options: { path: string; format?: Format; mode?: 'r' | 'r+' }): Storage };
  export default KeyValueStorage;
}
