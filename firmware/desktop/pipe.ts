/**
 * The pipe between Node and xsnap-worker. Its frames are netstrings, `<length>:<bytes>,`; a message in them is one line of
 * JSON, then bytes. `modules/host.ts` is the other end.
 */

const NEWLINE = 0x0a;
const COMMA = Buffer.from(',');
/** As many digits of a length as xsnap-worker itself reads. */
const LENGTH = /^\d{1,9}$/;
const LENGTH_DIGITS = 9;

export const encodeNetstring = (kind: string, bytes: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(`${bytes.length + kind.length}:${kind}`), bytes, COMMA]);

/** Cuts a stream of bytes into frames, however it was cut before. */
export class NetstringReader {
  #bytes: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
  }

  /** The next whole frame, or undefined until more is pushed. @throws Error for bytes that are not a netstring */
  next(): Buffer | undefined {
    const colon = this.#bytes.indexOf(':');
    if (colon === -1 && this.#bytes.length <= LENGTH_DIGITS) return undefined;
    const length = this.#bytes.toString('latin1', 0, colon);
    if (colon === -1 || !LENGTH.test(length)) throw new Error('not a netstring');
    const end = colon + 1 + Number(length);
    if (this.#bytes.length <= end) return undefined;
    const frame = this.#bytes.subarray(colon + 1, end);
    if (this.#bytes[end] !== COMMA[0]) throw new Error('a netstring without its comma');
    this.#bytes = this.#bytes.subarray(end + 1);
    return frame;
  }
}

export interface Message<Head> {
  head: Head;
  bytes: Buffer;
}

export const encodeMessage = (head: object, bytes: Uint8Array = new Uint8Array()): Buffer =>
  Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), bytes]);

export function decodeMessage<Head>(message: Buffer): Message<Head> {
  const end = message.indexOf(NEWLINE);
  return { head: JSON.parse(message.toString('utf8', 0, end)) as Head, bytes: message.subarray(end + 1) };
}
