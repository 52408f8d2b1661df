/** Strange names, strange pages and listed ones, at the door of every address. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BASE, bodyOf, startTestRest, statusOf, type TestRest } from './rest.js';

const LISTED = 'https://phone.example';
const test = suite<{ rest: TestRest }>('the gate');

test.before.each(async (context) => {
  context.rest = await startTestRest({ origins: [LISTED] });
});
test.after.each(({ rest }) => rest.close());

const PATHS = [`${BASE}/devices`, '/healthz', '/', '/nowhere', `${BASE}/twins`];

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
  assert.is(statusOf(await rest.raw(`GET /healthz HTTP/1.0\r\n\r\n`)), 421);
  assert.is(statusOf(await rest.raw(request('/healthz', []))), 400);
});

test('a good name on a connection does not open it for a strange one', async ({ rest }) => {
  const answers = await rest.raw(
    [
      'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n',
      'GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n',
      'GET /healthz HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n\r\n',
      'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    ].join(''),
  );
  const statuses = [...answers.matchAll(/HTTP\/1.1 (\d+)/g)].map(([, status]) => status);
  assert.equal(statuses, ['200', '421', '403', '200']);
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

test('a page of a listed origin is told by name that it may read', async ({ rest }) => {
  for (const token of [rest.token, null]) {
    const answer = await rest.ask('GET', '/devices', { token, headers: { Origin: LISTED } });
    assert.is(answer.status, token === null ? 401 : 200);
    assert.is(answer.headers.get('access-control-allow-origin'), LISTED);
    assert.is(answer.headers.get('access-control-allow-credentials'), null);
    assert.match(answer.headers.get('vary') ?? '', 'Origin');
    assert.match(answer.headers.get('access-control-expose-headers') ?? '', 'ETag');
  }
});

test('a listed origin is told before it asks what it may send', async ({ rest }) => {
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
  await rest.raw(request('/healthz', ['Host: evil.example']));
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

test.run();
