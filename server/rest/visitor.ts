import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Allowance } from '../access/rate.js';
import { sourceOf } from '../access/source.js';
import type { Token } from '../access/tokens.js';

/**
 * The client of one HTTP connection, and what has been found out about it: the next request that says the same of itself
 * costs comparisons only.
 */
export class Visitor {
  readonly source: string;
  /** The Host header that was good. */
  host: string | undefined;
  /** The token that was let in last, and what it may still ask for. */
  entry: { readonly token: Token; readonly allowance: Allowance } | undefined;
  /** The answer to the last request. */
  answer: ServerResponse | undefined;
  /** What came was no HTTP, or too much of it: nothing more is answered. */
  refused = false;

  constructor(address: string | undefined) {
    this.source = address === undefined ? 'unknown' : sourceOf(address);
  }
}

const visitors = new WeakMap<Socket, Visitor>();

export function visitorOf({ socket }: Pick<IncomingMessage, 'socket'>): Visitor {
  const known = visitors.get(socket);
  if (known !== undefined) return known;
  const visitor = new Visitor(socket.remoteAddress);
  visitors.set(socket, visitor);
  return visitor;
}
