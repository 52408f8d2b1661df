import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readIntoOneBuffer } from '../../../server/mqtt/one-buffer.js';
import { Random } from '../../fuzz/random.js';

const test = suite('reading into one buffer');
let server: Server;
let clients: Socket[];

test.before.each(async () => {
  clients = [];
  server = createServer({ noDelay: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
test.after.each(async () => {
  for (const client of clients) client.destroy();
  server.close();
  await once(server, 'close');
});

interface Pair {
  client: Socket;
  /** The server's side of its connection. */
  socket: Socket;
}

async function accepted(): Promise<Pair> {
  const accepting = once(server, 'connection');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  clients.push(client);
  const [socket] = (await accepting) as [Socket];
  return { client, socket };
}

async function pair(): Promise<Pair> {
  const both = await accepted();
  assert.ok(readIntoOneBuffer(both.socket));
  return both;
}

const connections = (): Promise<number> =>
  new Promise((done) => server.getConnections((_error, count) => done(count)));

test('each connection gets its own bytes in their order, when many send at once', async () => {
  const random = new Random(20);
  const pairs: Pair[] = [];
  while (pairs.length < 16) pairs.push(await pair());
  const wholes = await Promise.all(
    pairs.map(async ({ client, socket }) => {
      const came: Buffer[] = [];
      socket.on('data', (bytes: Buffer) => came.push(Buffer.from(bytes)));
      const sent = random.some(40, () => Buffer.alloc(1 + random.below(9000), random.below(256)));
      for (const piece of sent) {
        client.write(piece);
        if (random.once(3)) await new Promise((next) => setImmediate(next));
      }
      client.end();
      await once(socket, 'end');
      return { came: Buffer.concat(came), sent: Buffer.concat(sent) };
    }),
  );
  for (const { came, sent } of wholes) assert.ok(came.equals(sent));
});

test('all share one buffer', async () => {
  const buffers = new Set<ArrayBufferLike>();
  for (let count = 0; count < 3; count += 1) {
    const { client, socket } = await pair();
    client.write('x');
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    buffers.add(bytes.buffer);
  }
  assert.is(buffers.size, 1);
});

test('answers reach the client, and the address is known', async () => {
  const { client, socket } = await pair();
  assert.is(socket.remoteAddress, '127.0.0.1');
  assert.is(socket.remotePort, client.localPort);
  socket.write('answer');
  const [bytes] = (await once(client, 'data')) as [Buffer];
  assert.is(bytes.toString(), 'answer');
});

test('a connection that is paused is not read until it is resumed', async () => {
  const { client, socket } = await pair();
  const came: string[] = [];
  socket.on('data', (bytes: Buffer) => came.push(bytes.toString()));
  client.write('one');
  await once(socket, 'data');
  socket.pause();
  const { client: other, socket: read } = await pair();
  client.write('two');
  other.write('x');
  await once(read, 'data');
  assert.equal(came, ['one']);
  socket.resume();
  await once(socket, 'data');
  assert.equal(came, ['one', 'two']);
});

test('the listener counts a connection until it closes, from either side', async () => {
  const [one, other] = [await pair(), await pair()];
  for (const { socket } of [one, other]) socket.on('data', () => undefined);
  assert.is(await connections(), 2);
  one.client.destroy();
  await once(one.socket, 'close');
  assert.is(await connections(), 1);
  other.socket.destroy();
  await once(other.socket, 'close');
  assert.is(await connections(), 0);
});

test('a connection that was read before stays as it is', async () => {
  const { client, socket } = await accepted();
  client.write('header');
  await once(socket, 'readable');
  socket.read();
  assert.not(readIntoOneBuffer(socket));
});

test('a connection that was destroyed stays as it is', async () => {
  const { socket } = await accepted();
  socket.destroy();
  assert.not(readIntoOneBuffer(socket));
});

test.run();
