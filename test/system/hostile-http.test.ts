/** Clients of the real server's REST interface that mean no good, with TLS and without, beside one that is honest. */

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connectPacket, RawClient } from '../server/mqtt/raw-client.js';
import { TCP } from '../server/mqtt/transports.js';
import { bodyOf, statusOf } from '../server/rest/rest.js';
import { residentBytes } from './process.js';
import { createDevice, type Server, startServer } from './server.js';

const MIB = 1024 * 1024;
const BASE = '/iot/v1/regions/fr-par';
const LIMITS = { rest: { headersMs: 2000, requestMs: 4000 } };

interface Context {
  server: Server;
  id: string;
  /** Asks without a pause; ends with how often it was answered. */
  stopAsking: () => Promise<number>;
}

const test = suite<Context>('hostile HTTP');

test.before(async (context) => {
  // A directory of its own, in which no other program makes anything.
  const around = mkdtempSync(join(tmpdir(), 'twin-hostile-'));
  const server = await startServer({ limits: LIMITS, data: join(around, 'data') });
  context.server = server;
  context.id = (await createDevice(server, 'victim')).id;
  context.stopAsking = startAsking(server, (await createDevice(server, 'honest')).id);
});
test.after(async ({ server, stopAsking }) => {
  assert.ok((await stopAsking()) > 0);
  assert.equal(await server.stop(), { code: 0, signal: null });
  rmSync(dirname(server.data), { recursive: true });
});

function startAsking(server: Server, id: string): () => Promise<number> {
  let going = true;
  const asking = (async () => {
    let version = 0;
    while (going) {
      const body = JSON.stringify({ data: { n: version } });
      const response = await server.api(`/twins/${id}/documents/desired`, { method: 'PUT', body });
      assert.is(((await response.json()) as { version: number }).version, version + 1);
      version += 1;
    }
    return version;
  })();
  return () => {
    going = false;
    return asking;
  };
}

interface Way {
  readonly name: string;
  open(server: Server, from?: string): Promise<Socket>;
}

const portOf = (url: string): number => Number(new URL(url).port);

const WAYS: readonly [Way, Way] = [
  {
    name: 'plain',
    open: (server, localAddress = '127.0.0.1') =>
      new Promise((resolve, reject) => {
        const socket = connect({ port: portOf(server.http), host: '127.0.0.1', localAddress }, () =>
          resolve(socket),
        );
        socket.once('error', reject);
      }),
  },
  {
    name: 'TLS',
    open: async (server, localAddress = '127.0.0.1') => {
      const plain = connect({ port: portOf(server.https), host: '127.0.0.1', localAddress });
      return new Promise((resolve, reject) => {
        const socket = connectTls({ socket: plain, rejectUnauthorized: false }, () => resolve(socket));
        socket.once('error', reject);
      });
    },
  },
];

/** Asks one after the other on one connection, and resolves with the statuses of the answers. */
async function askInTurn(socket: Socket, requests: string[]): Promise<number[]> {
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  const statuses: number[] = [];
  for (const request of requests) {
    socket.write(request);
    while (!text.endsWith('}')) await once(socket, 'data');
    statuses.push(statusOf(text));
    text = '';
  }
  socket.destroy();
  return statuses;
}

/** Writes the parts, as the server takes them, and resolves with all that came back when it closes. */
async function exchange(socket: Socket, ...parts: (string | Buffer)[]): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  // A client that is refused before its request is complete may be cut off.
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  for (const part of parts) {
    if (!socket.write(part)) await Promise.race([once(socket, 'drain').catch(() => closed), closed]);
  }
  await closed;
  return Buffer.concat(chunks).toString();
}

interface Request {
  method?: string;
  target: string | Buffer;
  host?: string;
  headers?: string[];
  token?: string;
  body?: string | Buffer;
}

function bytesOf(
  { token }: Server,
  { method = 'GET', target, headers = [], body = '', ...rest }: Request,
): Buffer {
  const lines = [
    ` HTTP/1.1`,
    `Host: ${rest.host ?? 'localhost'}`,
    `X-Auth-Token: ${rest.token ?? token}`,
    'Connection: close',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers,
    '',
    '',
  ];
  return Buffer.concat([
    Buffer.from(`${method} `),
    Buffer.from(target),
    Buffer.from(lines.join('\r\n')),
    Buffer.from(body),
  ]);
}

const NAMES: (string | Buffer)[] = [
  ...[
    '..',
    '.',
    '%2e%2e%2f',
    '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
    '__proto__',
    'x'.repeat(300),
    '%ff',
    '%ED%A0%80',
  ],
  Buffer.from([0xff, 0xfe]),
  Buffer.from('\u00e4', 'latin1'),
];

const DEEP = 100_000;

const BODIES: Record<string, { body: string; status: number }> = {
  'objects in objects, 100,000 deep': {
    body: `{"data":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`,
    status: 400,
  },
  'lists in lists, 100,000 deep': {
    body: `{"data":{"a":${'['.repeat(DEEP / 2)}${']'.repeat(DEEP / 2)}}}`,
    status: 400,
  },
  'more than that, and too long': {
    body: `{"data":${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}}`,
    status: 413,
  },
  'lists that never end': { body: '['.repeat(DEEP), status: 400 },
  'a prototype': { body: '{"data":{"__proto__":{"polluted":true}}}', status: 400 },
  'a prototype within': { body: '{"data":{"a":[{"__proto__":{"polluted":true}}]}}', status: 400 },
  'an integer that would be rounded': { body: '{"data":{"n":9007199254740993}}', status: 400 },
  'a version that would be rounded': { body: '{"version":9007199254740993,"data":{}}', status: 400 },
  'a number without end': { body: '{"data":{"n":1e400}}', status: 400 },
  'a negative one': { body: '{"data":{"n":-1e400}}', status: 400 },
  'a list': { body: '[]', status: 400 },
  nothing: { body: '', status: 400 },
};

for (const way of WAYS) {
  const ask = async (server: Server, request: Request, from?: string): Promise<string> =>
    exchange(await way.open(server, from), bytesOf(server, request));

  test(`names that lead elsewhere are refused, and nothing is written outside the data (${way.name})`, async ({
    server,
    id,
  }) => {
    for (const name of NAMES) {
      const target = Buffer.concat([Buffer.from(`${BASE}/twins/${id}/documents/`), Buffer.from(name)]);
      const answer = await ask(server, { method: 'PUT', target, body: '{"data":{}}' });
      assert.is(statusOf(answer), 400, String(name));
      assert.is(bodyOf(answer).type, 'invalid_arguments');
    }
    for (const target of ['/../../etc/passwd', '/..%2f..%2fetc/passwd', `${BASE}/../../..`, '//etc/passwd']) {
      assert.is(statusOf(await ask(server, { target })), 404, target);
    }
    assert.equal(readdirSync(dirname(server.data)), ['data']);
    const { documents } = (await (await server.api(`/twins/${id}`)).json()) as { documents: unknown[] };
    assert.equal(documents, []);
  });

  for (const [what, { body, status }] of Object.entries(BODIES)) {
    test(`a body of ${what} is refused (${way.name})`, async ({ server, id }) => {
      for (const method of ['PUT', 'PATCH']) {
        const answer = await ask(server, { method, target: `${BASE}/twins/${id}/documents/desired`, body });
        assert.is(statusOf(answer), status);
        assert.is(bodyOf(answer).type, 'invalid_arguments');
      }
      assert.is((await server.api(`/twins/${id}/documents/desired`)).status, 404);
    });
  }

  test(`50 MB are refused, with a length and without, and are not kept (${way.name})`, async ({
    server,
    id,
  }) => {
    const target = `${BASE}/twins/${id}/documents/desired`;
    const part = Buffer.alloc(MIB, 'x');
    const parts = Array.from({ length: 50 }, () => part);
    const head = (how: string) =>
      `PUT ${target} HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: ${server.token}\r\nConnection: close\r\n${how}\r\n\r\n`;
    const chunk = Buffer.concat([Buffer.from(`${MIB.toString(16)}\r\n`), part, Buffer.from('\r\n')]);
    const floods = [
      [head(`Content-Length: ${50 * MIB}`), ...parts],
      [head('Transfer-Encoding: chunked'), ...parts.map(() => chunk), '0\r\n\r\n'],
    ];
    for (const flood of floods) assert.is(statusOf(await exchange(await way.open(server), ...flood)), 413);
    const before = residentBytes(server.pid);
    for (const flood of floods) assert.is(statusOf(await exchange(await way.open(server), ...flood)), 413);
    assert.ok(residentBytes(server.pid) - before < 40 * MIB);
  });

  test(`a hostile Host or Origin is refused with the right token, and no page learns more (${way.name})`, async ({
    server,
  }) => {
    const target = `${BASE}/devices`;
    for (const host of ['evil.example', '127.0.0.1.evil.example', 'localhost.evil.example:8080']) {
      assert.is(statusOf(await ask(server, { target, host })), 421, host);
    }
    for (const origin of [
      'https://evil.example',
      'null',
      'http://localhost.evil.example',
      'https://localhost',
    ]) {
      const answer = await ask(server, { target, headers: [`Origin: ${origin}`], host: 'localhost:1' });
      assert.is(statusOf(answer), 403, origin);
      assert.not.match(answer, /access-control/i);
    }
  });

  test(`an upgrade to another protocol is declined, and the request answered (${way.name})`, async ({
    server,
  }) => {
    const headers = [
      'Upgrade: h2c',
      'Connection: Upgrade, HTTP2-Settings',
      'HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA',
    ];
    const lines = ['GET /healthz HTTP/1.1', 'Host: localhost', ...headers, '', ''].join('\r\n');
    const end = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
    assert.is((await exchange(await way.open(server), lines + end)).match(/HTTP\/1.1 200/g)?.length, 2);
  });

  test(`no answer tells what serves it (${way.name})`, async ({ server, id }) => {
    const answers = [
      await ask(server, { target: '/healthz' }),
      await ask(server, { target: '/' }),
      await ask(server, { target: `${BASE}/twins/${id}` }),
      await ask(server, { target: '/nowhere' }),
      await ask(server, { target: '/', host: 'evil.example' }),
      await exchange(await way.open(server), 'nonsense\r\n\r\n'),
      await exchange(await way.open(server), `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n\r\n`),
    ];
    for (const answer of answers) {
      const head = answer.slice(0, answer.indexOf('\r\n\r\n'));
      assert.match(head, /^X-Content-Type-Options: nosniff$/m);
      assert.match(head, /^Referrer-Policy: no-referrer$/m);
      assert.not.match(head, /^(server|x-powered-by|via):|node|polka|\/\d+\.\d+\.\d+/im);
      if (!head.includes('text/html')) assert.not.match(answer, /\.ts\b|\.js\b|node_modules|at .+:\d+:\d+/);
    }
  });

  test(`1,000 wrong tokens are limited after 10, and the right one from elsewhere works (${way.name})`, async ({
    server,
  }) => {
    const [from, elsewhere] = [`127.0.1.${1 + WAYS.indexOf(way)}`, '127.0.0.2'];
    const target = `${BASE}/devices`;
    const guess = `GET ${target} HTTP/1.1\r\nHost: localhost\r\n`;
    const guesses = Array.from({ length: 1000 }, () => `${guess}X-Auth-Token: ${randomUUID()}\r\n\r\n`);
    const right = `${guess}X-Auth-Token: ${server.token}\r\n\r\n`;
    const statuses = await askInTurn(await way.open(server, from), [...guesses, right]);
    assert.equal(statuses.slice(0, 10), new Array(10).fill(401));
    assert.equal(statuses.slice(10), new Array(991).fill(429));
    assert.is(statusOf(await ask(server, { target }, elsewhere)), 200);
  });

  test(`500 that never come to an end are all closed, and one that is honest is served (${way.name})`, async ({
    server,
  }) => {
    const from = `127.0.2.${1 + WAYS.indexOf(way)}`;
    const beginnings = [
      '',
      'GET / HT',
      'GET / HTTP/1.1\r\nHost: localhost\r\nX: ',
      `GET / HTTP/1.1\r\nHost: local`,
    ];
    const clients = await Promise.all(Array.from({ length: 500 }, () => way.open(server, from)));
    const ends = clients.map((client, n) => exchange(client, beginnings[n % beginnings.length] ?? ''));
    assert.is(statusOf(await ask(server, { target: `${BASE}/devices` }, from)), 200);
    for (const answer of await Promise.all(ends)) assert.is(statusOf(answer), 408);
  });
}

test('wrong passwords over MQTT and wrong tokens over REST count together', async ({ server, id }) => {
  const [plain] = WAYS;
  const from = '127.0.3.1';
  const ports = { tcp: portOf(server.mqtt), tls: portOf(server.mqtts), http: portOf(server.http) };
  const ask = async (token: string) =>
    statusOf(
      await exchange(await plain.open(server, from), bytesOf(server, { target: `${BASE}/devices`, token })),
    );
  for (let n = 0; n < 5; n += 1) {
    const client = await RawClient.open({ ports }, TCP, from);
    client.send(connectPacket({ id, password: `guess ${n}` }));
    assert.is((await client.next('connack')).returnCode, 4);
    assert.is(await ask(randomUUID()), 401);
  }
  assert.is(await ask(server.token), 429);
  const client = await RawClient.open({ ports }, TCP, from);
  client.send(connectPacket({ id, password: 'guess' }));
  assert.is((await client.next('connack')).returnCode, 3);
});

test('nothing of all that has reached a prototype, and the process is the same', async ({ server }) => {
  const response = await server.api('/devices?page_size=1');
  const { devices } = (await response.json()) as { devices: object[] };
  assert.not.ok('polluted' in {});
  assert.is((devices[0] as { polluted?: unknown }).polluted, undefined);
  assert.is(server.program.lines.filter((line) => line.includes('"level":60')).length, 0);
});

test.run();
