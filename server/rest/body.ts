import type { IncomingMessage } from 'node:http';
import { BodyTooLarge } from './errors.js';

const NOTHING = Buffer.alloc(0);

/**
 * Reads a whole body, whatever its Content-Type says. More than `limit` bytes are never kept: `done` gets BodyTooLarge
 * as soon as that is known, and the rest is read and thrown away, so that the connection can go on. The body of a
 * request that is aborted is never done.
 */
export function readBody(
  req: IncomingMessage,
  limit: number,
  done: (error: BodyTooLarge | null, body: Buffer) => void,
): void {
  let chunks: Buffer[] = [];
  let length = 0;
  function refuse(): void {
    chunks = [];
    req.removeListener('data', keep).removeListener('end', finish).resume();
    done(new BodyTooLarge(limit), NOTHING);
  }
  function keep(chunk: Buffer): void {
    length += chunk.length;
    if (length > limit) refuse();
    else chunks.push(chunk);
  }
  function finish(): void {
    const [first = NOTHING] = chunks;
    done(null, chunks.length > 1 ? Buffer.concat(chunks) : first);
  }
  if (Number(req.headers['content-length']) > limit) refuse();
  else req.on('data', keep).on('end', finish);
}
