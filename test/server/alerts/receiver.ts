/** An HTTP receiver on the loopback that keeps what it gets, and answers as a test says. */

import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from '../../until.js';

export interface Received {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A status with headers; `hang` never answers; `cut` closes the connection half way. */
export type Reply =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  | 'hang'
  | 'cut';

export interface Receiver {
  readonly url: string;
  readonly received: Received[];
  /** The replies to the next requests; later ones get 200. */
  readonly replies: Reply[];
  /** Resolves when so many requests have come. */
  count(requests: number): Promise<void>;
  close(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const replies: Reply[] = [];
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk);
    received.push({
      method: req.method,
      path: req.url,
      headers: req.headers,
      body: Buffer.concat(chunks).toString(),
    });
    const reply = replies.shift() ?? { status: 200 };
    if (reply === 'hang') return;
    if (reply === 'cut') return void res.socket?.destroy();
    res.writeHead(reply.status, reply.headers).end(reply.body ?? 'ok');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    replies,
    count: (requests) => until(() => received.length >= requests),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The last request that has come. */
export function lastOf({ received }: Receiver): Received {
  const last = received.at(-1);
  if (last === undefined) throw new Error('nothing was received');
  return last;
}
