import { randomUUID } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startTestRest, type TestRest } from './rest.js';

const test = suite<{ rest: TestRest }>('tokens over REST');

test.before.each(async (context) => {
  context.rest = await startTestRest();
});
test.after.each(({ rest }) => rest.close());

test('an owner makes a token, which works at once and is listed without its secret', async ({ rest }) => {
  const expires_at = '2999-01-31T12:00:00.000Z';
  const { status, body } = await rest.ask('POST', '/tokens', {
    body: { role: 'app', description: 'phone', expires_at: '2999-01-31T12:00:00Z' },
  });
  assert.is(status, 200);
  const { token, secret } = body;
  assert.equal(token, {
    id: token.id,
    role: 'app',
    description: 'phone',
    twin_ids: null,
    created_at: token.created_at,
    expires_at,
  });
  assert.is((await rest.ask('GET', '/devices', { token: secret })).status, 200);
  const list = await rest.ask('GET', '/tokens');
  const { last_seen_at, ...listed } = list.body.tokens.find(({ id }: { id: string }) => id === token.id);
  assert.equal(listed, { ...token, has_pin: false });
  assert.ok(Math.abs(Date.parse(last_seen_at) - Date.now()) < 60_000);
  assert.not.ok(list.text.includes(secret));
});

test('a token of any role, and for any twins, sees what it is itself, and not its secret', async ({
  rest,
}) => {
  const { id } = await rest.newDevice();
  for (const role of ['owner', 'app', 'reader']) {
    const { token, secret } = (await rest.ask('POST', '/tokens', { body: { role, twin_ids: [id] } })).body;
    const { status, body, text } = await rest.ask('GET', '/tokens/self', { token: secret });
    assert.is(status, 200);
    const { last_seen_at, ...shown } = body;
    assert.equal(shown, { ...token, has_pin: false });
    assert.type(last_seen_at, 'string');
    assert.not.ok(text.includes(secret));
  }
});

test('a token of any role, and for any twins, can end itself, and no other', async ({ rest }) => {
  const { id } = await rest.newDevice();
  for (const role of ['owner', 'app', 'reader']) {
    const { token, secret } = (await rest.ask('POST', '/tokens', { body: { role, twin_ids: [id] } })).body;
    const other = (await rest.ask('POST', '/tokens', { body: { role } })).body.token;
    assert.is((await rest.ask('DELETE', `/tokens/${other.id}`, { token: secret })).status, 403);
    assert.is((await rest.ask('DELETE', '/tokens/self', { token: secret })).status, 204);
    assert.is((await rest.ask('GET', '/tokens/self', { token: secret })).status, 401);
    const left = (await rest.ask('GET', '/tokens')).body.tokens.map((each: { id: string }) => each.id);
    assert.equal([left.includes(token.id), left.includes(other.id)], [false, true]);
    const [line] = rest.log.filter(({ token_id }) => token_id === token.id).slice(-1);
    assert.equal([line?.audit, line?.by_token], ['token_revoked', token.id]);
  }
});

test('a token that was not used yet was not seen', async ({ rest }) => {
  const { token } = (await rest.ask('POST', '/tokens', { body: { role: 'app' } })).body;
  const { tokens } = (await rest.ask('GET', '/tokens')).body;
  assert.is(tokens.find(({ id }: { id: string }) => id === token.id).last_seen_at, null);
});

test('a revoked token is refused from then on', async ({ rest }) => {
  await rest.newToken('owner');
  const { token, secret } = (await rest.ask('POST', '/tokens', { body: { role: 'owner' } })).body;
  assert.is((await rest.ask('GET', '/devices', { token: secret })).status, 200);
  assert.is((await rest.ask('DELETE', `/tokens/${token.id}`)).status, 204);
  const refused = await rest.ask('GET', '/devices', { token: secret });
  assert.is(refused.status, 401);
  assert.is(refused.body.reason, 'not_found');
  const again = await rest.ask('DELETE', `/tokens/${token.id}`);
  assert.is(again.status, 404);
  assert.is(again.body.resource, 'token');
});

test('the last owner token cannot be revoked, by whomever, and says what to do instead', async ({ rest }) => {
  const { token, secret } = (await rest.ask('POST', '/tokens', { body: { role: 'owner' } })).body;
  for (const by of [rest.token, secret]) {
    const refused = await rest.ask('DELETE', `/tokens/${token.id}`, { token: by });
    assert.is(refused.status, 400);
    assert.is(refused.body.type, 'invalid_arguments');
    assert.is(refused.body.details[0].argument_name, 'token_id');
    assert.match(refused.body.details[0].help_message, 'make another one first');
  }
  assert.is((await rest.ask('GET', '/tokens', { token: secret })).status, 200);
  await rest.newToken('owner');
  assert.is((await rest.ask('DELETE', `/tokens/${token.id}`, { token: secret })).status, 204);
});

test('a token is made for twins that are there, each named once, in whatever letters', async ({ rest }) => {
  const [one, two] = [await rest.newDevice(), await rest.newDevice()];
  const twin_ids = [one.id, two.id.toUpperCase(), one.id];
  const made = await rest.ask('POST', '/tokens', { body: { role: 'app', twin_ids } });
  assert.equal(made.body.token.twin_ids, [one.id, two.id]);
  const missing = randomUUID();
  const refused = await rest.ask('POST', '/tokens', { body: { role: 'app', twin_ids: [one.id, missing] } });
  assert.is(refused.status, 404);
  assert.equal([refused.body.resource, refused.body.resource_id], ['device', missing]);
  assert.is(rest.tokens.list().length, 2);
});

test('a token that cannot be is refused, and the argument named', async ({ rest }) => {
  const cases: [string, unknown][] = [
    ['role', {}],
    ['role', { role: 'king' }],
    ['role', { role: '__proto__' }],
    ['description', { role: 'app', description: 1 }],
    ['description', { role: 'app', description: 'x'.repeat(5000) }],
    ['expires_at', { role: 'app', expires_at: 'soon' }],
    ['expires_at', { role: 'app', expires_at: 5 }],
    ['expires_at', { role: 'app', expires_at: '5' }],
    ['expires_at', { role: 'app', expires_at: '2999-01-31' }],
    ['expires_at', { role: 'app', expires_at: '2999-13-31T12:00:00Z' }],
    ['expires_at', { role: 'app', expires_at: '2020-01-31T12:00:00Z' }],
    ['twin_ids', { role: 'app', twin_ids: [] }],
    ['twin_ids', { role: 'app', twin_ids: ['x'] }],
    ['twin_ids', { role: 'app', twin_ids: [[randomUUID()]] }],
    ['twin_ids', { role: 'app', twin_ids: [null] }],
    ['twin_ids', { role: 'app', twin_ids: randomUUID() }],
    ['twin_ids', { role: 'app', twin_ids: {} }],
    ['body', 'nix'],
  ];
  for (const [argument, body] of cases) {
    const answer = await rest.ask('POST', '/tokens', { body });
    assert.is(answer.status, 400, JSON.stringify(body));
    assert.is(answer.body.details[0].argument_name, argument);
  }
  assert.is((await rest.ask('DELETE', '/tokens/x')).status, 400);
  assert.is(rest.tokens.list().length, 1);
});

test.run();
