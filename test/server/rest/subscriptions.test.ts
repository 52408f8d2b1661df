/** Phones subscribe to Web Push over REST. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SUBSCRIPTION_LIMITS } from '../../../server/alerts/subscriptions.js';
import { type PhoneSubscription, type PushService, startPushService } from '../alerts/push-service.js';
import { type Answer, startTestRest, type TestRest } from './rest.js';

interface Context {
  /** It takes the push service of the test, which is on the loopback. */
  rest: TestRest;
  service: PushService;
}

const test = suite<Context>('subscriptions to Web Push over REST');

test.before.each(async (context) => {
  context.service = await startPushService();
  context.rest = await startTestRest({ alerts: { pushAuthority: context.service.authority } });
});
test.after.each(async ({ rest, service }) => {
  await rest.close();
  await service.close();
});

const CHANNEL = { id: 'phones', type: 'push', contact: 'mailto:owner@example.org' };

async function keyOf(rest: TestRest): Promise<string> {
  await rest.ask('PUT', '/alerts/channels', { body: { channels: [CHANNEL] } });
  return (await rest.ask('GET', '/alerts/push')).body.application_server_key;
}

async function subscribe({ rest, service }: Context, token = rest.token): Promise<Answer> {
  const application_server_key = await keyOf(rest);
  const body = { ...(await service.subscribe(application_server_key)), application_server_key };
  return rest.ask('POST', '/alerts/subscriptions', { token, body });
}

test('the owner decides whether phones can subscribe', async ({ rest }) => {
  assert.equal((await rest.ask('GET', '/alerts/push')).body, { application_server_key: null });
  assert.is(Buffer.from(await keyOf(rest), 'base64url').length, 65);
});

test('an alarm reaches the phone of each role, and of the panel that its token is for', async (context) => {
  const { rest, service } = context;
  const { id } = await rest.newDevice();
  const { id: other } = await rest.newDevice();
  const confined = async (twin: string) =>
    (await rest.ask('POST', '/tokens', { body: { role: 'app', twin_ids: [twin] } })).body.secret;
  const tokens = [await rest.newToken('app'), await rest.newToken('reader'), await confined(id)];
  for (const token of tokens) assert.is((await subscribe(context, token)).status, 200);
  assert.is((await subscribe(context, await confined(other))).status, 200);
  const data = { alarm_armed: true, siren_ringing: true, door_open: true };
  await rest.ask('PUT', `/twins/${id}/documents/current`, { body: { data } });
  await service.count(3);
  assert.equal(service.faults, []);
  assert.equal(
    service.pushed.map(({ endpoint }) => endpoint).sort(),
    [1, 2, 3].map((n) => `${service.origin}/push/${n}`),
  );
});

test('a phone tries its own notifications, and no other phone gets the message', async (context) => {
  const { rest, service } = context;
  const token = await rest.newToken('reader');
  const { id } = (await subscribe(context, token)).body;
  await subscribe(context);
  const path = `/alerts/subscriptions/${id}/test`;
  assert.is((await rest.ask('POST', path)).status, 404);
  assert.is((await rest.ask('POST', path, { token })).status, 204);
  await service.count(1);
  const [pushed] = service.pushed;
  assert.equal([pushed?.endpoint, pushed?.message.telling], [`${service.origin}/push/1`, 'test']);
});

test('a phone that subscribes again is the same phone, and ends its own subscription only', async (context) => {
  const { rest, service } = context;
  const application_server_key = await keyOf(rest);
  const body = { ...(await service.subscribe(application_server_key)), application_server_key };
  const token = await rest.newToken('app');
  const one = await rest.ask('POST', '/alerts/subscriptions', { body, token });
  assert.equal((await rest.ask('POST', '/alerts/subscriptions', { body, token })).body, one.body);
  const path = `/alerts/subscriptions/${one.body.id}`;
  assert.is((await rest.ask('DELETE', path)).status, 404);
  assert.is((await rest.ask('DELETE', path, { token })).status, 204);
  assert.is((await rest.ask('DELETE', path, { token })).status, 404);
});

test('a token has only so many phones', async (context) => {
  const { rest } = context;
  const token = await rest.newToken('app');
  for (let n = 0; n < SUBSCRIPTION_LIMITS.perToken; n += 1) {
    assert.is((await subscribe(context, token)).status, 200);
  }
  const { status, body } = await subscribe(context, token);
  assert.equal([status, body.details[0].help_message], [400, 'too many phones']);
});

/** What a phone must not name: changes of a right subscription, and the field that is refused. */
const WRONG: [string, object, string][] = [
  ['no TLS', { endpoint: 'http://push.example.org/x' }, 'endpoint'],
  ['the loopback', { endpoint: 'https://127.0.0.1/x' }, 'endpoint'],
  ['the loopback of IPv6', { endpoint: 'https://[::1]/x' }, 'endpoint'],
  ['the loopback as a number', { endpoint: 'https://2130706433/x' }, 'endpoint'],
  ['a name of the machine itself', { endpoint: 'https://localhost/x' }, 'endpoint'],
  ['the metadata of a cloud', { endpoint: 'https://169.254.169.254/x' }, 'endpoint'],
  ['the own network', { endpoint: 'https://192.168.1.1/x' }, 'endpoint'],
  ['a user name', { endpoint: 'https://user:pw@push.example.org/' }, 'endpoint'],
  ['the port of another service', { endpoint: 'https://push.example.org:22/x' }, 'endpoint'],
  ['a long address', { endpoint: `https://push.example.org/${'x'.repeat(2048)}` }, 'endpoint'],
  ['no address', { endpoint: 1 }, 'endpoint'],
  ['no keys', { keys: 1 }, 'keys'],
  ['a short key', { keys: { p256dh: 'BAAA', auth: 'AAAAAAAAAAAAAAAAAAAAAA' } }, 'keys.p256dh'],
  ['a short secret', { keys: { auth: 'AAAA' } }, 'keys.auth'],
  ['the key of another server', { application_server_key: 'BAAA' }, 'application_server_key'],
];

test('an endpoint that leads into the own network, and keys of a wrong length, are refused', async ({
  service,
}) => {
  const rest = await startTestRest();
  try {
    const application_server_key = await keyOf(rest);
    const { keys }: PhoneSubscription = await service.subscribe(application_server_key);
    const right = { endpoint: 'https://push.example.org/x', keys, application_server_key };
    for (const [what, change, field] of WRONG) {
      const changed = { ...right, ...change } as typeof right;
      const body = { ...changed, keys: typeof changed.keys === 'object' ? { ...keys, ...changed.keys } : 1 };
      const { status, body: answer } = await rest.ask('POST', '/alerts/subscriptions', { body });
      assert.equal([status, answer.details?.[0].argument_name], [400, field], what);
    }
    assert.equal(rest.subscriptions.of(null), []);
    assert.is((await rest.ask('POST', '/alerts/subscriptions', { body: right })).status, 200);
    const port = { ...right, endpoint: 'https://push.example.org:8443/x' };
    assert.is((await rest.ask('POST', '/alerts/subscriptions', { body: port })).status, 200);
  } finally {
    await rest.close();
  }
});

test.run();
