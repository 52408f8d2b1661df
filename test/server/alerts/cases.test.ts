/** Cases 5, 6 and 10 to 13 of what people report of notifications: a teller with a clock that the test sets. */

import { createHmac } from 'node:crypto';
import { pino } from 'pino';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Alert } from '../../../server/alerts/alert.js';
import type { Attempt, Channel, Message } from '../../../server/alerts/channels/channel.js';
import { ntfy } from '../../../server/alerts/channels/ntfy.js';
import { webhook } from '../../../server/alerts/channels/webhook.js';
import { acknowledged, ESCALATION, reconciled } from '../../../server/alerts/life.js';
import { KnownPanel } from '../../../server/alerts/panels.js';
import { conditionsOf } from '../../../server/alerts/rules.js';
import { type ChannelSettings, parseSettings } from '../../../server/alerts/settings.js';
import { type AlertStore, openAlertStore } from '../../../server/alerts/store.js';
import { Teller } from '../../../server/alerts/teller.js';
import { type MemoryStorage, memoryStorage } from '../../../server/storage/memory.js';
import type { Document } from '../../../server/twins/document.js';
import { until } from '../../until.js';
import { messageOf } from './channels/message.js';
import { type Receiver, startReceiver } from './receiver.js';

interface Context {
  storage: MemoryStorage;
  store: AlertStore;
  teller: Teller;
  receiver: Receiver;
  /** Wall time and elapsed time, in milliseconds. */
  wall: number;
  elapsed: number;
  /** What each channel was asked to tell, as `<channel> <telling> <subject>`. */
  told: string[];
  /** Channels that are not the ones that always deliver. */
  channels: Record<string, (message: Message) => Promise<Attempt>>;
  /** A new teller on the same storage, as after a restart. */
  restart(): Promise<void>;
}

const test = suite<Context>('cases of delivery');

const T = Date.parse('2026-11-26T12:00:00.000Z');
const HOUR = 3_600_000;
const SECOND = 1000;
const PANEL = { id: 'p', name: 'Cabin' };
const at = (ms: number): string => new Date(T + ms).toISOString();

const SETTINGS = parseSettings({
  channels: [
    { id: 'a', type: 'webhook', url: 'http://localhost', group: 1 },
    { id: 'b', type: 'webhook', url: 'http://localhost', group: 2 },
  ],
});

const LIMITS = { firstPauseMs: 1, longestPauseMs: 4 };

test.before.each(async (context) => {
  Object.assign(context, { storage: memoryStorage(), wall: T, elapsed: 0, told: [], channels: {} });
  context.receiver = await startReceiver();
  const channelOf = ({ id }: ChannelSettings): Channel => ({
    targets: () => ['x'],
    send: async (message) => {
      context.told.push(`${id} ${message.telling} ${message.alert.subject}`);
      return context.channels[id]?.(message) ?? { kind: 'delivered' };
    },
  });
  context.restart = async () => {
    context.teller?.end();
    await context.teller?.settled();
    context.store = await openAlertStore(context.storage, pino({ level: 'silent' }));
    context.teller = new Teller({
      store: context.store,
      channelOf,
      linkOf: () => '',
      log: pino({ level: 'silent' }),
      clock: { now: () => context.wall, elapsed: () => context.elapsed },
      limits: LIMITS,
      onDue: () => undefined,
    });
    context.teller.configure(SETTINGS);
    context.teller.begin();
  };
  await context.restart();
});
test.after.each(async ({ teller, receiver }) => {
  teller.end();
  await teller.settled();
  await receiver.close();
});

const pass = (context: Context, ms: number): void => {
  context.wall += ms;
  context.elapsed += ms;
};

let ids = 0;

/** These contacts are in alarm now, and no others. */
async function observe({ store, wall }: Context, subjects: string[], mutedUntil?: number): Promise<Alert[]> {
  const conditions = subjects.map((subject) => ({
    kind: 'triggered' as const,
    subject,
    since: wall,
    isLifeSafety: subject === 'smoke',
  }));
  const changed = reconciled(store.alerts.all, conditions, PANEL, wall, mutedUntil, () => `n${++ids}`);
  for (const alert of changed) await store.alerts.put(alert);
  return changed;
}

/** What is sent now, once all of it has ended or waits for another attempt. */
async function tell(context: Context): Promise<string[]> {
  context.told.length = 0;
  await context.teller.tell();
  await until(() =>
    context.store.deliveries.all.every(({ status, reason }) => status !== 'waiting' || reason),
  );
  return [...context.told];
}

// Case 5b.
test('a used-up quota of ntfy is shown, tried a handful of times, and the next group gets the alarm at once', async (context) => {
  const { receiver } = context;
  for (let n = 0; n < 20; n++) receiver.replies.push({ status: 429, body: '{"code":42908,"http":429}' });
  const channel = ntfy({ url: `${receiver.url}/t`, allow_private: true });
  context.channels.a = (message) => channel.send(message, 'itself');
  await observe(context, ['window']);
  await context.teller.tell();
  await until(() => context.store.alerts.all[0]?.told === 11);
  assert.ok((await tell(context)).includes('b repeated window'));
  await until(() => context.store.deliveries.all.every(({ status }) => status !== 'waiting'));
  const [first] = context.store.deliveries.all;
  assert.equal(
    [first?.status, first?.attempts, first?.reason],
    ['failed', 5, 'the daily quota of the server is used up'],
  );
});

// Case 5d.
test('a wrong access token of ntfy is shown and not tried again', async ({ receiver }) => {
  receiver.replies.push({ status: 403 });
  const channel = ntfy({ url: `${receiver.url}/t`, token: 'tk', allow_private: true });
  assert.equal(await channel.send(messageOf(), 'itself'), {
    kind: 'failed',
    reason: 'the server refuses the access token (status 403)',
  });
});

// Case 6.
test('a webhook that fails, then hangs, gets the same event with new signatures, and later alerts go on', async (context) => {
  const { receiver } = context;
  receiver.replies.push({ status: 500 }, 'hang');
  let sent = 0;
  context.channels.a = (message) => {
    const signer = webhook(
      { url: receiver.url, method: 'POST', headers: {}, secrets: ['new', 'old'], allow_private: true },
      () => T + ++sent * SECOND,
      400,
    );
    return signer.send(message, 'itself');
  };
  await observe(context, ['window']);
  await context.teller.tell();
  await receiver.count(2);
  await observe(context, ['window', 'door']);
  await context.teller.tell();
  await receiver.count(4);
  await until(() => context.store.deliveries.all.every(({ status }) => status === 'delivered'));
  const [first] = receiver.received;
  const same = receiver.received.filter(
    ({ headers }) => headers['webhook-id'] === first?.headers['webhook-id'],
  );
  assert.is(same.length, 3);
  assert.is(new Set(same.map(({ body }) => body)).size, 1);
  assert.is(new Set(same.map(({ headers }) => headers['webhook-timestamp'])).size, 3);
  for (const { headers, body } of same) {
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    const expected = ['new', 'old'].map(
      (secret) => `v1,${createHmac('sha256', secret).update(signed).digest('base64')}`,
    );
    assert.is(headers['webhook-signature'], expected.join(' '));
  }
  const id = first?.headers['webhook-id'];
  const order = receiver.received.map(({ headers }) => headers['webhook-id'] === id);
  assert.equal(order, [true, true, false, true]);
});

// Case 10.
test('each alarm of a contact that flaps is sent and is over once, and another one stays', async (context) => {
  const steps: [ms: number, subjects: string[], expected: string[]][] = [
    [0, ['A'], ['a raised A']],
    [5, [], ['a resolved A']],
    [3, ['A'], ['a raised A']],
    [2, ['A', 'B'], ['a raised B']],
    [40, ['B'], ['a resolved A']],
    [15, ['B', 'A'], ['a raised A']],
  ];
  for (const [seconds, subjects, expected] of steps) {
    pass(context, seconds * SECOND);
    await observe(context, subjects);
    assert.equal(await tell(context), expected);
  }
  assert.is(context.store.alerts.all.at(-1)?.flaps, 2);
});

// Cases 11a and 11b.
test('a repeat keeps its time over a restart, and one that was due meanwhile is sent once after the start', async (context) => {
  await observe(context, ['window']);
  await tell(context);
  pass(context, 20 * SECOND);
  context.elapsed = 0;
  await context.restart();
  assert.equal(await tell(context), []);
  pass(context, 39 * SECOND);
  assert.equal(await tell(context), []);
  pass(context, SECOND);
  assert.equal(await tell(context), ['a repeated window']);
  pass(context, 10 * ESCALATION.repeatMs);
  context.elapsed = 0;
  await context.restart();
  assert.equal(await tell(context), ['a repeated window']);
  assert.equal(await tell(context), []);
});

// Case 11d.
test('an alarm that was acknowledged and forgotten is sent again after an hour, also over a restart, and then repeated', async (context) => {
  const [alert] = await observe(context, ['window']);
  await tell(context);
  await context.store.alerts.put(acknowledged(context.store.alerts.get(alert?.id ?? '') as Alert, 'Anna', T));
  assert.equal(await tell(context), []);
  pass(context, HOUR / 2);
  context.elapsed = 0;
  await context.restart();
  assert.equal(await tell(context), []);
  pass(context, HOUR / 2);
  assert.equal(await tell(context), ['a repeated window']);
  assert.equal(await tell(context), []);
  pass(context, ESCALATION.repeatMs);
  assert.equal(await tell(context), ['a repeated window']);
});

// Case 11e.
test('a further contact in an acknowledged alarm is sent at once and repeated, and the first one is not', async (context) => {
  const [alert] = await observe(context, ['window']);
  await tell(context);
  await context.store.alerts.put(acknowledged(context.store.alerts.get(alert?.id ?? '') as Alert, 'Anna', T));
  pass(context, SECOND);
  await observe(context, ['window', 'door']);
  assert.equal(await tell(context), ['a raised door']);
  pass(context, ESCALATION.repeatMs);
  assert.equal(await tell(context), ['a repeated door']);
});

// Case 12.
test('at the end of a mute what began before and is over, and what began inside and is still so, is sent once', async (context) => {
  await observe(context, ['O1', 'O2']);
  await tell(context);
  for (const alert of context.store.alerts.all) await context.store.alerts.put({ ...alert, tell_at: null });
  const end = T + 600 * SECOND;
  pass(context, 100 * SECOND);
  await observe(context, ['O2', 'O3', 'O4'], end);
  pass(context, 100 * SECOND);
  await observe(context, ['O2', 'O3', 'smoke'], end);
  assert.equal(await tell(context), ['a raised smoke']);
  for (const alert of context.store.alerts.all) {
    if (alert.subject === 'smoke') await context.store.alerts.put({ ...alert, tell_at: null });
  }
  assert.equal(await tell(context), []);
  pass(context, 400 * SECOND);
  assert.equal((await tell(context)).sort(), ['a raised O3', 'a resolved O1']);
  const real = context.store.alerts.all.find(({ subject }) => subject === 'O3');
  assert.is(real?.raised_at, at(100 * SECOND));
  assert.ok(
    context.store.alerts.all.some(({ subject }) => subject === 'O4'),
    'it is in the list',
  );
});

// Case 13.
for (const [step, words] of [
  [HOUR, 'forward'],
  [-HOUR, 'back'],
] as const) {
  test(`a clock that is set ${words} by an hour neither hurries nor holds up a repeat`, async (context) => {
    await observe(context, ['window']);
    await tell(context);
    assert.ok(context.teller.next, 'the repeat is planned');
    pass(context, 10 * SECOND);
    context.wall += step;
    assert.equal(await tell(context), []);
    pass(context, ESCALATION.repeatMs - 10 * SECOND);
    assert.equal(await tell(context), ['a repeated window']);
  });

  test(`a clock that is set ${words} by an hour before a restart holds up a repeat for one interval at most`, async (context) => {
    await observe(context, ['window']);
    await tell(context);
    context.wall += step;
    await context.restart();
    await tell(context);
    pass(context, ESCALATION.repeatMs);
    assert.equal(await tell(context), ['a repeated window']);
  });
}

// Case 13.
test('a clock that is set neither hurries nor hides that a panel is lost', () => {
  let [wall, elapsed] = [T, 0];
  const panel = new KnownPanel({ now: () => wall, elapsed: () => elapsed });
  const data = JSON.stringify({ alarm_armed: true, siren_ringing: false, door_open: false });
  panel.report({ version: 1, updatedAt: at(0), data } as Document, true);
  panel.gone();
  const isLost = (): boolean =>
    conditionsOf(panel, wall, { unreachableAfter: 60_000, doorOpenAfter: undefined }).conditions.length > 0;
  for (const step of [HOUR, -2 * HOUR]) {
    wall += step;
    assert.not.ok(isLost());
    wall += 29_000;
    elapsed += 29_000;
    assert.not.ok(isLost());
  }
  wall += 2000;
  elapsed += 2000;
  assert.ok(isLost());
});

test('when the disk takes no writes, alerts in memory are sent and repeated all the same', async (context) => {
  await observe(context, ['window', 'door']);
  context.storage.failWith(new Error('the disk is full'));
  assert.equal(await tell(context), ['a raised window', 'a raised door']);
  pass(context, ESCALATION.repeatMs);
  assert.equal(await tell(context), ['a repeated window', 'a repeated door']);
});

test.run();
