/** What RFC 9110 and RFC 9112 ask of a server, with the bytes as they are on the wire. */

import { once } from 'node:events';
import { connect, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LIMITS } from '../../../shared/document.js';
import { BASE, bodyOf, startTestRest, statusOf, type TestRest } from './rest.js';

const test = suite<{ rest: TestRest; path: string }>('HTTP');

test.before.each(async (context) => {
  context.rest = await startTestRest({ names: ['localhost', 'alarm_twin'] });
  context.path = `/twins/${(await context.rest.newDevice()).id}/documents/d`;
});
test.after.each(({ rest }) => rest.close());

const head = (line: string, ...headers: string[]): string =>
  [`${line} HTTP/1.1`, ...headers, 'Connection: close', '', ''].join('\r\n');

test('a target with a host is served, and that host counts [RFC 9112, 3.2.2]', async ({ rest }) => {
  const token = `X-Auth-Token: ${rest.token}`;
  const get = (target: string, host: string) => rest.raw(head(`GET ${target}`, `Host: ${host}`, token));
  for (const host of ['localhost', 'LOCALHOST:1234', 'alarm_twin']) {
    const answer = await get(`http://${host}${BASE}/devices?page=1`, 'evil.example');
    assert.is(statusOf(answer), 200, host);
    assert.is(bodyOf(answer).total_count, 1);
  }
  assert.is(statusOf(await get('http://localhost', 'localhost')), 200, 'the path may be empty');
  assert.is(statusOf(await get('http://localhost?x', 'localhost')), 200);
  assert.is(statusOf(await get(`http://evil.example${BASE}/devices`, 'localhost')), 421);
  assert.is(statusOf(await get(`http://localhost@evil.example${BASE}/devices`, 'localhost')), 421);
  assert.is(statusOf(await get(`ftp://localhost${BASE}/devices`, 'localhost')), 404);
});

test('two Host lines are refused, whatever they say [RFC 9112, 3.2]', async ({ rest }) => {
  for (const path of ['/', '/healthz', '/nowhere', `${BASE}/devices`]) {
    for (const hosts of [
      ['Host: localhost', 'Host: localhost'],
      ['host: localhost', 'HOST: evil.example'],
    ]) {
      const answer = await rest.raw(head(`GET ${path}`, ...hosts));
      assert.is(statusOf(answer), 400, path);
      assert.is(bodyOf(answer).details[0].argument_name, 'Host');
    }
  }
});

test('a request of HTTP/1.1 without a Host line is refused, in JSON as everything [RFC 9112, 3.2]', async ({
  rest,
  path,
}) => {
  const token = `X-Auth-Token: ${rest.token}`;
  for (const target of ['/healthz', '/nowhere', BASE + path, `http://localhost${BASE}${path}`]) {
    const answer = await rest.raw(head(`GET ${target}`, token));
    assert.is(statusOf(answer), 400, target);
    assert.equal(bodyOf(answer).details, [
      { argument_name: 'Host', reason: 'required', help_message: 'no Host header' },
    ]);
  }
  assert.is(statusOf(await rest.raw('GET /healthz HTTP/1.0\r\n\r\n')), 200);
});

test('a body in a transfer coding other than chunked is refused [RFC 9112, 6.1]', async ({ rest, path }) => {
  const put = (coding: string) =>
    rest.raw(
      `${head(`PUT ${BASE}${path}`, 'Host: localhost', `X-Auth-Token: ${rest.token}`, `Transfer-Encoding: ${coding}`)}` +
        'b\r\n{"data":{}}\r\n0\r\n\r\n',
    );
  assert.is(statusOf(await put('Chunked')), 200);
  for (const coding of ['gzip, chunked', 'identity, chunked']) {
    const answer = await put(coding);
    assert.is(statusOf(answer), 501, coding);
    assert.is(bodyOf(answer).details[0].argument_name, 'Transfer-Encoding');
  }
  assert.is((await rest.ask('GET', path)).body.version, 1);
});

test('a name with an underscore is a name', async ({ rest }) => {
  assert.is(statusOf(await rest.raw(head('GET /', 'Host: alarm_twin:8080'))), 200);
});

test('the answer to a request without a token says how to show one [RFC 9110, 11.6.1]', async ({
  rest,
  path,
}) => {
  const { status, headers } = await rest.ask('GET', path, { token: null });
  assert.equal([status, headers.get('www-authenticate')], [401, 'X-Auth-Token']);
});

test('the methods of a route are listed, HEAD with GET', async ({ rest, path }) => {
  const allowed = async (url: string) => {
    const { status, headers } = await rest.ask('POST', url);
    assert.is(status, 405);
    return headers.get('allow')?.split(', ').sort();
  };
  assert.equal(await allowed(path), ['DELETE', 'GET', 'HEAD', 'PATCH', 'PUT']);
  assert.equal(await allowed('/hubs'), ['GET', 'HEAD']);
});

test('a compressed body is refused, and the connection goes on [RFC 9110, 15.5.16]', async ({
  rest,
  path,
}) => {
  const plain = '{"data":{"n":1}}';
  const body = gzipSync(plain);
  const common = ['Host: localhost', `X-Auth-Token: ${rest.token}`];
  const put = (length: number, ...more: string[]) =>
    [`PUT ${BASE}${path} HTTP/1.1`, ...common, `Content-Length: ${length}`, ...more, '', ''].join('\r\n');
  const answers = await rest.raw(
    Buffer.concat([
      Buffer.from(put(body.length, 'Content-Encoding: gzip')),
      body,
      Buffer.from(`${put(plain.length, 'Content-Encoding: identity', 'Connection: close')}${plain}`),
    ]),
  );
  assert.equal(answers.match(/HTTP\/1.1 \d+/g), ['HTTP/1.1 415', 'HTTP/1.1 200']);
  assert.match(answers, '"argument_name":"Content-Encoding"');
});

test('a client that closes its sending side behind its request gets its answer', async ({ rest, path }) => {
  const body = '{"data":{"n":1}}';
  const put = (target: string) =>
    head(
      `PUT ${BASE}${target}`,
      'Host: localhost',
      `X-Auth-Token: ${rest.token}`,
      `Content-Length: ${body.length}`,
    );
  for (const target of [path, path.replace(/d$/, 'desired?wait=30')]) {
    const socket = connect({ port: rest.port, host: '127.0.0.1', allowHalfOpen: true });
    await once(socket, 'connect');
    socket.end(put(target) + body);
    const answer = await text(socket);
    assert.is(statusOf(answer), target === path ? 200 : 202, answer);
    assert.is(bodyOf(answer).version, 1);
  }
});

test('a patch of a document that does not exist is not found, also with If-Match, as a delete is', async ({
  rest,
  path,
}) => {
  for (const method of ['PATCH', 'DELETE']) {
    for (const headers of [{}, { 'If-Match': '"1"' }, { 'If-Match': '*' }]) {
      const { status, body } = await rest.ask(method, path, { headers, body: { data: {} } });
      assert.equal([status, body.resource], [404, 'twin_document'], method);
    }
  }
});

test('a version of null counts as absent', async ({ rest, path }) => {
  for (const version of [1, 2]) {
    const { status, body } = await rest.ask('PUT', path, { body: '{"version":null,"data":{}}' });
    assert.equal([status, body.version], [200, version]);
  }
});

test('a wrong time is refused, and the answer says when a + was not encoded', async ({ rest, path }) => {
  await rest.ask('PUT', path, { body: { data: {} } });
  const history = (since: string) => rest.ask('GET', `${path}/history?since=${since}`);
  for (const good of [
    '2024-02-29T00:00:00Z',
    '2026-01-31T23:59:59.5%2B05:30',
    '2026-12-31T23:59:59-23:59',
    '0000-01-01t00:00:00z',
    '9999-12-31T23:59:59Z',
  ]) {
    assert.is((await history(good)).status, 200, good);
  }
  for (const bad of [
    '2026-02-30T00:00:00Z',
    '2025-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z',
    '2026-01-01T00:00:00-24:00',
    '2026-01-01T00:00:00%2B23:60',
    '9999-12-31T23:59:59-23:59',
    '0000-01-01T00:00:00%2B00:01',
    '2026-01-01',
  ]) {
    const { status, body } = await history(bad);
    assert.is(status, 400, bad);
    assert.is(body.details[0].help_message, 'not an RFC 3339 time', bad);
  }
  const { status, body } = await history('2026-01-01T00:00:00+01:00');
  assert.is(status, 400);
  assert.match(body.details[0].help_message, 'a + in a query must be written as %2B');
});

test('data within the limit is taken with every character escaped', async ({ rest, path }) => {
  const room = LIMITS.dataBytes - '{"text":""}'.length;
  const put = (length: number) => {
    const escaped = `{"\\u0074\\u0065\\u0078\\u0074":"${'\\u0061'.repeat(length)}"}`;
    return rest.ask('PUT', path, { body: `{"version":0,"data":${escaped}}` });
  };
  assert.is((await put(room)).status, 200);
  const refused = await put(room + 1);
  assert.equal([refused.status, refused.body.details[0].help_message], [400, 'document too large']);
});

/** The lines of an answer's head without its date, in any order. */
const headOf = (answer: string): string[] =>
  answer
    .slice(0, answer.indexOf('\r\n\r\n'))
    .split('\r\n')
    .filter((line) => !line.startsWith('Date: '))
    .sort();

test('an answer in ASCII has the same head as another one, and as an answer to HEAD', async ({
  rest,
  path,
}) => {
  const token = `X-Auth-Token: ${rest.token}`;
  const ask = (method: string) => rest.raw(head(`${method} ${BASE}${path}`, 'Host: localhost', token));
  const put = async (name: string) => {
    await rest.ask('DELETE', path);
    assert.is((await rest.ask('PUT', path, { body: { data: { name } } })).status, 200);
    const answer = await ask('GET');
    assert.equal(bodyOf(answer).data, { name });
    return headOf(answer).map((line) => line.replace(/^ETag: .*/, 'ETag'));
  };
  assert.equal(await put('xx'), await put('é'));
  for (const name of ['xx', 'é']) {
    await rest.ask('PUT', path, { body: { data: { name } } });
    const whole = await ask('GET');
    const only = await ask('HEAD');
    assert.equal(headOf(only), headOf(whole));
    assert.is(only.slice(only.indexOf('\r\n\r\n')), '\r\n\r\n');
  }
});

test('requests that come in one piece are answered in their order', async ({ rest, path }) => {
  const get = `GET ${BASE}${path} HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: ${rest.token}\r\n\r\n`;
  await rest.ask('PUT', path, { body: { data: {} } });
  const last = head('GET /nowhere', 'Host: localhost');
  const answers = (await rest.raw(`${get}${get}${last}`)).split('HTTP/1.1 ').slice(1);
  assert.equal(
    answers.map((answer) => answer.slice(0, 3)),
    ['200', '200', '404'],
  );
});

test('the head and the body of an answer leave in one write', async ({ rest, path }) => {
  await rest.ask('PUT', path, { body: { data: {} } });
  const written: unknown[] = [];
  const { write } = Socket.prototype;
  Socket.prototype.write = function (this: Socket, ...given: [string]) {
    if (this.localPort === rest.port) written.push(given[0]);
    return write.apply(this, given);
  } as typeof write;
  const answer = await rest.ask('GET', path).finally(() => {
    Socket.prototype.write = write;
  });
  assert.is(written.length, 1);
  assert.ok(String(written[0]).startsWith('HTTP/1.1 200 OK\r\n'));
  assert.ok(String(written[0]).endsWith(`\r\n\r\n${answer.text}`));
});

test.run();
