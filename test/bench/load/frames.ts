/** MQTT packets cut out of a byte stream, looked at no further than their fixed header. */

const PUBLISH = 3;

/** Called with each whole packet: its bytes lie in `bytes` from `start`, its variable header from `body`, to `end`. */
export type OnFrame = (type: number, bytes: Buffer, start: number, body: number, end: number) => void;

/** Gives the function to feed with what arrives: `length` bytes of a buffer that may be reused afterwards. */
export function frames(onFrame: OnFrame): (bytes: Buffer, length: number) => void {
  let held: Buffer | undefined;
  return (bytes, length) => {
    const chunk = held === undefined ? bytes : Buffer.concat([held, bytes.subarray(0, length)]);
    const end = held === undefined ? length : chunk.length;
    const rest = readFrames(chunk, end, onFrame);
    held = rest === end ? undefined : Buffer.from(chunk.subarray(rest, end));
  };
}

/** Where the first packet begins that is not whole. */
function readFrames(bytes: Buffer, length: number, onFrame: OnFrame): number {
  let start = 0;
  while (start + 1 < length) {
    let remaining = 0;
    let at = start + 1;
    let scale = 1;
    let digit = 0x80;
    while (digit >= 0x80 && at < length) {
      digit = bytes[at] ?? 0;
      remaining += (digit & 0x7f) * scale;
      scale *= 0x80;
      at += 1;
    }
    const end = at + remaining;
    if (digit >= 0x80 || end > length) return start;
    onFrame((bytes[start] ?? 0) >> 4, bytes, start, at, end);
    start = end;
  }
  return start;
}

/** The text of a PUBLISH that should not have come, for an error message. */
export function describe(type: number, bytes: Buffer, body: number, end: number): string {
  const what = type === PUBLISH ? `PUBLISH ${bytes.toString('utf8', body + 2, end)}` : `packet type ${type}`;
  return `unexpected ${what}`;
}
