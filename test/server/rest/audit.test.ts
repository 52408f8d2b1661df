/** What owners do to devices and tokens, and where it is written down. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startTestRest, type TestRest } from './rest.js';

const test = suite<{ rest: TestRest; by_token: string }>('the audit of REST');

test.before.each(async (context) => {
  const rest = await startTestRest();
  Object.assign(context, { rest, by_token: rest.tokens.authenticate(rest.token).id });
});
test.after.each(({ rest }) => rest.close());

/** The lines since the last look, but for what all have. */
function takeLines({ log }: TestRest) {
  const lines = log.splice(0).filter(({ audit }) => audit !== undefined);
  return lines.map(({ audit, reason, device_id, token_id, by_token, source }) => {
    assert.is(source, '127.0.0.1');
    return { audit, reason, id: device_id ?? token_id, by_token };
  });
}

test('every change of a device is one line: which device, what change, by which token and from which address', async ({
  rest,
  by_token,
}) => {
  const made = await rest.ask('POST', '/devices', { body: { name: 'lamp', allow_insecure: true } });
  const { id } = made.body.device;
  const line = (audit: string, reason?: string) => ({ audit, reason, id, by_token });
  assert.equal(takeLines(rest), [line('device_created')]);
  const changes = { description: 'in the hall', allow_insecure: false };
  const deeds: [string, string, object | undefined, ReturnType<typeof line>][] = [
    ['PATCH', `/devices/${id}`, changes, line('device_changed', 'description, allow_insecure: false')],
    ['POST', `/devices/${id}/disable`, undefined, line('device_changed', 'disabled')],
    ['POST', `/devices/${id}/enable`, undefined, line('device_changed', 'enabled')],
    ['POST', `/devices/${id}/renew-certificate`, undefined, line('credentials_renewed')],
    ['DELETE', `/devices/${id}`, undefined, line('device_deleted')],
  ];
  for (const [method, path, body, expected] of deeds) {
    const { status } = await rest.ask(method, path, { body });
    assert.ok(status < 300, `${method} ${path}: ${status}`);
    assert.equal(takeLines(rest), [expected]);
  }
});

test('every change of a token is one line: which, by which other', async ({ rest, by_token }) => {
  const made = await rest.ask('POST', '/tokens', { body: { role: 'app' } });
  const { id } = made.body.token;
  assert.equal(takeLines(rest), [{ audit: 'token_created', reason: 'role app', id, by_token }]);
  assert.is((await rest.ask('DELETE', `/tokens/${id}`)).status, 204);
  assert.equal(takeLines(rest), [{ audit: 'token_revoked', reason: undefined, id, by_token }]);
});

test('what was not done is not written down as done', async ({ rest }) => {
  const { id } = await rest.newDevice();
  rest.storage.failWith(new Error('no space left'));
  for (const [method, path, body] of [
    ['POST', '/devices', { name: 'n' }],
    ['PATCH', `/devices/${id}`, { description: 'd' }],
    ['POST', `/devices/${id}/disable`, undefined],
    ['POST', `/devices/${id}/renew-certificate`, undefined],
    ['DELETE', `/devices/${id}`, undefined],
    ['POST', '/tokens', { role: 'app' }],
  ] as const) {
    assert.is((await rest.ask(method, path, { body })).status, 503, `${method} ${path}`);
  }
  assert.equal(takeLines(rest), []);
});

test('the audit log says why a token was refused, and which token asked for what it may not do', async ({
  rest,
}) => {
  const expired = await rest.tokens.create({ role: 'app', expires_at: '2020-01-31T12:00:00.000Z' });
  const reader = await rest.tokens.create({ role: 'reader' });
  await rest.ask('GET', '/devices', { token: null });
  await rest.ask('GET', '/devices', { token: '00000000-0000-4000-8000-000000000000' });
  await rest.ask('GET', '/devices', { token: expired.secret });
  await rest.ask('POST', '/devices', { token: reader.secret, body: { name: 'n' } });
  assert.equal(
    takeLines(rest).map(({ audit, reason, by_token }) => [audit, reason, by_token]),
    [
      ['authentication_refused', 'token: invalid_argument', undefined],
      ['authentication_refused', 'token: not_found', undefined],
      ['authentication_refused', 'token: expired', undefined],
      ['permission_refused', 'write device', reader.token.id],
    ],
  );
});

test.run();
