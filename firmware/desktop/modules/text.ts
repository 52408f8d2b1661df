/** `ArrayBuffer.fromString` and `String.fromArrayBuffer`, which XS has on boards and xsnap-worker's build leaves out. */

Object.defineProperty(ArrayBuffer, 'fromString', {
  value: (text: string): ArrayBuffer => new TextEncoder().encode(text).buffer,
});

Object.defineProperty(String, 'fromArrayBuffer', {
  value: (bytes: ArrayBuffer): string => new TextDecoder().decode(new Uint8Array(bytes)),
});
