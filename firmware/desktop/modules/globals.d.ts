/** What xsnap-worker's XS has besides the language, and the typings lack. */

declare function issueCommand(message: ArrayBuffer): ArrayBuffer;

declare const performance: { now(): number };

declare class TextEncoder {
  encode(text: string): Uint8Array<ArrayBuffer>;
}

declare class TextDecoder {
  decode(bytes: Uint8Array): string;
}
