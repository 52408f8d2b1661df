/** What XS has built in and Node lacks, for the firmware's modules in unit tests. Strict about UTF-8. */

Object.assign(ArrayBuffer, {
  fromString: (text: string): ArrayBuffer => new TextEncoder().encode(text).slice().buffer,
});

Object.assign(String, {
  fromArrayBuffer: (bytes: ArrayBuffer): string => new TextDecoder('utf-8', { fatal: true }).decode(bytes),
});
