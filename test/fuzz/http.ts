/** Mutated HTTP as raw bytes: request lines, headers, framings, several requests on one connection. */

import { once } from 'node:events';
import { connect } from 'node:net';
import { inTime } from './eventually.js';
import type { Fuzz } from './fuzz.js';
import { answersIn } from './http-answers.js';
import { requestsOf } from './http-requests.js';
import { shorterBytes, shorterLists, smallerItems } from './shrink.js';

interface Exchange {
  readonly requests: readonly Buffer[];
  /** In how many writes they are sent. */
  readonly pieces: number;
}

export const httpFuzz: Fuzz<Exchange> = {
  name: 'http',
  unit: 'requests',
  atOnce: 64,

  make: (random) => ({
    requests: requestsOf(random),
    pieces: random.once(4) ? 1 + random.below(100) : 1,
  }),

  size: ({ requests }) => requests.length,

  async attempt(exchange, { ports }) {
    answersIn(await inTime('the end of the connection', exchanged(ports.http, exchange)));
  },

  *smaller(exchange) {
    for (const requests of shorterLists(exchange.requests)) yield { ...exchange, requests };
    for (const requests of smallerItems(exchange.requests, shorterBytes)) yield { ...exchange, requests };
  },

  show: ({ requests, pieces }) =>
    [`in ${pieces} pieces:`, ...requests.map((request) => request.toString('hex'))].join('\n'),
};

/** All that comes back until the connection is closed. */
async function exchanged(port: number, { requests, pieces }: Exchange): Promise<Buffer> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true });
  const came: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => came.push(chunk));
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  socket.on('end', () => socket.end());
  await once(socket, 'connect');
  const bytes = Buffer.concat(requests);
  const piece = Math.ceil(bytes.length / pieces);
  for (let at = 0; at < bytes.length && socket.writable; at += piece) {
    await new Promise<void>((written) => socket.write(bytes.subarray(at, at + piece), () => written()));
  }
  socket.end();
  await closed;
  return Buffer.concat(came);
}
