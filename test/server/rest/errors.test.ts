/** What is asked by the wrong one, in the wrong place or way, and what goes wrong in the server itself. */

import { randomUUID } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { AuditEvent } from '../../../server/audit.js';
import { OutcomeUnknown, OwnerGone } from '../../../server/storage/storage.js';
import type { Answer } from '../../../server/twins/twins.js';
import { startTestRest, statusOf, type TestRest } from './rest.js';

const test = suite<{ rest: TestRest; id: string; path: string }>('errors over REST');

test.before.each(async (context) => {
  context.rest = await startTestRest({ authFailuresPerMinute: 1000 });
  context.id = (await context.rest.newDevice()).id;
  context.path = `/twins/${context.id}/documents/d`;
});
test.after.each(({ rest }) => rest.close());

const DEBUG = 20;
const INFO = 30;
const ERROR = 50;

test('without a known and valid token a request is refused', async ({ rest, path }) => {
  const expired = (await rest.tokens.create({ role: 'owner', expires_at: '2020-01-01T00:00:00.000Z' }))
    .secret;
  const revoked = await rest.tokens.create({ role: 'app' });
  await rest.tokens.revoke(revoked.token.id);
  const cases: [string | null, string][] = [
    [null, 'invalid_argument'],
    ['', 'invalid_argument'],
    ['secret', 'invalid_argument'],
    [`Bearer ${rest.token}`, 'invalid_argument'],
    [randomUUID(), 'not_found'],
    [revoked.secret, 'not_found'],
    [expired, 'expired'],
  ];
  const calls = [
    ['GET', path],
    ['PUT', path],
    ['DELETE', path],
    ['GET', '/devices'],
    ['POST', '/devices'],
    ['GET', '/hubs'],
    ['GET', '/tokens'],
  ] as const;
  for (const [token, reason] of cases) {
    for (const [method, where] of calls) {
      const body = method === 'PUT' || method === 'POST' ? { name: 'n', data: {} } : undefined;
      const answer = await rest.ask(method, where, { token, body });
      assert.is(answer.status, 401, `${method} ${where} ${token}`);
      assert.equal(answer.body, {
        type: 'denied_authentication',
        message: 'denied authentication',
        method: 'api_key',
        reason,
      });
    }
  }
  assert.is(await rest.devices.count(), 1);
});

test('an app reads everything and writes all documents but current', async ({ rest, id, path }) => {
  const token = await rest.newToken('app');
  const may = async (method: string, where: string, body?: object) =>
    (await rest.ask(method, where, { token, body })).status;
  assert.is(await may('PUT', path, { data: {} }), 200);
  assert.is(await may('PATCH', path, { data: {} }), 200);
  assert.is(await may('GET', path), 200);
  assert.is(await may('GET', `/twins/${id}`), 200);
  assert.is(await may('GET', '/devices'), 200);
  assert.is(await may('GET', `/devices/${id}`), 200);
  assert.is(await may('DELETE', path), 204);
  const current = `/twins/${id}/documents/current`;
  for (const where of [current, current.replace('current', '%63urrent')]) {
    for (const method of ['PUT', 'PATCH', 'DELETE']) assert.is(await may(method, where, { data: {} }), 403);
  }
  assert.is(await may('GET', current), 404);
  assert.is(await may('DELETE', `/twins/${id}`), 403);
  assert.is(await may('POST', '/devices', { name: 'n' }), 403);
  assert.is(await may('PATCH', `/devices/${id}`, {}), 403);
  assert.is(await may('DELETE', `/devices/${id}`), 403);
  assert.is(await may('POST', `/devices/${id}/disable`), 403);
  assert.is(await may('GET', '/tokens'), 403);
});

test('a reader reads everything and writes nothing', async ({ rest, id, path }) => {
  const token = await rest.newToken('reader');
  await rest.ask('PUT', path, { body: { data: {} } });
  for (const where of [path, `/twins/${id}`, '/devices', `/devices/${id}`, '/hubs']) {
    assert.is((await rest.ask('GET', where, { token })).status, 200, where);
  }
  const refused = await rest.ask('PUT', path, { token, body: { data: { by: 'reader' } } });
  assert.is(refused.status, 403);
  assert.equal(refused.body, {
    type: 'permissions_denied',
    message: 'insufficient permissions',
    details: [{ resource: 'twin_document', action: 'write' }],
  });
  assert.is((await rest.ask('GET', path)).body.version, 1);
});

test('a browser that follows a link to a path without a route is led to the app, a program is not', async ({
  rest,
}) => {
  const ask = (path: string, accept: string, method = 'GET') =>
    fetch(rest.url + path, { method, headers: { Accept: accept }, redirect: 'manual' });
  const browser = 'text/html,application/xhtml+xml,*/*;q=0.8';
  for (const path of ['/settings', '/panel/door', '/index.html']) {
    const { status, headers } = await ask(path, browser);
    assert.equal([status, headers.get('location')], [302, '/'], path);
    assert.is((await ask(path, 'application/json')).status, 404, path);
    assert.is((await ask(path, '*/*')).status, 404, path);
    assert.is((await ask(path, browser, 'POST')).status, 404, path);
  }
  for (const path of [
    '/iot',
    '/iot/v1/regions/fr-par/frobs',
    '/metrics/x',
    '/healthz/x',
    '/mqtt',
    '/assets/x.js',
  ])
    assert.is((await ask(path, browser)).status, 404, path);
});

test('another region and a path without a route are unknown resources', async ({ rest, path }) => {
  const addresses = [
    `${rest.url}/iot/v1/regions/nl-ams${path}`,
    `${rest.url}/iot/v1/regions/FR-PAR${path}`,
    `${rest.url}/iot/v1/regions/fr-par/frobs`,
    `${rest.url}/iot/v1/regions/fr-par${path}/more`,
    `${rest.url}/iot/v2/regions/fr-par/devices`,
    `${rest.url}/nowhere`,
    `${rest.url}/favicon.ico`,
  ];
  for (const address of addresses) {
    const response = await fetch(address, { headers: { 'X-Auth-Token': rest.token } });
    assert.is(response.status, 404, address);
    assert.is(((await response.json()) as { type: string }).type, 'unknown_resource');
  }
});

test('the answer to a wrong method on a known address names the right ones', async ({ rest, id, path }) => {
  const cases: [string, string, string][] = [
    ['POST', path, 'GET, PUT, PATCH, DELETE'],
    ['OPTIONS', path, 'GET, PUT, PATCH, DELETE'],
    ['PUT', `/twins/${id}`, 'GET, DELETE'],
    ['DELETE', '/devices', 'GET, POST'],
    ['GET', `/devices/${id}/enable`, 'POST'],
    ['POST', '/hubs', 'GET'],
  ];
  for (const [method, where, allowed] of cases) {
    const answer = await rest.ask(method, where);
    assert.is(answer.status, 405, `${method} ${where}`);
    assert.is(answer.body.type, 'unknown_resource');
    const given = (answer.headers.get('allow') ?? '').split(', ').filter((each) => each !== 'HEAD');
    assert.equal(given.sort(), allowed.split(', ').sort(), `${method} ${where}`);
  }
});

test('a storage that takes no writes is a transient state: nothing changes, and it recovers', async ({
  rest,
  id,
  path,
}) => {
  await rest.ask('PUT', path, { body: { data: { n: 1 } } });
  rest.storage.failWith(new Error('no space left on /secret/place'));
  const calls = [
    ['PUT', path, { data: { n: 2 } }],
    ['PATCH', path, { data: { n: 2 } }],
    ['DELETE', path],
    ['DELETE', `/twins/${id}`],
    ['POST', '/devices', { name: 'n' }],
    ['PATCH', `/devices/${id}`, { description: 'd' }],
    ['DELETE', `/devices/${id}`],
    ['POST', '/tokens', { role: 'app' }],
  ] as const;
  for (const [method, where, body] of calls) {
    const answer = await rest.ask(method, where, { body });
    assert.is(answer.status, 503, `${method} ${where}`);
    assert.is(answer.body.type, 'transient_state');
    assert.equal(Object.keys(answer.body), ['type', 'message', 'resource', 'resource_id', 'current_state']);
    assert.not.match(answer.text, 'secret');
  }
  assert.is((await fetch(`${rest.url}/healthz`)).status, 503);
  assert.is((await rest.ask('GET', path)).body.version, 1);
  rest.storage.failWith(undefined);
  assert.is((await fetch(`${rest.url}/healthz`)).status, 200);
  assert.is((await rest.ask('PUT', path, { body: { data: { n: 3 } } })).body.version, 2);
});

test('a lost answer of the database is a transient state of its own', async ({ rest, path }) => {
  rest.storage.change = (_file, _decide, done) => done(new OutcomeUnknown(new Error('a secret of ours')));
  const { status, body } = await rest.ask('PUT', path, { body: { data: {} } });
  assert.is(status, 503);
  assert.equal(body, {
    type: 'transient_state',
    message: 'outcome unknown',
    resource: 'storage',
    resource_id: 'storage',
    current_state: 'unknown',
  });
});

test('a write to the twin of a device that another server deletes meanwhile finds no device', async ({
  rest,
  id,
  path,
}) => {
  rest.storage.change = (_file, _decide, done) => done(new OwnerGone(id));
  const { status, body } = await rest.ask('PUT', path, { body: { data: {} } });
  assert.is(status, 404);
  assert.is(body.resource, 'device');
  assert.is(body.resource_id, id);
});

test('a handler that throws or rejects is a 500 that tells nothing, one line in the log, and the same process', async ({
  rest,
  id,
  path,
}) => {
  const { twins, devices } = rest;
  const fault = () => {
    throw new Error('a secret of ours');
  };
  const rejecting = async () => fault();
  Object.assign(twins, { get: fault, put: fault, delete: fault });
  Object.assign(devices, { get: rejecting, list: rejecting, create: fault, enable: rejecting });
  const calls = [
    ['GET', path],
    ['PUT', path, { data: {} }],
    ['DELETE', path],
    ['GET', `/devices/${id}`],
    ['GET', '/devices'],
    ['POST', '/devices', { name: 'n' }],
    ['POST', `/devices/${id}/enable`],
  ] as const;
  for (const [method, where, body] of calls) {
    const before = rest.log.filter(({ level }) => level >= ERROR).length;
    const answer = await rest.ask(method, where, { body });
    assert.is(answer.status, 500, `${method} ${where}`);
    assert.equal(answer.body, { type: 'internal_error', message: 'internal error' });
    assert.is(answer.headers.get('content-type'), 'application/json');
    const lines = rest.log.filter(({ level }) => level >= ERROR);
    assert.is(lines.length, before + 1);
    assert.is(lines.at(-1)?.err?.message, 'a secret of ours');
  }
  assert.is((await fetch(`${rest.url}/healthz`)).status, 200);
});

test('an internal error of the twins is a 500', async ({ rest, path }) => {
  Object.assign(rest.twins, {
    get: (_id: string, _name: string, answer: (error: Error) => void) =>
      answer(new TypeError('x of undefined')),
  });
  assert.is((await rest.ask('GET', path)).status, 500);
});

test('a registry that has to be read first, and cannot be, is answered', async ({ rest, path }) => {
  const later = (error: Error | null, known?: boolean) => ({
    has: (_: string, then: Answer<boolean>) => void setImmediate(() => then(error, known)),
  });
  Object.assign(rest.devices, later(new Error('not read')));
  assert.is((await rest.ask('GET', path)).status, 500);
  Object.assign(rest.devices, later(null, false));
  assert.is((await rest.ask('GET', path)).status, 404);
  Object.assign(rest.devices, later(null, true));
  assert.is((await rest.ask('PUT', path, { body: { data: {} } })).status, 200);
});

test('a refusal is one line in the log without the URL, and a 404 is a line of level debug', async ({
  rest,
  id,
  path,
}) => {
  const reader = await rest.newToken('reader');
  const cases: [number, number | AuditEvent, () => Promise<unknown>][] = [
    [INFO, 'authentication_refused', () => rest.ask('GET', path, { token: null })],
    [INFO, 'permission_refused', () => rest.ask('GET', '/tokens', { token: reader })],
    [INFO, 400, () => rest.ask('PUT', path, { body: '{' })],
    [INFO, 'limit_reached', () => rest.ask('PUT', path, { body: 'x'.repeat(500_000) })],
    [DEBUG, 405, () => rest.ask('POST', path)],
    [DEBUG, 404, () => rest.ask('GET', path)],
    [DEBUG, 404, () => rest.raw('GET /%E0%A4%A HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')],
  ];
  for (const [level, what, deed] of cases) {
    rest.log.length = 0;
    await deed();
    assert.equal(
      rest.log.map(({ level, status, audit, err, reason }) => [level, audit ?? status, err, typeof reason]),
      [[level, what, undefined, 'string']],
    );
    assert.is(rest.log[0]?.source, '127.0.0.1');
    assert.not.match(JSON.stringify(rest.log), id);
  }
});

test('a client that does wrong without end fills no disk', async ({ rest, path }) => {
  rest.log.length = 0;
  for (let count = 0; count < 100; count += 1) await rest.ask('PUT', path, { body: '{' });
  const lines = rest.log.filter(({ level }) => level >= INFO);
  assert.ok(lines.length >= 60 && lines.length < 80, `${lines.length} lines`);
});

test('bytes that are not HTTP are answered 400 and closed, and others are served', async ({ rest, path }) => {
  for (const garbage of [
    '\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02ab',
    'GET\r\n\r\n',
    '\0'.repeat(2000),
  ]) {
    assert.is(statusOf(await rest.raw(garbage)), 400);
  }
  const long = `GET /${'x'.repeat(100_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  assert.is(statusOf(await rest.raw(long)), 431);
  assert.is((await rest.ask('GET', path)).status, 404);
});

test.run();
