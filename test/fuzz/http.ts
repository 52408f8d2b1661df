/** Mutated HTTP as raw bytes: request lines, headers, framings, several requests on one connection. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Server } from '../system/server.js';
import { inTime } from './eventually.js';
import type { Fuzz } from './fuzz.js';
import { answersIn } from './http-answers.js';
import { requestsOf } from './http-requests.js';
import { shorterBytes, shorterLists, smallerItems } from './shrink.js';
import type { Target } from './target.js';

/** A handshake takes longer than all that follows it. */
const TLS_ONCE_IN = 12;

interface Exchange {
  readonly secure: boolean;
  readonly requests: readonly Buffer[];
  /** In how many writes they are sent. */
  readonly pieces: number;
}

export const httpFuzz: Fuzz<Exchange> = {
  name: 'http',
  unit: 'requests',
  atOnce: 64,

  make: (random) => ({
    secure: random.once(TLS_ONCE_IN),
    requests: requestsOf(random),
    pieces: random.once(4) ? 1 + random.below(100) : 1,
  }),

  size: ({ requests }) => requests.length,

  async attempt(exchange, target) {
    answersIn(await inTime('the end of the connection', exchanged(target, exchange)));
  },

  *smaller(exchange) {
    for (const requests of shorterLists(exchange.requests)) yield { ...exchange, requests };
    for (const requests of smallerItems(exchange.requests, shorterBytes)) yield { ...exchange, requests };
  },

  show: ({ secure, requests, pieces }) =>
    [
      `over ${secure ? 'TLS' : 'TCP'} in ${pieces} pieces:`,
      ...requests.map((request) => request.toString('hex')),
    ].join('\n'),
};

const portOf = (url: string): number => Number(new URL(url).port);

async function open({ http }: Server): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: portOf(http), noDelay: true, allowHalfOpen: true });
  await once(socket, 'connect');
  return socket;
}

async function openTls({ https }: Server): Promise<Socket> {
  const socket = connectTls({ host: '127.0.0.1', port: portOf(https), rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  return socket;
}

/** All that comes back until the connection is closed. */
async function exchanged({ server }: Target, { secure, requests, pieces }: Exchange): Promise<Buffer> {
  const socket = secure ? await openTls(server) : await open(server);
  const came: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => came.push(chunk));
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  socket.on('end', () => socket.end());
  const bytes = Buffer.concat(requests);
  const piece = Math.ceil(bytes.length / pieces);
  for (let at = 0; at < bytes.length && socket.writable; at += piece) {
    await new Promise<void>((written) => socket.write(bytes.subarray(at, at + piece), () => written()));
  }
  socket.end();
  await closed;
  return Buffer.concat(came);
}
