/** The rows `durable-…`, each for a moment, and the protocols of their load. */

import { once } from 'node:events';
import { createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Address } from '../../server/config.js';
import { needs } from '../programs.js';
import { Bench } from './bench.js';
import { CONNECT, type StoreClient } from './load/stores.js';
import { judge } from './row.js';
import { rowsNamed } from './rows.js';

for (const row of rowsNamed('durable')) {
  needs(...row.needs)(`${row.name} gives the ratio of the real server to a durable store`, async () => {
    const bench = new Bench({ seconds: 0.3, rounds: 1, progress: () => {} });
    try {
      const [measurement] = await row.run(bench);
      assert.ok(measurement);
      const { ratio } = judge(measurement);
      assert.ok(ratio !== undefined && ratio.middle > 0 && Number.isFinite(ratio.middle));
    } finally {
      await bench.close();
    }
  });
}

async function withStore(
  server: Server,
  connect: (address: Address, number: number) => Promise<StoreClient>,
  use: (client: StoreClient) => Promise<void>,
): Promise<void> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { address: host, port } = server.address() as AddressInfo;
  try {
    const client = await connect({ host, port }, 7);
    await use(client).finally(() => client.close());
  } finally {
    server.close();
  }
}

const messageOf = (put: Promise<void>): Promise<string> =>
  put.then(
    () => 'done',
    (error: Error) => error.message,
  );

/** A store that reads one put after the other and gives these answers in turn, in pieces. */
function scripted(isPut: RegExp, answers: string[], others: (text: string) => string = () => ''): Server {
  const answer = async (socket: Socket) => {
    for await (const text of socket.setEncoding('utf8')) {
      const reply = isPut.test(text) ? (answers.shift() ?? '') : others(text);
      for (const piece of reply) socket.write(piece);
    }
  };
  return createServer({ noDelay: true }, (socket) => void answer(socket).catch(() => undefined));
}

test('a put in Redis is done when Redis says OK, and not when it refuses', async () => {
  const store = scripted(/^\*3\r\n\$3\r\nSET\r\n\$8\r\ndevice-7\r\n\$3\r\né1\r\n$/, [
    '+OK\r\n',
    '-MISCONF no\r\n',
  ]);
  await withStore(store, CONNECT.redis, async ({ put }) => {
    assert.is(await messageOf(put('é1')), 'done');
    assert.match(await messageOf(put('é1')), 'MISCONF');
  });
});

test('a put in JetStream is done when its answer says so, also where NATS asks for a sign of life', async () => {
  const stored = 'MSG inbox 1 24\r\n{"stream":"KV","seq":12}\r\n';
  const refused = 'MSG inbox 1 24\r\n{"error":{"code":503}}\r\n';
  const isPut = /^(PONG\r\n)?PUB \$KV\.twins\.device-7 _INBOX\.\S+ 2\r\n\{\}\r\n$/;
  const store = scripted(isPut, [`PING\r\n${stored}`, refused], () => 'INFO {} \r\nPONG\r\n');
  await withStore(store, CONNECT.jetstream, async ({ put }) => {
    assert.is(await messageOf(put('{}')), 'done');
    assert.match(await messageOf(put('{}')), '503');
  });
});

test('a put in etcd is done when its status is 0, and not when it refuses or gives none', async () => {
  const statuses = ['0', '8', undefined];
  const bodies: string[] = [];
  const store = createHttp2Server();
  store.on('stream', async (stream) => {
    const status = statuses.shift();
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    bodies.push(Buffer.concat(chunks).toString('latin1'));
    stream.respond({ ':status': 200 }, { waitForTrailers: true });
    stream.once('wantTrailers', () =>
      status === undefined ? stream.close() : stream.sendTrailers({ 'grpc-status': status }),
    );
    stream.end();
  });
  await withStore(store, CONNECT.etcd, async ({ put }) => {
    assert.is(await messageOf(put('{}')), 'done');
    assert.match(await messageOf(put('{}')), 'etcd: 8');
    assert.match(await messageOf(put('{}')), 'no answer');
  });
  assert.is(bodies[0], '\0\0\0\0\x0e\x0a\x08device-7\x12\x02{}');
});

test('a put is an error when the connection is lost', async () => {
  const store = createServer((socket) => socket.once('data', () => socket.destroy()));
  await withStore(store, CONNECT.redis, async ({ put }) => {
    assert.match(await messageOf(put('{}')), 'closed');
  });
});

test.run();
