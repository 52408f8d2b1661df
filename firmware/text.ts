/** Text as the bytes of UTF-8 and back, by what XS has built in instead of `TextEncoder` and `TextDecoder`. */

const toBytes = ArrayBuffer as unknown as { fromString(text: string): ArrayBuffer };
const toText = String as unknown as { fromArrayBuffer(bytes: ArrayBuffer): string };

export const encode = (text: string): ArrayBuffer => toBytes.fromString(text);

/** May throw when the bytes are no UTF-8. */
export const decode = (bytes: ArrayBuffer): string => toText.fromArrayBuffer(bytes);
