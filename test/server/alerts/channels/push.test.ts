/** What a push service gets for the phones that have subscribed, and what its answers do. */

import { pino } from 'pino';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Role, type Token, Tokens } from '../../../../server/access/tokens.js';
import type { Channel } from '../../../../server/alerts/channels/channel.js';
import { push } from '../../../../server/alerts/channels/push.js';
import { Subscriptions } from '../../../../server/alerts/subscriptions.js';
import { memoryStorage } from '../../../../server/storage/memory.js';
import { type PushService, startPushService } from '../push-service.js';
import { messageOf, PANEL_ID } from './message.js';

interface Context {
  service: PushService;
  other: PushService;
  tokens: Tokens;
  subscriptions: Subscriptions;
  owner: Token;
  channel: Channel;
  /** How far the clock is ahead, in milliseconds. */
  clock: { ahead: number };
}

const test = suite<Context>('Web Push');

const HOUR = 3_600_000;
const AUTHOR = { judge: () => undefined };

test.before.each(async (context) => {
  const clock = { ahead: 0 };
  const now = () => Date.now() + clock.ahead;
  const storage = memoryStorage(now);
  context.clock = clock;
  context.service = await startPushService(now);
  context.other = await startPushService(now);
  context.tokens = await Tokens.open(storage);
  context.subscriptions = await Subscriptions.open(storage, context.tokens, pino({ level: 'silent' }), true);
  context.owner = await tokenOf(context);
  const ca = context.service.authority + context.other.authority;
  context.channel = push({ contact: 'mailto:owner@example.org' }, context.subscriptions, {
    allowPrivate: true,
    ca,
    now,
  });
});
test.after.each(async ({ service, other }) => {
  await service.close();
  await other.close();
});

const tokenOf = async (
  { tokens }: Context,
  more: { role?: Role; twin_ids?: string[]; expires_at?: string } = {},
): Promise<Token> => (await tokens.create({ role: 'owner', ...more })).token;

/** Subscribes a new phone. @returns its id */
async function phone(
  { subscriptions, service, owner }: Context,
  { at = service, token = owner }: { at?: PushService; token?: Token } = {},
): Promise<string> {
  const key = (await subscriptions.key()).id;
  const body = { ...(await at.subscribe(key)), application_server_key: key };
  return (await subscriptions.add(body as never, token, AUTHOR)).id;
}

test('each service gets a token for its own origin, now and 13 hours later, and the message reaches the phone', async (context) => {
  const { channel, service, other, clock } = context;
  const targets = [await phone(context), await phone(context, { at: other })];
  const message = messageOf();
  assert.equal(channel.targets(message), targets);
  for (const ahead of [0, 13 * HOUR]) {
    clock.ahead = ahead;
    for (const target of targets) assert.equal(await channel.send(message, target), { kind: 'delivered' });
  }
  assert.equal([...service.faults, ...other.faults], []);
  assert.equal([service.pushed.length, other.pushed.length], [2, 2]);
  const all = [...service.pushed, ...other.pushed];
  assert.is(new Set(all.map(({ token }) => token)).size, 4);
  for (const { headers, message: got } of all) {
    assert.equal([headers.urgency, headers.ttl], ['high', '3600']);
    assert.equal(
      [got.id, got.alert_id, got.kind, got.telling, got.panel_id, got.title],
      [message.id, 'alert-1', 'triggered', 'raised', PANEL_ID, 'Alarm: Cabin, window'],
    );
  }
  assert.is(new Set(all.map(({ headers }) => headers.topic)).size, 1);
});

test('that an alarm is over takes the place of the alarm, is kept for less time, and is less urgent', async (context) => {
  const { channel, service } = context;
  const target = await phone(context);
  await channel.send(messageOf(), target);
  await channel.send(messageOf({ telling: 'resolved' }), target);
  const [raised, resolved] = service.pushed;
  assert.is(raised?.headers.topic, resolved?.headers.topic);
  assert.equal([resolved?.headers.ttl, resolved?.headers.urgency], ['600', 'normal']);
  const { alert } = messageOf();
  await channel.send(messageOf({ alert: { ...alert, id: 'alert-2' } }), target);
  assert.is.not(service.pushed[2]?.headers.topic, raised?.headers.topic);
});

test('a long text of four-byte characters is cut at a character, and the rest is whole', async (context) => {
  const { channel, service } = context;
  const target = await phone(context);
  const title = `Alarm: ${'🚪'.repeat(500)}`;
  for (const text of ['🔔'.repeat(2500), '"\n'.repeat(3000)]) {
    assert.equal(await channel.send(messageOf({ title, text }), target), { kind: 'delivered' });
    const { bytes, message } = service.pushed.at(-1) ?? { bytes: 0, message: {} };
    assert.ok(bytes > 2000 && bytes <= 4096, String(bytes));
    assert.ok(message.text.endsWith('…') && text.startsWith(message.text.slice(0, -1)));
    assert.ok(!/\p{Surrogate}|\ufffd/u.test(message.title + message.text));
    assert.equal([message.alert_id, message.link], ['alert-1', messageOf().link]);
  }
  assert.equal(service.faults, []);
});

test('a message that is too long for the service is sent once more with little text', async (context) => {
  const { channel, service, subscriptions } = context;
  const target = await phone(context);
  service.replies.push({ status: 413 }, { status: 413 });
  const outcome = await channel.send(messageOf({ text: 'x'.repeat(3000) }), target);
  assert.equal(outcome, { kind: 'failed', reason: 'status 413' });
  const [whole, little] = service.pushed;
  assert.is(service.pushed.length, 2);
  assert.ok((whole?.bytes ?? 0) > 3000 && (little?.bytes ?? 0) < 1000);
  assert.is(little?.message.alert_id, 'alert-1');
  assert.ok(subscriptions.get(target) !== undefined);
});

for (const status of [404, 410]) {
  test(`${status} removes exactly that subscription`, async (context) => {
    const { channel, service } = context;
    const [gone, kept] = [await phone(context), await phone(context)];
    service.replies.push({ status });
    assert.equal(await channel.send(messageOf(), gone), { kind: 'failed', reason: `status ${status}` });
    assert.equal(channel.targets(messageOf()), [kept]);
  });
}

for (const status of [400, 401, 403, 307]) {
  test(`${status} is shown and not tried again, and the phone stays`, async (context) => {
    const { channel, service, other } = context;
    const target = await phone(context);
    service.replies.push({ status, headers: { Location: `${other.origin}/push/1` } });
    assert.equal(await channel.send(messageOf(), target), { kind: 'failed', reason: `status ${status}` });
    assert.equal(channel.targets(messageOf()), [target]);
    assert.equal([service.pushed.length, other.pushed.length, other.faults.length], [1, 0, 0]);
  });
}

test('a service that is busy says when to come again', async (context) => {
  const { channel, service } = context;
  const target = await phone(context);
  service.replies.push({ status: 429, headers: { 'Retry-After': '30' } }, { status: 503 });
  const busy = { kind: 'again', reason: 'status 429', afterMs: 30_000 };
  assert.equal(await channel.send(messageOf(), target), busy);
  assert.is((await channel.send(messageOf(), target)).kind, 'again');
});

test('a phone whose token is revoked hears nothing more, also of what waits', async (context) => {
  const { channel, tokens, service } = context;
  const token = await tokenOf(context, { role: 'app' });
  const target = await phone(context, { token });
  await tokens.revoke(token.id);
  assert.equal(channel.targets(messageOf()), []);
  assert.is((await channel.send(messageOf(), target)).kind, 'failed');
  assert.equal(service.pushed, []);
});

test('a phone whose token has expired hears nothing more, also of what waits', async (context) => {
  const { channel, clock, service } = context;
  const expires_at = new Date(Date.now() + HOUR).toISOString();
  const target = await phone(context, { token: await tokenOf(context, { role: 'app', expires_at }) });
  assert.equal(channel.targets(messageOf()), [target]);
  clock.ahead = 2 * HOUR;
  assert.equal(channel.targets(messageOf()), []);
  assert.is((await channel.send(messageOf(), target)).kind, 'failed');
  assert.equal(service.pushed, []);
});

test('a phone with a token for some panels hears of those, and not of the server', async (context) => {
  const { channel } = context;
  const { alert } = messageOf();
  const own = await phone(context, { token: await tokenOf(context, { twin_ids: [PANEL_ID] }) });
  await phone(context, { token: await tokenOf(context, { twin_ids: ['another'] }) });
  const all = await phone(context);
  assert.equal(channel.targets(messageOf()), [own, all]);
  assert.equal(channel.targets(messageOf({ alert: { ...alert, panel_id: null } })), [all]);
});

test('a certificate of another authority ends the attempt before anything is said', async (context) => {
  const { subscriptions, service, other } = context;
  const stranger = push({ contact: 'mailto:owner@example.org' }, subscriptions, {
    allowPrivate: true,
    ca: other.authority,
  });
  assert.is((await stranger.send(messageOf(), await phone(context))).kind, 'again');
  assert.equal([service.pushed, service.faults], [[], []]);
});

test.run();
