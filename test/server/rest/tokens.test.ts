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
    created_at: token.created_at,
    expires_at,
  });
  assert.is((await rest.ask('GET', '/devices', { token: secret })).status, 200);
  const list = await rest.ask('GET', '/tokens');
  assert.equal(
    list.body.tokens.find(({ id }: { id: string }) => id === token.id),
    token,
  );
  assert.not.ok(list.text.includes(secret));
});

test('a revoked token is refused from then on', async ({ rest }) => {
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

test('a token that cannot be is refused, and the argument named', async ({ rest }) => {
  const cases: [string, unknown][] = [
    ['role', {}],
    ['role', { role: 'king' }],
    ['role', { role: '__proto__' }],
    ['description', { role: 'app', description: 1 }],
    ['description', { role: 'app', description: 'x'.repeat(5000) }],
    ['expires_at', { role: 'app', expires_at: 'soon' }],
    ['expires_at', { role: 'app', expires_at: 5 }],
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
