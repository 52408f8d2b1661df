/** A token with a PIN: what needs it, who sets it, and that nothing tells it. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PIN_LIMITS } from '../../../server/access/pins.js';
import { type Answer, startTestRest, type TestRest } from './rest.js';

interface Context {
  rest: TestRest;
  clock: { now: Date };
  /** Of a phone with the PIN 4711. */
  phone: { id: string; secret: string };
  path: string;
}

const test = suite<Context>('PINs over REST');
const PIN = '4711';

test.before.each(async (context) => {
  context.clock = { now: new Date() };
  context.rest = await startTestRest({}, () => context.clock.now);
  const { id } = await context.rest.newDevice();
  context.path = `/twins/${id}/documents/desired`;
  const made = (await context.rest.ask('POST', '/tokens', { body: { role: 'app' } })).body;
  context.phone = { id: made.token.id, secret: made.secret };
  const token = made.secret;
  const set = await context.rest.ask('PUT', '/tokens/self/pin', { token, body: { pin: PIN } });
  assert.is(set.status, 204);
  await context.rest.ask('PUT', context.path, { token, body: { data: { alarm_armed: true } } });
});
test.after.each(({ rest }) => rest.close());

const write = ({ rest, phone, path }: Context, method: string, body: object): Promise<Answer> =>
  rest.ask(method, path, { token: phone.secret, body });

const armed = async ({ rest, path }: Context): Promise<unknown> =>
  (await rest.ask('GET', path)).body.data.alarm_armed;

const DISARMING: [string, object][] = [
  ['PUT', { alarm_armed: false }],
  ['PATCH', { alarm_armed: false }],
  ['PATCH', { alarm_armed: null }],
  ['PATCH', { alarm_armed: 'no' }],
  ['PATCH', { alarm_armed: 0, mode: 'home' }],
  ['PUT', { mode: 'home' }],
];

for (const [method, data] of DISARMING) {
  test(`a ${method} of ${JSON.stringify(data)} needs the PIN`, async (context) => {
    const without = await write(context, method, { data });
    assert.is(without.status, 403);
    assert.equal(without.body, { type: 'pin_refused', message: 'PIN required', reason: 'required' });
    const wrong = await write(context, method, { data, pin: '0000' });
    assert.equal([wrong.status, wrong.body.reason], [403, 'wrong']);
    assert.is(await armed(context), true);
    assert.is((await write(context, method, { data, pin: PIN })).status, 200);
    assert.is.not(await armed(context), true);
  });
}

test('a write that waits for the panel needs it too', async (context) => {
  const waiting = { ...context, path: `${context.path}?wait=1` };
  assert.is((await write(waiting, 'PATCH', { data: { alarm_armed: false } })).status, 403);
  assert.is(await armed(context), true);
});

test('arming, a delay, another document and reading need no PIN', async (context) => {
  const { rest, phone, path } = context;
  for (const [method, data] of [
    ['PATCH', { alarm_armed: true, request: 'r' }],
    ['PUT', { alarm_armed: true, mode: 'night' }],
    ['PATCH', { exit_delay: 10 }],
  ] as const) {
    assert.is((await write(context, method, { data })).status, 200);
  }
  const note = path.replace('desired', 'note');
  const { status } = await rest.ask('PUT', note, {
    token: phone.secret,
    body: { data: { alarm_armed: false } },
  });
  assert.is(status, 200);
  assert.is((await rest.ask('GET', path, { token: phone.secret })).status, 200);
});

test('a token without a PIN disarms as before, also where another one is locked', async (context) => {
  const { rest, path } = context;
  const data = { alarm_armed: false };
  for (let count = 0; count < PIN_LIMITS.wrong; count += 1)
    await write(context, 'PATCH', { data, pin: '0000' });
  const locked = await write(context, 'PATCH', { data, pin: PIN });
  assert.equal([locked.status, locked.body.type, locked.body.reason], [403, 'pin_refused', 'locked']);
  assert.is(locked.body.reset_seconds, PIN_LIMITS.lockMs / 1000);
  assert.is(locked.headers.get('retry-after'), String(PIN_LIMITS.lockMs / 1000));
  assert.is(await armed(context), true);
  assert.is((await write(context, 'PATCH', { data: { alarm_armed: true } })).status, 200);
  assert.is((await rest.ask('PATCH', path, { body: { data } })).status, 200);
});

test('the lock ends with its time', async (context) => {
  const data = { alarm_armed: false };
  for (let count = 0; count < PIN_LIMITS.wrong; count += 1)
    await write(context, 'PATCH', { data, pin: '0000' });
  context.clock.now = new Date(context.clock.now.getTime() + PIN_LIMITS.lockMs);
  assert.is((await write(context, 'PATCH', { data, pin: PIN })).status, 200);
});

test('a token changes its own PIN only with the one that it has, also where it is an owner', async ({
  rest,
  phone,
}) => {
  const owner = (await rest.ask('POST', '/tokens', { body: { role: 'owner' } })).body;
  await rest.ask('PUT', '/tokens/self/pin', { token: owner.secret, body: { pin: PIN } });
  for (const [token, path] of [
    [phone.secret, '/tokens/self/pin'],
    [owner.secret, '/tokens/self/pin'],
    [owner.secret, `/tokens/${owner.token.id}/pin`],
  ] as const) {
    const change = (body: object) => rest.ask('PUT', path, { token, body });
    assert.is((await change({ pin: null })).body.reason, 'required');
    assert.is((await change({ pin: '2580', current_pin: '0000' })).body.reason, 'wrong');
    assert.is((await change({ pin: '2580', current_pin: PIN })).status, 204);
    assert.is((await change({ pin: PIN, current_pin: '2580' })).status, 204);
  }
});

test('an owner gives another token a PIN and takes it away, and no other token does', async (context) => {
  const { rest, phone } = context;
  const other = await rest.newToken('app');
  const path = `/tokens/${phone.id}/pin`;
  assert.is((await rest.ask('PUT', path, { token: other, body: { pin: null } })).status, 403);
  assert.is((await rest.ask('PUT', path, { token: phone.secret, body: { pin: null } })).status, 403);
  const hasPin = async () => (await rest.ask('GET', '/tokens/self', { token: phone.secret })).body.has_pin;
  assert.is(await hasPin(), true);
  assert.is((await rest.ask('PUT', path, { body: { pin: null } })).status, 204);
  assert.is(await hasPin(), false);
  assert.is((await write(context, 'PATCH', { data: { alarm_armed: false } })).status, 200);
  assert.is((await rest.ask('PUT', path, { body: { pin: '2580' } })).status, 204);
  assert.is(await hasPin(), true);
});

test('a PIN has 4 to 12 digits, and a token that does not exist gets none', async ({ rest, phone }) => {
  for (const pin of ['123', '1234567890123', '12a4', '１２３４', 4711, true, ['4711']]) {
    const { status, body } = await rest.ask('PUT', `/tokens/${phone.id}/pin`, { body: { pin } });
    assert.equal([status, body.details[0].argument_name], [400, 'pin']);
  }
  const missing = await rest.ask('PUT', `/tokens/${phone.id}/pin`, { body: {} });
  assert.equal([missing.status, missing.body.details[0].reason], [400, 'required']);
  const none = '6f1d2b3c-4a5e-4c7d-8b9a-0e1f2a3b4c5d';
  assert.is((await rest.ask('PUT', `/tokens/${none}/pin`, { body: { pin: PIN } })).status, 404);
});

test('refusals and changes are in the audit log, and no line and no document tells a PIN', async (context) => {
  const { rest, phone, path } = context;
  await write(context, 'PATCH', { data: { alarm_armed: false }, pin: '90210' });
  await write(context, 'PATCH', { data: { alarm_armed: false }, pin: PIN });
  const audited = rest.log.filter(({ audit }) => audit?.startsWith('pin_'));
  assert.equal(
    audited.map(({ audit, reason, by_token }) => [audit, reason, by_token]),
    [
      ['pin_changed', undefined, phone.id],
      ['pin_refused', 'wrong', phone.id],
    ],
  );
  const told =
    JSON.stringify(rest.log) + (await rest.ask('GET', path)).text + (await rest.ask('GET', '/tokens')).text;
  assert.not.match(told, '90210');
  assert.not.match(told, `"${PIN}"`);
});

test.run();
