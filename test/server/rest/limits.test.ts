/** How often a source may be wrong. */

import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BASE, startTestRest, type TestRest } from './rest.js';

const test = suite<{ rest: TestRest }>('limits of sources');

test.before.each(async (context) => {
  context.rest = await startTestRest();
});
test.after.each(({ rest }) => rest.close());

interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
}

/** From an address of its own, on a connection of its own. */
function askFrom(rest: TestRest, localAddress: string, token: string): Promise<Answer> {
  const { port } = rest;
  const headers = { 'X-Auth-Token': token };
  return new Promise((resolve, reject) => {
    const call = { host: '127.0.0.1', port, localAddress, path: `${BASE}/devices`, headers, agent: false };
    const asked = request(call, (answer) => {
      let text = '';
      answer.on('data', (chunk) => {
        text += chunk;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

test('1,000 wrong tokens are limited after 10 for that source, and the right one from elsewhere works', async ({
  rest,
}) => {
  const statuses: number[] = [];
  for (let n = 0; n < 1000; n += 1) {
    statuses.push((await rest.ask('GET', '/devices', { token: randomUUID() })).status);
  }
  assert.equal(statuses.slice(0, 10), new Array(10).fill(401));
  assert.equal(new Set(statuses.slice(10)), new Set([429]));
  assert.is((await askFrom(rest, '127.0.0.2', rest.token)).status, 200);
});

async function block(rest: TestRest): Promise<void> {
  for (let n = 0; n < 10; n += 1) await rest.ask('GET', '/devices', { token: randomUUID() });
}

test('the answer to a blocked source says until when, and not whether a token is right', async ({ rest }) => {
  const unused = await rest.newToken('app');
  await block(rest);
  const wrong = await rest.ask('GET', '/devices', { token: randomUUID() });
  const right = await rest.ask('GET', '/devices', { token: unused });
  for (const { status, headers, body } of [wrong, right]) {
    const { reset_seconds, ...rest } = body;
    assert.is(status, 429);
    assert.equal(rest, {
      type: 'too_many_requests',
      message: 'too many requests',
      help_message: 'too many wrong credentials from your address',
      limit: { quota: 10, window_seconds: 60 },
    });
    assert.ok(reset_seconds > 0 && reset_seconds <= 60);
    assert.is(headers.get('retry-after'), String(reset_seconds));
  }
});

test('a token that was let in from there before is let in still, on any connection', async ({ rest }) => {
  assert.is((await askFrom(rest, '127.0.0.1', rest.token)).status, 200);
  await block(rest);
  assert.is((await rest.ask('GET', '/devices')).status, 200);
  assert.is((await askFrom(rest, '127.0.0.1', rest.token)).status, 200);
});

test('an owner of this machine is served while its address is blocked', async ({ rest }) => {
  await block(rest);
  assert.is((await rest.ask('GET', '/devices')).status, 200);
  assert.is((await rest.ask('GET', '/devices', { token: await rest.newToken('app') })).status, 429);
});

/** From an address that a proxy tells. */
const from = (address: string): Record<string, string> => ({ 'X-Forwarded-For': address });

const behindProxy = (): Promise<TestRest> =>
  startTestRest({ proxies: [{ address: '127.0.0.1', prefix: 32 }] });

test('an owner of another machine is refused while its address is blocked, if it never was there', async () => {
  const rest = await behindProxy();
  const headers = from('192.0.2.1');
  for (let n = 0; n < 10; n += 1) await rest.ask('GET', '/devices', { token: randomUUID(), headers });
  assert.is((await rest.ask('GET', '/devices', { headers })).status, 429);
  assert.is((await rest.ask('GET', '/devices', { headers: from('192.0.2.2') })).status, 200);
  await rest.close();
});

test('no secret is looked at while its source is blocked and no client is known there', async () => {
  const rest = await behindProxy();
  const headers = from('192.0.2.1');
  const ask = () => rest.ask('GET', '/devices', { token: randomUUID(), headers });
  for (let n = 0; n < 10; n += 1) await ask();
  let looks = 0;
  const { authenticate } = rest.tokens;
  rest.tokens.authenticate = (secret) => {
    looks += 1;
    return authenticate.call(rest.tokens, secret);
  };
  for (let n = 0; n < 20; n += 1) assert.is((await ask()).status, 429);
  assert.is(looks, 0);
  await rest.close();
});

test('a token that was let in before and is revoked gets the same answer', async ({ rest }) => {
  const { token, secret } = await rest.tokens.create({ role: 'app' });
  assert.is((await rest.ask('GET', '/devices', { token: secret })).status, 200);
  await block(rest);
  await rest.tokens.revoke(token.id);
  assert.is((await rest.ask('GET', '/devices', { token: secret })).status, 429);
});

test('a request with no token, or with one that was right once, is refused and does not block its source', async ({
  rest,
}) => {
  const { secret } = await rest.tokens.create({ role: 'app', expires_at: '2020-01-31T12:00:00.000Z' });
  for (let n = 0; n < 30; n += 1) {
    assert.is((await rest.ask('GET', '/devices', { token: null })).status, 401);
    assert.is((await rest.ask('GET', '/devices', { token: secret })).body.reason, 'expired');
  }
  assert.is((await rest.ask('GET', '/devices', { token: await rest.newToken('reader') })).status, 200);
});

test('a text that is no token counts as a wrong token', async ({ rest }) => {
  for (let n = 0; n < 10; n += 1) {
    assert.is((await rest.ask('GET', '/devices', { token: `password ${n}` })).status, 401);
  }
  assert.is((await rest.ask('GET', '/devices', { token: 'password' })).status, 429);
});

test('each refusal is a line of the audit, the block included, and none tells a token', async ({ rest }) => {
  rest.log.length = 0;
  const secrets = Array.from({ length: 12 }, () => randomUUID());
  for (const token of secrets) await rest.ask('GET', '/devices', { token });
  const events = rest.log.map(({ audit }) => audit);
  assert.equal(events, [...new Array(10).fill('authentication_refused'), 'limit_reached', 'limit_reached']);
  for (const secret of secrets) assert.not.match(JSON.stringify(rest.log), secret);
});

test.run();
