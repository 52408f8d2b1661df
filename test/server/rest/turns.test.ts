/** Requests that come faster than their share allows, and answers that are not read. */

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Shares } from '../../../server/access/shares.js';
import { LEAST_BYTES_PER_SECOND, UNREAD_MS, UnreadAnswers } from '../../../server/rest/unread.js';
import { WORK } from '../../../server/work.js';
import { until } from '../../until.js';
import { TestLoop } from '../access/test-loop.js';
import { BASE, startTestRest, type TestLimits, type TestRest } from './rest.js';

/** Enough for a few requests, and not for all that a greedy client sends. */
const TURN_WORK = 500;
const MANY = 300;

interface Context {
  loop: TestLoop;
  rest: TestRest;
  start(limits?: Partial<TestLimits>, workPerSecond?: number): Promise<TestRest>;
  clients: Client[];
  /** A client that has connected. */
  client(): Promise<Client>;
}

/** Writes requests without waiting for the answers. */
class Client {
  text = '';
  isClosed = false;

  constructor(readonly socket: Socket) {
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      this.text += chunk;
    });
    socket.on('close', () => {
      this.isClosed = true;
    });
  }

  get statuses(): number[] {
    return [...this.text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
  }

  /** All in one chunk. */
  send(requests: readonly string[]): void {
    this.socket.write(requests.join(''));
  }
}

const get = (path: string, token?: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${token === undefined ? '' : `X-Auth-Token: ${token}\r\n`}\r\n`;

const put = (path: string, token: string, body: object): string => {
  const json = JSON.stringify(body);
  return `PUT ${path} HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: ${token}\r\nContent-Length: ${json.length}\r\n\r\n${json}`;
};

const times = (count: number, request: string): string[] => new Array<string>(count).fill(request);
const SELF = `${BASE}/tokens/self`;

const test = suite<Context>('turns of HTTP');

test.before.each((context) => {
  context.loop = new TestLoop();
  context.clients = [];
  context.start = async (limits = {}, workPerSecond = 1e9) => {
    const shares = new Shares({ turnWork: TURN_WORK, workPerSecond }, context.loop);
    context.rest = await startTestRest({ shares, ...limits });
    return context.rest;
  };
  context.client = async () => {
    const socket = connect(context.rest.port, '127.0.0.1');
    await once(socket, 'connect');
    const client = new Client(socket);
    context.clients.push(client);
    return client;
  };
});
test.after.each(async ({ clients, rest }) => {
  for (const { socket } of clients) socket.destroy();
  await rest.close();
});

/** A first answer, however many turns it takes. A connection that shows a token ends the turn of its address. */
async function meet(loop: TestLoop, client: Client, token: string): Promise<void> {
  client.send([get(SELF, token)]);
  await until(() => {
    loop.turn();
    return client.statuses.length === 1;
  });
  for (let n = 0; n < 10; n += 1) loop.turn();
}

/** One client asks again and again, and each answer comes before the next request. */
async function askInTurn(client: Client, request: string, count: number): Promise<void> {
  for (let n = client.statuses.length + 1; n <= count; n += 1) {
    client.send([request]);
    await until(() => client.statuses.length === n);
  }
}

test('requests that come together begin in the turns of their token, and another token is served meanwhile', async ({
  loop,
  start,
  client,
}) => {
  const rest = await start();
  const [greedy, modest] = [await client(), await client()];
  const other = await rest.newToken('reader');
  await meet(loop, modest, other);
  greedy.send(times(MANY, get(SELF, await rest.newToken('reader'))));
  let before = 0;
  for (let turn = 0; turn < 3; turn += 1) {
    await until(() => greedy.statuses.length > before);
    await askInTurn(modest, get(SELF, other), modest.statuses.length + 3);
    const answered = greedy.statuses.length;
    assert.ok(answered > before && answered < MANY, `${before} ${answered}`);
    await askInTurn(modest, get(SELF, other), modest.statuses.length + 2);
    assert.is(greedy.statuses.length, answered);
    before = answered;
    // The heads of those that wait were work too.
    for (let n = 0; n < 10; n += 1) loop.turn();
  }
  await until(() => {
    loop.turn();
    return greedy.statuses.length === MANY;
  });
  assert.equal(new Set([...greedy.statuses, ...modest.statuses]), new Set([200]));
});

test('the connections of one token are not read while another one has used up its turn', async ({
  loop,
  start,
  client,
}) => {
  const rest = await start();
  const token = await rest.newToken('reader');
  const [one, two, another] = [await client(), await client(), await client()];
  await meet(loop, one, token);
  await meet(loop, two, token);
  const other = await rest.newToken('reader');
  await meet(loop, another, other);
  one.send(times(MANY, get(SELF, token)));
  await until(() => one.statuses.length > 1);
  two.send([get(SELF, token)]);
  await askInTurn(another, get(SELF, other), 4);
  assert.is(two.statuses.length, 1);
  await until(() => {
    loop.turn();
    return two.statuses.length === 2;
  });
});

test('a client without a token uses up the turn of its address, and not that of a token', async ({
  loop,
  start,
  client,
}) => {
  const rest = await start();
  const token = await rest.newToken('reader');
  const [known, stranger] = [await client(), await client()];
  await meet(loop, known, token);
  stranger.send([...times(MANY, get('/nowhere')), ...times(MANY, get(SELF)), get('/healthz')]);
  await until(() => stranger.statuses.length > 0);
  const late = await client();
  late.send([get('/healthz')]);
  await askInTurn(known, get(SELF, token), 4);
  assert.ok(stranger.statuses.length < MANY);
  assert.is(late.statuses.length, 0);
  await until(() => {
    loop.turn();
    return stranger.statuses.length === 2 * MANY + 1 && late.statuses.length === 1;
  });
  assert.equal(stranger.statuses, [...new Array(MANY).fill(404), ...new Array(MANY).fill(401), 200]);
});

test('a token that asks too much is slowed over a longer time, and never refused', async ({
  loop,
  start,
  client,
}) => {
  const rest = await start({}, 1000);
  const greedy = await client();
  greedy.send(times(MANY, get(SELF, await rest.newToken('reader'))));
  await until(() => greedy.statuses.length > 0);
  await until(() => {
    loop.turn(1);
    return greedy.statuses.length === MANY;
  });
  assert.ok(loop.time > ((MANY * WORK.httpRequest) / 1000 - 1) * 1000, `${loop.time}`);
  assert.equal(new Set(greedy.statuses), new Set([200]));
});

test('a request begins when the one before is answered', async ({ loop, start, client }) => {
  const rest = await start();
  const { id } = await rest.newDevice();
  const documents = `${BASE}/twins/${id}/documents`;
  const [waiting, other] = [await client(), await client()];
  await meet(loop, waiting, rest.token);
  await meet(loop, other, rest.token);
  const desired = put(`${documents}/desired?wait=30`, rest.token, { data: { n: 1 } });
  waiting.send([desired, put(`${documents}/second`, rest.token, { data: {} })]);
  await until(() => rest.storage.stored(`twins/${id.slice(0, 2)}/${id}`).has('desired') === true);
  await askInTurn(other, get(`${documents}/second`, rest.token), 2);
  assert.equal([other.statuses, waiting.statuses], [[200, 404], [200]]);
  rest.twins.put(id, 'current', { version: 0, data: { n: 1 } }, () => undefined);
  await until(() => waiting.statuses.length === 3);
  assert.equal(waiting.statuses, [200, 200, 200]);
});

test('of requests that wait, one too many of a token is refused, and its connection ends', async ({
  loop,
  start,
  client,
}) => {
  const rest = await start({ parkedRequests: 3 });
  const greedy = await client();
  greedy.send(times(20, get(SELF, await rest.newToken('reader'))));
  await until(() => {
    loop.turn();
    return greedy.isClosed;
  });
  const served = greedy.statuses.length - 1;
  assert.equal(greedy.statuses, [...new Array(served).fill(200), 429]);
  assert.ok(served >= 4 && served < 20, `${served}`);
  assert.match(greedy.text, 'Retry-After: 1\r\n');
  assert.match(greedy.text, 'too many requests wait for their turn');
});

test('parked requests of a connection that is gone are dropped', async ({ loop, start, client }) => {
  const rest = await start({ parkedRequests: 12 });
  const token = await rest.newToken('app');
  const { id } = await rest.newDevice();
  const write = put(`${BASE}/twins/${id}/documents/d`, token, { data: {} });
  for (let round = 0; round < 4; round += 1) {
    const greedy = await client();
    greedy.send(times(12, write));
    await until(() => {
      if (greedy.statuses.length === 0) loop.turn();
      return greedy.statuses.length > 0;
    });
    greedy.socket.destroy();
    loop.turn();
  }
  const last = await client();
  last.send(times(12, write));
  await until(() => {
    loop.turn();
    return last.statuses.length === 12;
  });
  assert.equal(new Set(last.statuses), new Set([200]));
});

test('while the clients of a token have too much to read, its further requests wait, and no other ones', async ({
  loop,
  start,
  client,
}) => {
  const rest = await start({ unreadBytes: 1 });
  const token = await rest.newToken('app');
  const other = await rest.newToken('app');
  const { id } = await rest.newDevice();
  const large = `${BASE}/twins/${id}/documents/large`;
  rest.twins.put(id, 'large', { version: 0, data: { text: 'x'.repeat(60_000) } }, () => undefined);
  const [unread, same, another] = [await client(), await client(), await client()];
  await meet(loop, same, token);
  await meet(loop, another, other);
  unread.socket.pause();
  const turning = setInterval(() => loop.turn(), 1);
  try {
    unread.send(times(400, get(large, token)));
    await until(async () => {
      const before = same.statuses.length;
      same.send([get(SELF, token)]);
      await askInTurn(another, get(SELF, other), another.statuses.length + 3);
      return same.statuses.length === before;
    });
    unread.socket.destroy();
    const sent = same.statuses.length + 1;
    await until(() => same.statuses.length === sent);
  } finally {
    clearInterval(turning);
  }
});

/** A connection to a server that writes more than the system buffers, and a client that reads nothing by itself. */
async function unreadConnection(): Promise<{ client: Socket; socket: Socket; close(): void }> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as { port: number }).port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  client.on('error', () => undefined);
  for (let piece = 0; piece < 256; piece += 1) socket.write(Buffer.alloc(64 * 1024));
  const close = () => {
    client.destroy();
    socket.destroy();
    server.close();
  };
  return { client, socket, close };
}

test('a client that does not read its answers, or a byte now and then, is cut off', async ({ start }) => {
  await start();
  const unread = new UnreadAnswers();
  const { client, socket, close } = await unreadConnection();
  try {
    unread.watch(socket);
    unread.look(0);
    await until(() => client.readableLength > 0 || client.read(1) !== null);
    unread.look(UNREAD_MS - 1);
    assert.is(socket.destroyed, false);
    unread.look(UNREAD_MS);
    assert.is(socket.destroyed, true);
  } finally {
    unread.close();
    close();
  }
});

test('a client that reads slowly, but fast enough, gets everything', async ({ start }) => {
  await start();
  const unread = new UnreadAnswers();
  const { client, socket, close } = await unreadConnection();
  let read = 0;
  client.on('data', (chunk) => {
    read += chunk.length;
    client.pause();
  });
  try {
    unread.watch(socket);
    let now = 0;
    for (unread.look(now); socket.writableLength > 0; unread.look(now)) {
      const left = socket.writableLength;
      const enough = (LEAST_BYTES_PER_SECOND * UNREAD_MS) / 1000;
      await until(() => {
        client.resume();
        return socket.writableLength <= Math.max(0, left - enough);
      });
      now += UNREAD_MS;
    }
    assert.is(socket.destroyed, false);
    await until(() => {
      client.resume();
      return read === 256 * 64 * 1024;
    });
  } finally {
    unread.close();
    close();
  }
});

test.run();
