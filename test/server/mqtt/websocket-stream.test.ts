/** A WebSocket as a stream: how it is held back, and how it ends. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { listen } from '../../../server/listen.js';
import type { ClientStream } from '../../../server/mqtt/connection.js';
import { MQTT_LIMITS } from '../../../server/mqtt/endpoint.js';
import { acceptWebSockets } from '../../../server/mqtt/websocket.js';
import { until } from '../../until.js';
import { frame, OPCODES, RawWebSocket } from './raw-websocket.js';
import { NO_PROXIES, OWN_POLICY } from './transports.js';

const { binary, close, ping, pong } = OPCODES;
const server = createServer();
const streams: ClientStream[] = [];
const sockets: Socket[] = [];
let port: number;

test.before(async () => {
  server.on('connection', (socket) => sockets.push(socket));
  acceptWebSockets(server, {
    mqtt: { limits: MQTT_LIMITS, serve: (stream) => streams.push(stream) },
    policy: OWN_POLICY,
    proxies: NO_PROXIES,
    audit: () => undefined,
  });
  ({ port } = await listen(server, { host: '127.0.0.1', port: 0 }));
});

test.after(async () => {
  const closed = once(server, 'close');
  server.close();
  await closed;
});

/** Both ends of a new one, and the socket below the server's. */
async function open(): Promise<{ client: RawWebSocket; stream: ClientStream; socket: Socket }> {
  const client = await RawWebSocket.open(port);
  const [stream, socket] = [streams.at(-1), sockets.at(-1)];
  if (stream === undefined || socket === undefined) throw new Error('no client came');
  stream.on('error', () => undefined);
  return { client, stream, socket };
}

const MESSAGE = 60_000;
/** More than any network buffer takes. */
const MESSAGES = 1000;

test('a paused stream reads nothing, and reads everything when it is resumed', async () => {
  const beside = await open();
  beside.stream.resume();
  const { client, stream, socket } = await open();
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  stream.admitted?.();
  stream.pause();
  for (let count = 0; count < MESSAGES; count++) client.send(frame(binary, Buffer.alloc(MESSAGE)));
  for (let before = -1; before !== socket.bytesRead; ) {
    before = socket.bytesRead;
    for (let trip = 0; trip < 20; trip++) {
      beside.client.send(frame(ping));
      assert.is((await beside.client.next()).opcode, pong);
    }
  }
  assert.is(bytes, 0);
  assert.ok(socket.bytesRead < 4 * MESSAGE, `${socket.bytesRead} bytes were read`);
  stream.resume();
  while (bytes < MESSAGES * MESSAGE) await once(stream, 'data');
  assert.is(bytes, MESSAGES * MESSAGE);
  for (const { client: one, stream: other } of [beside, { client, stream }]) {
    one.vanish();
    await once(other, 'close');
  }
});

test('messages that come together are read as one chunk, behind the number of their frames', async () => {
  const { client, stream } = await open();
  const told: (number | string)[] = [];
  stream.on('frames', (count: number) => told.push(count));
  stream.on('data', (chunk: Buffer) => told.push(chunk.toString()));
  const letters = [...'each letter'].map((letter) => frame(binary, Buffer.from(letter)));
  client.send(...letters, frame(ping), frame(pong));
  assert.is((await client.next()).opcode, pong);
  await until(() => told.length > 1);
  assert.equal(told, [letters.length + 2, 'each letter']);
  client.vanish();
  await once(stream, 'close');
});

test('chunks that are written together are one message, and bytes that the client does not read are counted', async () => {
  const { client, stream } = await open();
  stream.cork();
  for (const text of ['one ', 'and ', 'another']) stream.write(text);
  stream.uncork();
  assert.equal(await client.next(), { opcode: binary, payload: Buffer.from('one and another') });
  client.stopReading();
  for (let count = 0; count < MESSAGES; count++) stream.write(Buffer.alloc(MESSAGE));
  assert.ok(stream.writableLength > (MESSAGES * MESSAGE) / 2);
  stream.destroy();
  await once(stream, 'close');
  client.vanish();
});

test('a stream that is destroyed closes at once, without a closing handshake', async () => {
  const { client, stream, socket } = await open();
  stream.destroy();
  assert.is(socket.destroyed, true);
  await once(stream, 'close');
  await client.next().then(
    () => assert.unreachable('a frame came'),
    () => undefined,
  );
});

test('a stream that ends sends a close frame, and has ended when the client has sent one too', async () => {
  const { client, stream } = await open();
  stream.resume();
  stream.end('last words');
  assert.equal((await client.next()).payload, Buffer.from('last words'));
  assert.is((await client.next()).opcode, close);
  const closed = once(stream, 'close');
  client.send(frame(close));
  await Promise.all([closed, client.closed]);
});

test('a client that closes its socket ends the stream, also when bytes wait to be written', async () => {
  for (const bytes of [0, 10_000_000]) {
    const { client, stream } = await open();
    client.stopReading();
    stream.resume();
    stream.write(Buffer.alloc(bytes));
    const closed = once(stream, 'close');
    client.vanish();
    await closed;
  }
});

test('bytes that came before a client closed its socket are still read after a pause', async () => {
  const { client, stream, socket } = await open();
  const heard: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => heard.push(chunk));
  stream.pause();
  client.send(frame(binary, Buffer.from('last words')));
  client.end();
  await until(() => socket.bytesRead > 0 && stream.readableLength + socket.readableLength > 0);
  const closed = once(stream, 'close');
  stream.resume();
  await closed;
  assert.equal(Buffer.concat(heard), Buffer.from('last words'));
});

test.run();
