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

/** A module of the ESP32. The number is ESP-IDF's `esp_reset_reason_t`. */
declare module 'resetReason' {
  export default function resetReason(): { reason: number; string: string };
}

/** ECMAScript 2026. */
interface Uint8ArrayConstructor {
  fromBase64(text: string): Uint8Array<ArrayBuffer>;
}
