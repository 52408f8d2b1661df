/** Connections that are too many, too slow, or speak too much before they ask; and what no answer says. */

import { once } from 'node:events';
import { IncomingMessage, ServerResponse } from 'node:http';
import { connect, Socket } from 'node:net';
import { pino } from 'pino';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConnectionLimit } from '../../../server/access/connection-limit.js';
import { FailedAttempts } from '../../../server/access/failures.js';
import { OriginPolicy } from '../../../server/access/origin-policy.js';
import { Proxies } from '../../../server/access/proxies.js';
import { Shares } from '../../../server/access/shares.js';
import { listen } from '../../../server/listen.js';
import { HttpConnections } from '../../../server/rest/connection.js';
import { createHttpServer, withStrictTransport } from '../../../server/rest/http-server.js';
import { REST_LIMITS } from '../../../server/rest/limits.js';
import { UnreadAnswers } from '../../../server/rest/unread.js';
import { until } from '../../until.js';
import { BASE, bodyOf, startTestRest, statusOf, type TestRest } from './rest.js';

const test = suite<{ rest: TestRest }>('limits of HTTP');

const KIB = 1024;
const LIMITS = {
  connections: 8,
  connectionsPerSource: 6,
  headers: 20,
  headersBytes: 8 * KIB,
  headersMs: 700,
  requestMs: 1500,
  keepAliveMs: 600,
  idleMs: 2000,
};

test.before.each(async (context) => {
  context.rest = await startTestRest(LIMITS);
});
test.after.each(({ rest }) => rest.close());

const get = (headers: string[] = []): string =>
  ['GET /healthz HTTP/1.1', 'Host: localhost', ...headers, 'Connection: close', '', ''].join('\r\n');

interface Client {
  readonly socket: Socket;
  /** All that has come. */
  readonly text: () => string;
  readonly closed: Promise<void>;
  readonly isClosed: () => boolean;
}

/** @param from the address that it comes from */
function open({ port }: Pick<TestRest, 'port'>, from = '127.0.0.1'): Client {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  // A connection that is refused may be reset.
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  return { socket, text: () => text, closed, isClosed: () => socket.closed };
}

async function answered(client: Client): Promise<number> {
  client.socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await until(() => client.text().includes('}') || client.isClosed());
  return statusOf(client.text());
}

test('each source may have so many connections, and after it closes one it may open another', async ({
  rest,
}) => {
  const clients = Array.from({ length: LIMITS.connectionsPerSource }, () => open(rest));
  for (const client of clients) assert.is(await answered(client), 200);
  const more = open(rest);
  await more.closed;
  assert.is(more.text(), '');
  const other = open(rest, '127.0.0.2');
  assert.is(await answered(other), 200);
  assert.equal(
    rest.log.filter(({ audit }) => audit !== undefined).map(({ audit, source }) => [audit, source]),
    [['connection_refused', '127.0.0.1']],
  );
  clients[0]?.socket.destroy();
  await until(async () => {
    const again = open(rest);
    const status = await answered(again);
    again.socket.destroy();
    return status === 200;
  });
  for (const client of [...clients, other]) client.socket.destroy();
});

test('all sources together may have so many connections', async ({ rest }) => {
  const clients = Array.from({ length: LIMITS.connections }, (_, n) => open(rest, `127.0.0.${2 + (n % 4)}`));
  for (const client of clients) assert.is(await answered(client), 200);
  const more = open(rest, '127.0.0.9');
  await more.closed;
  assert.is(more.text(), '');
  for (const client of clients) client.socket.destroy();
});

test('more headers than there may be are refused, and as many as there may be are not', async ({ rest }) => {
  const headers = (count: number) => Array.from({ length: count }, (_, n) => `x${n}: x`);
  // Host and Connection are two.
  assert.is(statusOf(await rest.raw(get(headers(LIMITS.headers - 2)))), 200);
  for (const count of [LIMITS.headers - 1, 500]) {
    const answer = await rest.raw(get(headers(count)));
    assert.is(statusOf(answer), 431, String(count));
    assert.is(bodyOf(answer).type, 'invalid_arguments');
  }
});

test('longer headers than there may be are refused, in the address too', async ({ rest }) => {
  const long = 'x'.repeat(LIMITS.headersBytes);
  const cases = [
    get([`X-Long: ${long}`]),
    `GET /${long} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    get([`${long}: x`]),
  ];
  for (const request of cases) {
    const answer = await rest.raw(request);
    assert.is(statusOf(answer), 431);
    assert.is(bodyOf(answer).type, 'invalid_arguments');
    assert.is(bodyOf(answer).details[0].argument_name, 'headers');
  }
  assert.is(statusOf(await rest.raw(get([`X-Long: ${'x'.repeat(LIMITS.headersBytes - 200)}`]))), 200);
});

test('a connection without a request, or without the end of its headers, gets an error and is closed', async ({
  rest,
}) => {
  for (const beginning of ['', 'GET', 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ']) {
    const client = open(rest);
    client.socket.write(beginning);
    await client.closed;
    assert.is(statusOf(client.text()), 408, beginning);
    assert.is(bodyOf(client.text()).details[0].argument_name, 'request');
  }
});

test('a client that sends one byte now and then, in headers or in a body, is closed', async ({ rest }) => {
  const head = `PUT ${BASE}/twins/x/documents/d HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: ${rest.token}\r\n`;
  for (const beginning of [`${head}X-Slow: `, `${head}Content-Length: 1000\r\n\r\n`]) {
    const client = open(rest);
    client.socket.write(beginning);
    const drip = setInterval(() => client.socket.write('x'), 20);
    await client.closed;
    clearInterval(drip);
    assert.is(statusOf(client.text()), 408, beginning);
    assert.is(bodyOf(client.text()).type, 'invalid_arguments');
  }
  assert.ok(rest.log.some(({ audit, reason }) => audit === 'limit_reached' && reason?.includes('too long')));
});

test('a connection that waits for nothing is closed after a while', async ({ rest }) => {
  const client = open(rest);
  assert.is(await answered(client), 200);
  await client.closed;
  assert.is(client.text().match(/HTTP/g)?.length, 1);
});

test('a client that does not read its answers is closed in the end', async ({ rest }) => {
  const { id } = await rest.newDevice();
  const path = `/twins/${id}/documents/d`;
  await rest.ask('PUT', path, { body: { data: { text: 'x'.repeat(60 * KIB) } } });
  const client = open(rest);
  client.socket.pause();
  const request = `GET ${BASE}${path} HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: ${rest.token}\r\n\r\n`;
  client.socket.write(request.repeat(500));
  // Not even its end is seen by who does not read: the server forgets it, and serves as many others as before.
  await until(async () => {
    const others = Array.from({ length: LIMITS.connectionsPerSource }, () => open(rest));
    const statuses = await Promise.all(others.map(answered));
    for (const other of others) other.socket.destroy();
    return statuses.every((status) => status === 200);
  });
  client.socket.destroy();
});

test('bytes that are not HTTP get an error in JSON, which shows nothing of the server', async ({ rest }) => {
  const garbage = [
    'GET\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    `${get().slice(0, -2)}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
    'GET / HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token : x\r\n\r\n',
    'GET / HTTP/1.1\nHost: localhost\n X: y\n\n\0',
  ];
  for (const request of garbage) {
    const answer = await rest.raw(request);
    assert.is(statusOf(answer), 400, request);
    assert.equal(Object.keys(bodyOf(answer)), ['type', 'message', 'details']);
    assert.match(answer, 'Content-Type: application/json\r\n');
    assert.match(answer, 'X-Content-Type-Options: nosniff\r\n');
  }
});

test('a request that breaks off while its answer waits takes nothing else with it', async ({ rest }) => {
  const { id } = await rest.newDevice();
  const head = `Host: localhost\r\nX-Auth-Token: ${rest.token}\r\n`;
  const put = `PUT ${BASE}/twins/${id}/documents/d HTTP/1.1\r\n${head}Content-Length: 11\r\n\r\n{"data":{}}`;
  const answer = await rest.raw(`${put}\0\0\0`);
  assert.ok([200, 400].includes(statusOf(answer)));
  assert.is((await rest.ask('GET', `/twins/${id}/documents/d`)).body.version, 1);
});

test('what goes on after its refusal is refused once, and leaves nothing on its connection', async () => {
  const audited: string[] = [];
  const limits = { ...REST_LIMITS, ...LIMITS };
  const server = createHttpServer({
    handler: () => undefined,
    limits,
    hstsSeconds: 0,
    connections: new HttpConnections({
      tokens: {
        authenticate: () => assert.unreachable() as never,
        known: () => undefined,
        used: () => undefined,
      },
      failures: new FailedAttempts(),
      policy: new OriginPolicy({ names: [], origins: [] }),
      proxies: new Proxies([]),
      shares: new Shares(),
      limits,
    }),
    unread: new UnreadAnswers(),
    connectionLimit: new ConnectionLimit({ perSource: 1, total: 1 }),
    shares: new Shares(),
    audit: (event) => audited.push(event),
    log: pino({ level: 'silent' }),
  });
  const { port } = await listen(server, { host: '127.0.0.1', port: 0 });
  const [client, [socket]] = [open({ port }), await once(server, 'connection')];
  const tooLong = Object.assign(new Error(), { code: 'HPE_HEADER_OVERFLOW' });
  for (let piece = 0; piece < 20; piece += 1) server.emit('clientError', tooLong, socket);
  assert.ok(socket.listenerCount('finish') < 3);
  await client.closed;
  assert.is(client.text().match(/HTTP\/1.1 431/g)?.length, 1);
  assert.equal(audited, ['limit_reached']);
  server.close();
});

test('a request with bytes behind it that are no HTTP is answered once, and not logged as a fault of the server', async ({
  rest,
}) => {
  const { id } = await rest.newDevice();
  await (await fetch(`${rest.url}/`)).text();
  const paths = [`${BASE}/twins/${id}/events`, `${BASE}/devices/${id}`, '/metrics', '/', '/healthz'];
  for (const path of paths) {
    const answer = await rest.raw(
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: ${rest.token}\r\n\r\n\0\0\0`,
    );
    assert.is(answer.split('HTTP/1.1 ').length - 1, path === '/healthz' ? 2 : 1, answer);
    assert.is(statusOf(answer), path === '/healthz' ? 200 : 400, path);
  }
  assert.equal(
    rest.log.filter(({ level }) => level >= 50),
    [],
  );
});

function exchange(host: string) {
  const req = new IncomingMessage(new Socket());
  req.headers.host = host;
  return { req, res: new ServerResponse(req) };
}

test('an answer by TLS says for how many seconds a browser must use TLS', () => {
  const { req, res } = exchange('alarm.lan:8443');
  let handled = 0;
  withStrictTransport(() => {
    handled += 1;
  }, 3600)(req, res);
  assert.is(res.getHeader('strict-transport-security'), 'max-age=3600');
  assert.is(handled, 1);
});

test('the name that everything on this machine shares is bound to nothing', () => {
  for (const host of ['localhost', 'LOCALHOST:8443']) {
    const { req, res } = exchange(host);
    withStrictTransport(() => undefined, 3600)(req, res);
    assert.is(res.getHeader('strict-transport-security'), undefined);
  }
});

test('0 seconds say nothing', () => {
  const { req, res } = exchange('alarm.lan');
  withStrictTransport(() => undefined, 0)(req, res);
  assert.is(res.getHeader('strict-transport-security'), undefined);
});

test.run();
