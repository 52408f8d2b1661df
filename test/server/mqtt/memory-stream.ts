/** A stream without a network: the server reads exactly the chunks that it is given, and every write of its is seen. */

import { Duplex } from 'node:stream';

export class MemoryStream extends Duplex {
  /** What the server wrote, one entry for each write that a socket would have made. */
  readonly writes: Buffer[] = [];

  /** Gives the server one chunk. When it has taken the bytes, they are used for something else, as those of a socket are. */
  give(chunk: Buffer): void {
    const lent = Buffer.from(chunk);
    this.push(lent);
    if (this.readableLength === 0) lent.fill(0xee);
  }

  /** The client goes. */
  leave(): void {
    this.push(null);
  }

  get written(): Buffer {
    return Buffer.concat(this.writes);
  }

  override _read(): void {
    // Chunks come when they are given.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#note(chunk, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.#note(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  #note(bytes: Buffer, done: () => void): void {
    this.writes.push(bytes);
    this.emit('written');
    done();
  }
}
