/** What a balancer sends, byte for byte, to the four listeners of the real server. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import mqttPacket from 'mqtt-packet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { headerFor } from '../server/access/proxy-headers.js';
import { until } from '../until.js';
import { type Server, startServer } from './server.js';

type ListenerName = 'http' | 'https' | 'mqtt' | 'mqtts';

interface Context {
  server: Server;
}

const BALANCER = '127.0.0.9';
const STRANGER = '127.0.0.8';
const WRONG = '00000000-0000-4000-8000-000000000000';

const test = suite<Context>('the bytes of a balancer');

test.before(async (context) => {
  context.server = await startServer({ env: { TWIN_NAMES: 'localhost', TWIN_PROXIES: BALANCER } });
});
test.after(async ({ server }) => {
  await server.stop();
});

const request = (path: string, ...more: string[]): string =>
  [`GET ${path} HTTP/1.1`, 'Host: localhost', `X-Auth-Token: ${WRONG}`, ...more, '', ''].join('\r\n');

const HUBS = '/iot/v1/regions/fr-par/hubs';
const REQUESTS = Buffer.from(request(HUBS) + request(HUBS) + request(HUBS, 'Connection: close'));
const CONNECT = mqttPacket.generate({
  cmd: 'connect',
  clientId: 'guess',
  clean: true,
  keepalive: 0,
  username: WRONG,
  password: Buffer.from('guess'),
});
const BAD_USER_NAME_OR_PASSWORD = Buffer.from([0x20, 2, 0, 4]);

/** What is sent to each listener, and how often the answer refuses it. */
const SPOKEN: Readonly<
  Record<ListenerName, { bytes: Buffer; isTls: boolean; refusals: (answer: Buffer) => number }>
> = {
  http: { bytes: REQUESTS, isTls: false, refusals: refusedRequests },
  https: { bytes: REQUESTS, isTls: true, refusals: refusedRequests },
  mqtt: { bytes: CONNECT, isTls: false, refusals: refusedConnect },
  mqtts: { bytes: CONNECT, isTls: true, refusals: refusedConnect },
};

function refusedRequests(answer: Buffer): number {
  return answer.toString().split('HTTP/1.1 401 ').length - 1;
}

function refusedConnect(answer: Buffer): number {
  return answer.equals(BAD_USER_NAME_OR_PASSWORD) ? 1 : 0;
}

async function open(url: string, localAddress: string): Promise<Socket> {
  const { hostname: host, port } = new URL(url);
  const socket = connect({ host, port: Number(port), localAddress, noDelay: true });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** All that comes until the server closes. */
async function answerOf(stream: Duplex): Promise<Buffer> {
  const pieces: Buffer[] = [];
  stream.on('data', (piece) => pieces.push(piece));
  stream.on('error', () => undefined);
  if (!stream.closed) await new Promise((closed) => stream.on('close', closed));
  return Buffer.concat(pieces);
}

async function speak(
  server: Server,
  name: ListenerName,
  from: string,
  header: Buffer,
  piece: number,
): Promise<Buffer> {
  const socket = await open(server[name], from);
  const { bytes, isTls } = SPOKEN[name];
  for (let at = 0; at < header.length; at += piece) {
    socket.write(header.subarray(at, at + piece));
    // The last piece leaves together with what is behind the header.
    if (at + piece < header.length) await new Promise((turn) => setImmediate(turn));
  }
  const stream = isTls ? connectTls({ socket, rejectUnauthorized: false }) : socket;
  stream.write(bytes);
  return await answerOf(stream);
}

/** The sources of the refusals in the audit log. */
const refused = ({ program }: Server): string[] =>
  program.lines.flatMap((line) => /"audit":"\w+_refused".*"source":"([^"]+)"/.exec(line)?.[1] ?? []);

const LISTENERS: readonly ListenerName[] = ['http', 'https', 'mqtt', 'mqtts'];

for (const [index, name] of LISTENERS.entries()) {
  test(`the client behind the header is served and counted by ${name}, in one piece and byte by byte`, async ({
    server,
  }) => {
    for (const [round, piece] of [1, 28].entries()) {
      const client = `192.0.2.${10 * index + round}`;
      const answer = await speak(server, name, BALANCER, headerFor(client, 50_000), piece);
      const refusals = SPOKEN[name].refusals(answer);
      assert.ok(refusals > 0, answer.toString());
      await until(() => refused(server).filter((source) => source === client).length === refusals);
    }
    assert.not.ok(refused(server).includes(BALANCER));
  });

  test(`the header of a stranger is refused by ${name}, and the client in it counts for nothing`, async ({
    server,
  }) => {
    const answer = await speak(server, name, STRANGER, headerFor('198.51.100.7', 50_000), 28);
    assert.is(SPOKEN[name].refusals(answer), 0);
    assert.not.ok(refused(server).includes('198.51.100.7'));
  });
}

test('MQTT over WebSocket comes right behind the header, and the client in it is counted', async ({
  server,
}) => {
  const client = '2001:db8:1:2::7';
  const socket = await open(server.http, BALANCER);
  const upgrade = [
    'GET /mqtt HTTP/1.1',
    'Host: localhost',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    'Sec-WebSocket-Protocol: mqtt',
  ];
  const head = Buffer.from(`${upgrade.join('\r\n')}\r\n\r\n`);
  // One masked frame with a mask of zeros, which changes nothing.
  const frame = Buffer.concat([Buffer.from([0x82, 0x80 | CONNECT.length, 0, 0, 0, 0]), CONNECT]);
  socket.write(Buffer.concat([headerFor(client, 50_000), head, frame]));
  const answer = await answerOf(socket);
  assert.match(answer.toString('latin1'), 'HTTP/1.1 101 ');
  assert.ok(answer.includes(BAD_USER_NAME_OR_PASSWORD));
  await until(() => refused(server).includes('2001:db8:1:2::/64'));
});

test('connections whose header has not come do not keep the server from its stop', async ({ server }) => {
  for (const name of LISTENERS) {
    const socket = await open(server[name], BALANCER);
    socket.write(headerFor('192.0.2.99', 50_000).subarray(0, 20));
  }
  assert.equal(await server.stop(), { code: 0, signal: null });
});

test.run();
