/** What SDK 8.2 has and @moddable/typings 5.6 lacks, as far as it is used. */

declare module 'embedded:storage/key-value' {
  interface Storage {
    /** Undefined, or an exception, where nothing was ever written. */
    read(key: string): ArrayBuffer | string | number | bigint | undefined;
    write(key: string, value: Uint8Array): void;
  }
  const KeyValueStorage: { open(options: { path: string; format: 'buffer' }): Storage };
  export default KeyValueStorage;
}

declare module 'embedded:network/interface/wifi' {
  export default class WiFi {
    constructor(options: { onChanged: () => void });
    connect(accessPoint: { SSID: string; password?: string }): void;
    disconnect(): void;
    readonly connection: number;
    readonly address: string | undefined;
  }
}

/** ECMAScript 2026. */
interface Uint8ArrayConstructor {
  fromBase64(text: string): Uint8Array<ArrayBuffer>;
}

declare module 'crypt' {
  export class Digest {
    constructor(algorithm: 'SHA256');
    /** Takes views as well. */
    write(part: ArrayBuffer): void;
    close(): ArrayBuffer;
  }
}
