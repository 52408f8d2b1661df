/** Strange names, strange pages and listed ones, at the door of every address. */

import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../../until.js';
import { BASE, bodyOf, startTestRest, statusOf, type TestRest } from './rest.js';

const LISTED = 'https://phone.example';
const test = suite<{ rest: TestRest }>('the gate');

test.before.each(async (context) => {
  context.rest = await startTestRest({ origins: [LISTED] });
});
test.after.each(({ rest }) => rest.close());

const PATHS = [`${BASE}/devices`, '/metrics', '/nowhere', `${BASE}/twins`];

const request = (path: string, headers: string[], method = 'GET'): string =>
  [`${method} ${path} HTTP/1.1`, ...headers, 'Connection: close', '', ''].join('\r\n');

test('a name that a stranger leads here is refused at every address, with the right token too', async ({
  rest,
}) => {
  for (const path of PATHS) {
    for (const host of ['evil.example', `evil.example:${rest.port}`, '']) {
      const answer = await rest.raw(request(path, [`Host: ${host}`, `X-Auth-Token: ${rest.token}`]));
      assert.is(statusOf(answer), 421, `${host} ${path}`);
      assert.is(bodyOf(answer).details[0].argument_name, 'Host');
      assert.match(bodyOf(answer).details[0].help_message, 'TWIN_NAMES');
    }
  }
});

test('a request that names no host at all is refused', async ({ rest }) => {
  assert.is(statusOf(await rest.raw(`GET /metrics HTTP/1.0\r\n\r\n`)), 421);
  assert.is(statusOf(await rest.raw(request('/metrics', []))), 400);
});

test('the health of the server is answered to any host name and any page', async ({ rest }) => {
  for (const headers of [['Host: 172.17.0.2'], ['Host: '], ['Host: localhost', 'Origin: null']]) {
    assert.is(statusOf(await rest.raw(request('/healthz', headers))), 200);
  }
});

test('a public file is for every page, but not by every name', async ({ rest }) => {
  assert.is(statusOf(await rest.raw(request('/', ['Host: localhost', 'Origin: https://evil.example']))), 200);
  assert.is(statusOf(await rest.raw(request('/', ['Host: evil.example']))), 421);
});

test('a good name on a connection does not open it for a strange one', async ({ rest }) => {
  const answers = await rest.raw(
    [
      'GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n',
      'GET /nowhere HTTP/1.1\r\nHost: evil.example\r\n\r\n',
      'GET /nowhere HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n\r\n',
      'GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    ].join(''),
  );
  const statuses = [...answers.matchAll(/HTTP\/1.1 (\d+)/g)].map(([, status]) => status);
  assert.equal(statuses, ['404', '421', '403', '404']);
});

test('a page of a stranger gets no answer, and no leave to read the refusal', async ({ rest }) => {
  for (const path of PATHS) {
    for (const origin of [
      'https://evil.example',
      'null',
      'http://localhost',
      `http://localhost:${rest.port + 1}`,
    ]) {
      const headers = [`Host: localhost:${rest.port}`, `Origin: ${origin}`, `X-Auth-Token: ${rest.token}`];
      const answer = await rest.raw(request(path, headers));
      assert.is(statusOf(answer), 403, `${origin} ${path}`);
      assert.is(bodyOf(answer).details[0].argument_name, 'Origin');
      assert.not.match(answer, /access-control/i);
    }
  }
});

test('a write of a stranger changes nothing', async ({ rest }) => {
  const { id } = await rest.newDevice();
  const headers = { Origin: 'https://evil.example', 'Content-Type': 'text/plain' };
  const path = `/twins/${id}/documents/desired`;
  assert.is((await rest.ask('PUT', path, { headers, body: { data: {} } })).status, 403);
  assert.is((await rest.ask('GET', path)).status, 404);
});

test("the server's own pages ask as who is no browser does", async ({ rest }) => {
  const answer = await rest.ask('GET', '/devices', { headers: { Origin: rest.url } });
  assert.is(answer.status, 200);
  assert.is(answer.headers.get('access-control-allow-origin'), null);
});

test('the answer to a page of a listed origin names the origin', async ({ rest }) => {
  for (const token of [rest.token, null]) {
    const answer = await rest.ask('GET', '/devices', { token, headers: { Origin: LISTED } });
    assert.is(answer.status, token === null ? 401 : 200);
    assert.is(answer.headers.get('access-control-allow-origin'), LISTED);
    assert.is(answer.headers.get('access-control-allow-credentials'), null);
    assert.match(answer.headers.get('vary') ?? '', 'Origin');
    assert.match(answer.headers.get('access-control-expose-headers') ?? '', 'ETag');
  }
});

test('the preflight answer to a listed origin says what it may send', async ({ rest }) => {
  const headers = {
    Origin: LISTED,
    'Access-Control-Request-Method': 'PUT',
    'Access-Control-Request-Headers': 'x-auth-token',
  };
  const answer = await rest.ask('OPTIONS', '/twins/x/documents/y', { token: null, headers });
  assert.is(answer.status, 204);
  assert.is(answer.headers.get('access-control-allow-origin'), LISTED);
  assert.match(answer.headers.get('access-control-allow-methods') ?? '', 'PUT');
  assert.match(answer.headers.get('access-control-allow-headers') ?? '', 'X-Auth-Token');
  const strange = await rest.ask('OPTIONS', '/devices', {
    token: null,
    headers: { ...headers, Origin: 'https://evil.example' },
  });
  assert.is(strange.status, 403);
  assert.is(strange.headers.get('access-control-allow-methods'), null);
});

test('no answer ever lets every origin in', async ({ rest }) => {
  for (const origin of [LISTED, rest.url, 'https://evil.example', '*']) {
    for (const method of ['GET', 'OPTIONS', 'DELETE']) {
      const { headers } = await rest.ask(method, '/devices', { headers: { Origin: origin } });
      assert.is.not(headers.get('access-control-allow-origin'), '*');
    }
  }
});

test('strange names and origins are lines of the audit, with their source and not their text', async ({
  rest,
}) => {
  rest.log.length = 0;
  await rest.raw(request('/metrics', ['Host: evil.example']));
  await rest.ask('GET', '/devices', { headers: { Origin: 'https://evil.example' } });
  assert.equal(
    rest.log.map(({ audit, source }) => [audit, source]),
    [
      ['host_refused', '127.0.0.1'],
      ['origin_refused', '127.0.0.1'],
    ],
  );
  assert.not.match(JSON.stringify(rest.log), 'evil');
});

test('behind a trusted proxy each client is a source of its own', async () => {
  const limits = { proxies: [{ address: '127.0.0.1', prefix: 32 }], authFailuresPerMinute: 2 };
  const rest = await startTestRest(limits);
  const by = (client: string, token: string) =>
    rest.ask('GET', '/devices', { token, headers: { 'X-Forwarded-For': client } });
  for (let n = 0; n < 2; n += 1) assert.is((await by('198.51.100.1', randomUUID())).status, 401);
  assert.is((await by('198.51.100.1', rest.token)).status, 429);
  assert.is((await by('198.51.100.2', rest.token)).status, 200);
  assert.is(
    (await by('198.51.100.1', rest.token)).status,
    429,
    'also on a connection that was good for another',
  );
  const sources = rest.log
    .filter(({ audit }) => audit === 'authentication_refused')
    .map(({ source }) => source);
  assert.equal(sources, ['198.51.100.1', '198.51.100.1']);
  await rest.close();
});

test('a client that comes without a proxy does not choose its source', async () => {
  const rest = await startTestRest({ authFailuresPerMinute: 2 });
  const by = (client: string, token: string) =>
    rest.ask('GET', '/devices', { token, headers: { 'X-Forwarded-For': client } });
  for (let n = 0; n < 2; n += 1) await by(`198.51.100.${n}`, randomUUID());
  assert.is((await by('198.51.100.9', await rest.newToken('app'))).status, 429);
  await rest.close();
});

test('a proxy may open more connections than one source may', async () => {
  const limits = { connectionsPerSource: 2, connections: 5 };
  for (const [proxies, open] of [
    [[], 2],
    [[{ address: '127.0.0.0', prefix: 8 }], 5],
  ] as const) {
    const rest = await startTestRest({ ...limits, proxies });
    const sockets = Array.from({ length: 8 }, () =>
      connect(rest.port, '127.0.0.1').on('error', () => undefined),
    );
    await until(() => sockets.filter(({ closed }) => closed).length === 8 - open);
    for (const socket of sockets) socket.destroy();
    await rest.close();
  }
});

test.run();
