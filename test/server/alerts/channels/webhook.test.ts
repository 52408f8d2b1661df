import { createHmac } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ITSELF } from '../../../../server/alerts/channels/channel.js';
import { type WebhookSettings, webhook } from '../../../../server/alerts/channels/webhook.js';
import { lastOf, type Receiver, startReceiver } from '../receiver.js';
import { AT, messageOf } from './message.js';

const test = suite<{ receiver: Receiver }>('the webhook');

test.before.each(async (context) => {
  context.receiver = await startReceiver();
});
test.after.each(({ receiver }) => receiver.close());

const NOW = Date.parse(AT);

const hookTo = ({ url }: Receiver, changes: Partial<WebhookSettings> = {}, now = NOW) =>
  webhook({ url, method: 'POST', headers: {}, secrets: [], allow_private: true, ...changes }, () => now);

test('the whole message is sent as JSON', async ({ receiver }) => {
  const hook = hookTo(receiver);
  assert.equal(hook.targets(messageOf()), [ITSELF]);
  assert.equal(await hook.send(messageOf(), ITSELF), { kind: 'delivered' });
  const { method, headers, body } = lastOf(receiver);
  assert.equal([method, headers['content-type']], ['POST', 'application/json']);
  assert.equal(JSON.parse(body), {
    id: 'alert-1.0.hook.itself',
    alert_id: 'alert-1',
    kind: 'triggered',
    telling: 'raised',
    state: 'resolved',
    panel: 'Cabin',
    panel_id: messageOf().alert.panel_id,
    subject: 'window',
    title: 'Alarm: Cabin, window',
    text: 'It is so.',
    raised_at: AT,
    at: AT,
    link: 'https://house/#panel=1',
  });
});

test('a template is filled, and no value can leave its text', async ({ receiver }) => {
  const title = 'x", "admin": true, "y": "\n{{text}} 🚨';
  const hook = hookTo(receiver, {
    method: 'PUT',
    body: '{"content":"{{title}} {{nothing}}"}',
    headers: { 'x-key': '1' },
  });
  await hook.send(messageOf({ title }), ITSELF);
  const { method, headers, body } = lastOf(receiver);
  assert.equal([method, headers['x-key']], ['PUT', '1']);
  assert.equal(JSON.parse(body), { content: `${title} {{nothing}}` });
});

test('each secret signs the id, the time and the body', async ({ receiver }) => {
  await hookTo(receiver, { secrets: ['new', 'old'] }).send(messageOf(), ITSELF);
  const { headers, body } = lastOf(receiver);
  const signed = `alert-1.0.hook.itself.${NOW / 1000}.${body}`;
  const expected = ['new', 'old'].map(
    (secret) => `v1,${createHmac('sha256', secret).update(signed).digest('base64')}`,
  );
  assert.is(headers['webhook-signature'], expected.join(' '));
  assert.equal(
    [headers['webhook-id'], headers['webhook-timestamp']],
    ['alert-1.0.hook.itself', String(NOW / 1000)],
  );
});

test('a second attempt has the same id and body, and a signature of its own time', async ({ receiver }) => {
  for (const later of [0, 60_000])
    await hookTo(receiver, { secrets: ['s'] }, NOW + later).send(messageOf(), ITSELF);
  const [one, other] = receiver.received;
  assert.equal([one?.body, one?.headers['webhook-id']], [other?.body, other?.headers['webhook-id']]);
  assert.is.not(one?.headers['webhook-signature'], other?.headers['webhook-signature']);
});

test('without a secret there is no signature', async ({ receiver }) => {
  await hookTo(receiver).send(messageOf(), ITSELF);
  assert.is(receiver.received[0]?.headers['webhook-signature'], undefined);
});

test('what the receiver answers says whether another attempt may help', async ({ receiver }) => {
  const hook = hookTo(receiver);
  for (const [reply, expected] of [
    [{ status: 204 }, { kind: 'delivered' }],
    [{ status: 500 }, { kind: 'again', reason: 'status 500', afterMs: undefined }],
    [
      { status: 429, headers: { 'Retry-After': '30' } },
      { kind: 'again', reason: 'status 429', afterMs: 30_000 },
    ],
    [{ status: 403 }, { kind: 'failed', reason: 'status 403' }],
  ] as const) {
    receiver.replies.push(reply);
    assert.equal(await hook.send(messageOf(), ITSELF), expected);
  }
  receiver.replies.push('cut');
  assert.is((await hook.send(messageOf(), ITSELF)).kind, 'again');
});

test('a redirect is not followed', async ({ receiver }) => {
  const other = await startReceiver();
  receiver.replies.push({ status: 307, headers: { Location: other.url } });
  assert.equal(await hookTo(receiver).send(messageOf(), ITSELF), { kind: 'failed', reason: 'status 307' });
  assert.is(other.received.length, 0);
  await other.close();
});

test('an address of this network gets nothing, unless the owner allows it', async ({ receiver }) => {
  const attempt = await hookTo(receiver, { allow_private: false }).send(messageOf(), ITSELF);
  assert.equal(attempt, {
    kind: 'failed',
    reason: '127.0.0.1 is an address of this machine or of its own network',
  });
  const { port } = new URL(receiver.url);
  const named = await hookTo({ ...receiver, url: `http://localhost:${port}` }, { allow_private: false }).send(
    messageOf(),
    ITSELF,
  );
  assert.is(named.kind, 'failed');
  assert.is(receiver.received.length, 0);
});

test.run();
