/** The frames of xsnap-worker's pipes: `<length>:<bytes>,`. */

export const encodeNetstring = (kind: string, bytes: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(`${bytes.length + kind.length}:${kind}`), bytes, COMMA]);

const COMMA = Buffer.from(',');

/** Cuts a stream of bytes into frames, however it was cut before. */
export class NetstringReader {
  #bytes: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
  }

  /** The next whole frame, or undefined until more is pushed. @throws Error for what is no netstring */
  next(): Buffer | undefined {
    const colon = this.#bytes.indexOf(':');
    if (colon === -1) return undefined;
    const length = Number(this.#bytes.toString('latin1', 0, colon));
    if (!Number.isSafeInteger(length)) throw new Error('not a netstring');
    const end = colon + 1 + length;
    if (this.#bytes.length <= end) return undefined;
    const frame = this.#bytes.subarray(colon + 1, end);
    if (this.#bytes[end] !== COMMA[0]) throw new Error('a netstring without its comma');
    this.#bytes = this.#bytes.subarray(end + 1);
    return frame;
  }
}
