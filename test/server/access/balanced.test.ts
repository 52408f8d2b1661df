/** Each kind of listener behind a balancer, with real connections of this machine. */

import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { suite, type Test } from 'uvu';
import * as assert from 'uvu/assert';
import { readProxyHeaders } from '../../../server/access/balanced.js';
import { ConnectionLimit } from '../../../server/access/connection-limit.js';
import { paceHandshakes } from '../../../server/access/handshakes.js';
import { Proxies } from '../../../server/access/proxies.js';
import { PROXY_HEADER_BYTES } from '../../../server/access/proxy-header.js';
import { Shares } from '../../../server/access/shares.js';
import { until } from '../../until.js';
import { OWN_TLS } from '../mqtt/transports.js';
import { headerFor, headerOf } from './proxy-headers.js';

const BALANCER = '127.0.0.2';
const STRANGER = '127.0.0.3';
const CLIENT = '192.0.2.7';
const HEADER = headerFor(CLIENT, 51_234);
const HEALTH_CHECK = headerOf(0x20, 0x00, Buffer.alloc(0));
/** Longer than one read of a socket, so that some of it comes with the header and some after. */
const MESSAGE = 'x'.repeat(200_000);

/** A kind of listener that answers with the client's address and how much it has sent. */
interface Kind {
  readonly name: string;
  readonly isTls: boolean;
  readonly make: () => Server;
  /** A whole request with the message. */
  readonly request: string;
}

const answerStream = (socket: Socket) => {
  let bytes = 0;
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    bytes += chunk.length;
    if (bytes === MESSAGE.length) socket.end(`${socket.remoteAddress} ${socket.remotePort} ${bytes}`);
  });
};

const answerRequest = (req: IncomingMessage, res: ServerResponse) => {
  let bytes = 0;
  req.on('data', (chunk) => {
    bytes += chunk.length;
  });
  req.on('end', () => res.end(`${req.socket.remoteAddress} ${req.socket.remotePort} ${bytes}`));
};

const HTTP_REQUEST = [
  'PUT / HTTP/1.1',
  'Host: localhost',
  'Connection: close',
  `Content-Length: ${MESSAGE.length}`,
  '',
  MESSAGE,
].join('\r\n');

function paced<S extends Server>(listener: S): S {
  paceHandshakes(listener as never, new Shares());
  return listener;
}

const KINDS: readonly Kind[] = [
  { name: 'TCP', isTls: false, make: () => createServer(answerStream), request: MESSAGE },
  {
    name: 'TLS',
    isTls: true,
    make: () => paced(createTlsServer(OWN_TLS.options, answerStream)),
    request: MESSAGE,
  },
  { name: 'HTTP', isTls: false, make: () => createHttpServer(answerRequest), request: HTTP_REQUEST },
  {
    name: 'HTTPS',
    isTls: true,
    make: () => paced(createHttpsServer(OWN_TLS.options, answerRequest)),
    request: HTTP_REQUEST,
  },
];

interface Context {
  listener: Server;
  connections: ConnectionLimit;
  refusals: string[];
  /** Closes what waits for a header. */
  drop: () => void;
  open(from: string): Promise<Socket>;
}

const FIRST_BYTES_MS = 60_000;

async function start(context: Context, listener: Server, firstBytesMs = FIRST_BYTES_MS): Promise<void> {
  const proxies = new Proxies([{ address: BALANCER, prefix: 32 }]);
  const connections = new ConnectionLimit({ perSource: 100, total: 2, proxies });
  const refusals: string[] = [];
  const refused = (source: string, reason: string) => refusals.push(`${source} ${reason}`);
  connections.watch(listener, refused);
  const drop = readProxyHeaders(listener, { connections, firstBytesMs, refused });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const open = async (localAddress: string) => {
    const socket = connect({ host: '127.0.0.1', port, localAddress, noDelay: true });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  };
  Object.assign(context, { listener, connections, refusals, drop, open });
}

async function stop({ listener, drop }: Context): Promise<void> {
  const closed = once(listener, 'close');
  listener.close();
  drop();
  await closed;
}

/** All that comes until the other side closes. */
async function answerOf(stream: Duplex): Promise<string> {
  let answer = '';
  stream.on('data', (chunk) => {
    answer += chunk;
  });
  stream.on('error', () => undefined);
  if (!stream.closed) await once(stream, 'close').catch(() => undefined);
  return answer;
}

/** Writes the bytes in pieces of so many. The server is in this process, and reads between two pieces. */
async function writeInPieces(socket: Socket, bytes: Buffer, size: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += size) {
    socket.write(bytes.subarray(at, at + size));
    await new Promise((turn) => setImmediate(turn));
  }
}

/** The whole request of a client. The server reads a header together with the first bytes behind it. */
async function speak({ isTls, request }: Kind, socket: Socket, header?: Buffer): Promise<string> {
  if (header !== undefined) socket.write(header);
  const stream = isTls ? connectTls({ socket, rejectUnauthorized: false }) : socket;
  stream.write(request);
  return await answerOf(stream);
}

for (const kind of KINDS) {
  const test: Test<Context> = suite<Context>(`a balancer in front of ${kind.name}`);
  test.before.each((context) => start(context, kind.make()));
  test.after.each(stop);

  test('the address of the client counts, and every byte behind the header arrives', async ({ open }) => {
    const answer = await speak(kind, await open(BALANCER), HEADER);
    assert.match(answer, `${CLIENT} 51234 ${MESSAGE.length}`);
  });

  test('the header may come byte by byte, and the rest after it', async ({ open }) => {
    const socket = await open(BALANCER);
    await writeInPieces(socket, HEADER, 1);
    assert.match(await speak(kind, socket), `${CLIENT} 51234 ${MESSAGE.length}`);
  });

  test('without a header, and in a health check, the address of the balancer stays', async ({ open }) => {
    for (const header of [undefined, HEALTH_CHECK]) {
      const answer = await speak(kind, await open(BALANCER), header);
      assert.match(answer, new RegExp(`${BALANCER} \\d+ ${MESSAGE.length}`));
    }
  });

  test('a stranger without a header is served, and one with a header is not', async ({ open }) => {
    assert.match(await speak(kind, await open(STRANGER)), `${STRANGER} `);
    // To this listener all bytes are alike.
    if (kind.name === 'TCP') return;
    assert.not.match(await speak(kind, await open(STRANGER), HEADER), CLIENT);
  });

  test('a malformed header, or one that is too long, closes the connection with a reason', async ({
    open,
    refusals,
  }) => {
    const socket = await open(BALANCER);
    socket.write(headerOf(0x21, 0x11, Buffer.alloc(PROXY_HEADER_BYTES)));
    assert.is(await answerOf(socket), '');
    assert.equal(refusals, [`${BALANCER} malformed header of the PROXY protocol`]);
  });

  test('a balancer that closes within the header, or right behind it, leaves nothing open', async ({
    open,
    connections,
  }) => {
    for (const bytes of [HEADER.subarray(0, 20), HEADER, HEALTH_CHECK]) {
      (await open(BALANCER)).end(bytes);
      await until(() => {
        const isFree = connections.take('a') && connections.take('b');
        if (isFree) connections.release('b');
        connections.release('a');
        return isFree;
      });
    }
  });

  test.run();
}

const test = suite<Context>('connections that wait for their header');
test.after.each(stop);

test('they count in the total, and are closed when the server stops', async (context) => {
  await start(context, createServer(answerStream));
  const { open, refusals } = context;
  const waiting = [await open(BALANCER), await open(BALANCER)];
  for (const socket of waiting) socket.write(HEADER.subarray(0, 3));
  await once((await open(BALANCER)).resume(), 'close');
  assert.equal(refusals, [`${BALANCER} too many connections`]);
  context.drop();
  await Promise.all(waiting.map((socket) => socket.resume().closed || once(socket, 'close')));
});

test('they are closed when the first bytes take too long, also those that send a byte at a time', async (context) => {
  await start(context, createServer(answerStream), 1);
  const socket = await context.open(BALANCER);
  socket.write(HEADER.subarray(0, 1));
  assert.is(await answerOf(socket), '');
});

test('a server without balancers changes nothing on its listeners', async (context) => {
  const listener = createServer(answerStream);
  const before = listener.listeners('connection');
  const connections = new ConnectionLimit({ perSource: 1, total: 1, proxies: new Proxies([]) });
  const drop = readProxyHeaders(listener, { connections, firstBytesMs: 1, refused: () => undefined });
  assert.equal(listener.listeners('connection'), before);
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  Object.assign(context, { listener, drop });
});

test.run();
