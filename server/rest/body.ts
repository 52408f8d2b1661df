import type { IncomingMessage } from 'node:http';
import { BodyTooLarge } from './errors.js';

const NOTHING = Buffer.alloc(0);

type Done = (error: BodyTooLarge | null, body: Buffer) => void;

/**
 * Reads a whole body, whatever its Content-Type says. More than `limit` bytes are never kept: `done` gets BodyTooLarge
 * as soon as that is known, and the rest is read and thrown away, so that the connection can go on. The body of a
 * request that is aborted is never done.
 */
export function readBody(req: IncomingMessage, limit: number, done: Done): void {
  const body = new Body(limit, done);
  if (Number(req.headers['content-length']) > limit) body.refuse();
  req.on('data', (chunk: Buffer) => body.add(chunk));
  req.on('end', () => body.end());
}

class Body {
  readonly #limit: number;
  readonly #done: Done;
  #chunks: Buffer[] = [];
  #length = 0;
  #refused = false;

  constructor(limit: number, done: Done) {
    this.#limit = limit;
    this.#done = done;
  }

  add(chunk: Buffer): void {
    if (this.#refused) return;
    this.#length += chunk.length;
    if (this.#length > this.#limit) this.refuse();
    else this.#chunks.push(chunk);
  }

  refuse(): void {
    this.#refused = true;
    this.#chunks = [];
    this.#done(new BodyTooLarge(this.#limit), NOTHING);
  }

  end(): void {
    if (this.#refused) return;
    const [first = NOTHING] = this.#chunks;
    this.#done(null, this.#chunks.length > 1 ? Buffer.concat(this.#chunks) : first);
  }
}
