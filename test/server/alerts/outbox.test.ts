/** Messages on their way, with channels that answer as a test says. */

import { pino } from 'pino';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Attempt, Channel, Message } from '../../../server/alerts/channels/channel.js';
import { happened } from '../../../server/alerts/life.js';
import { OUTBOX_LIMITS, Outbox } from '../../../server/alerts/outbox.js';
import {
  type AlertStore,
  type Delivery,
  openAlertStore,
  PAST_DELIVERIES,
} from '../../../server/alerts/store.js';
import { type MemoryStorage, memoryStorage } from '../../../server/storage/memory.js';
import { until } from '../../until.js';

interface Context {
  storage: MemoryStorage;
  store: AlertStore;
  /** The messages that each channel was asked to send. */
  asked: Map<string, Message[]>;
  /** The answers to the next attempts of a channel; later ones are `delivered`. */
  answers: Map<string, (Attempt | (() => Promise<Attempt>))[]>;
  outbox: Outbox;
  /** The messages that have failed for good. */
  failed: string[];
  /** A new outbox on the same storage. */
  restart(): Promise<void>;
}

const test = suite<Context>('the outbox');

const LIMITS = { firstPauseMs: 1, longestPauseMs: 4, inDoubtMs: 50, tryMs: 10_000, atOnce: 2 };
const AGAIN: Attempt = { kind: 'again', reason: 'status 500' };

test.before.each(async (context) => {
  context.storage = memoryStorage();
  context.asked = new Map();
  context.failed = [];
  context.answers = new Map();
  context.restart = async () => {
    context.store = await openAlertStore(context.storage, pino({ level: 'silent' }));
    const channelOf = (id: string): Channel | undefined =>
      id === 'removed' ? undefined : { targets: () => ['x'], send: (message) => send(context, id, message) };
    context.outbox = new Outbox({
      store: context.store,
      channel: channelOf,
      onFailed: async ({ id }) => void context.failed.push(id),
      log: pino({ level: 'silent' }),
      random: () => 1,
      limits: LIMITS,
    });
    context.outbox.begin();
  };
  await context.restart();
});
test.after.each(async ({ outbox }) => {
  outbox.end();
  await outbox.settled();
});

async function send({ asked, answers }: Context, channel: string, message: Message): Promise<Attempt> {
  asked.set(channel, [...(asked.get(channel) ?? []), message]);
  const answer = answers.get(channel)?.shift() ?? { kind: 'delivered' };
  return typeof answer === 'function' ? answer() : answer;
}

function delivery(id: string, channel = 'a'): Delivery {
  const now = Date.now();
  const alert = happened(
    { kind: 'triggered', subject: '', since: now },
    { id: null, name: '' },
    now,
    undefined,
    id,
  );
  const at = new Date(now).toISOString();
  const message = { id, alert, telling: 'raised' as const, title: id, text: '', at, link: '' };
  return { id, channel, target: 'x', message, status: 'waiting', attempts: 0, at, reason: null };
}

const ended = ({ store }: Context, id: string) => until(() => store.deliveries.get(id)?.status !== 'waiting');
const told = ({ store }: Context, id: string) => {
  const { status, attempts, reason } = store.deliveries.get(id) ?? {};
  return [status, attempts, reason];
};

test('a message is delivered once, also when it is added twice', async (context) => {
  await context.outbox.add(delivery('m'));
  await context.outbox.add(delivery('m'));
  await ended(context, 'm');
  assert.equal(told(context, 'm'), ['delivered', 1, null]);
  assert.is(context.asked.get('a')?.length, 1);
});

test('a message is on stable storage before its first attempt', async (context) => {
  let stored: string | undefined;
  context.answers.set('a', [
    async () => {
      stored = context.storage.stored('alerts/deliveries').get('m')?.data;
      return { kind: 'delivered' };
    },
  ]);
  await context.outbox.add(delivery('m'));
  await ended(context, 'm');
  assert.is(JSON.parse(stored ?? '{}').attempts, 1);
});

test('a failure that may pass is tried again with the same message', async (context) => {
  context.answers.set('a', [AGAIN, AGAIN]);
  await context.outbox.add(delivery('m'));
  await ended(context, 'm');
  assert.equal(told(context, 'm'), ['delivered', 3, null]);
  const [first, ...others] = context.asked.get('a') ?? [];
  assert.equal(others, [first, first]);
});

test('a failure for good is not tried again, and says why', async (context) => {
  context.answers.set('a', [{ kind: 'failed', reason: 'status 403' }]);
  await context.outbox.add(delivery('m'));
  await ended(context, 'm');
  assert.equal(told(context, 'm'), ['failed', 1, 'status 403']);
  await until(() => context.failed.includes('m'));
});

test('a message for a channel that was removed fails', async (context) => {
  await context.outbox.add(delivery('m', 'removed'));
  await ended(context, 'm');
  assert.equal(told(context, 'm'), ['failed', 1, 'the channel was removed']);
});

test('a message is given up when the next attempt would come too late', async (context) => {
  context.answers.set('a', [{ ...AGAIN, afterMs: LIMITS.tryMs + 1000 }]);
  await context.outbox.add(delivery('m'));
  await ended(context, 'm');
  assert.equal(told(context, 'm'), ['failed', 1, 'status 500']);
});

test('a channel that hangs delays no other one', async (context) => {
  const hanging: (() => void)[] = [];
  const hang = () => new Promise<Attempt>((answer) => hanging.push(() => answer({ kind: 'delivered' })));
  context.answers.set('slow', [hang, hang, hang]);
  for (const id of ['1', '2', '3']) await context.outbox.add(delivery(id, 'slow'));
  await context.outbox.add(delivery('m', 'fast'));
  await ended(context, 'm');
  assert.is(context.asked.get('slow')?.length, LIMITS.atOnce);
  for (const end of hanging) end();
  await until(() => hanging.length === 3);
  hanging[2]?.();
  await ended(context, '3');
});

// Case 3.
test('a target that hangs delays no other target of its channel, with fifty messages in a row', async (context) => {
  const hanging: (() => void)[] = [];
  const hang = () => new Promise<Attempt>((answer) => hanging.push(() => answer({ kind: 'delivered' })));
  for (let n = 0; n < 50; n++) {
    context.answers.set('a', [hang]);
    await context.outbox.add({ ...delivery(`slow ${n}`), target: 'slow' });
    if (n < LIMITS.atOnce) await until(() => hanging.length === n + 1);
    context.answers.set('a', []);
    await context.outbox.add(delivery(`m ${n}`));
    await ended(context, `m ${n}`);
  }
  assert.is(hanging.length, LIMITS.atOnce);
  for (const end of hanging) end();
  await ended(context, 'slow 49');
});

// Case 5c.
test('a target that wants to be left alone gets no message until then, and other targets do', async (context) => {
  let refusedAt = 0;
  const refuse = async (): Promise<Attempt> => {
    refusedAt = performance.now();
    return { ...AGAIN, afterMs: 200 };
  };
  context.answers.set('a', [refuse]);
  await context.outbox.add(delivery('m'));
  await until(() => context.store.deliveries.get('m')?.reason === 'status 500');
  let askedAgainAt = 0;
  const note = async (): Promise<Attempt> => {
    askedAgainAt = performance.now();
    return { kind: 'delivered' };
  };
  await context.outbox.add({ ...delivery('other'), target: 'y' });
  await ended(context, 'other');
  context.answers.set('a', [note]);
  await context.outbox.add(delivery('next'));
  await ended(context, 'next');
  assert.ok(askedAgainAt - refusedAt > 150, 'it waited');
  await ended(context, 'm');
  assert.equal(told(context, 'm'), ['delivered', 2, null]);
});

test('a message that fails again and again is held up, and says so before it is given up', async (context) => {
  context.answers.set('a', [AGAIN, AGAIN, AGAIN]);
  await context.outbox.add(delivery('m'));
  await ended(context, 'm');
  assert.equal(context.failed, ['m']);
  assert.is(OUTBOX_LIMITS.heldUpAfter, 3);
});

test('an answer that allows a handful of attempts is not tried more often', async (context) => {
  context.answers.set('a', Array(9).fill({ ...AGAIN, attempts: 5 }));
  await context.outbox.add(delivery('m'));
  await ended(context, 'm');
  assert.equal(told(context, 'm'), ['failed', 5, 'status 500']);
});

test('a clock that is set forward by an hour does not give up a message', async (context) => {
  let wall = Date.now();
  context.outbox.end();
  const clock = { now: () => wall, elapsed: () => performance.now() };
  const send = async (): Promise<Attempt> => {
    wall += 2 * 3_600_000;
    return context.failed.length === 0 && context.failed.push('tried') === 1 ? AGAIN : { kind: 'delivered' };
  };
  context.outbox = new Outbox({
    store: context.store,
    channel: () => ({ targets: () => ['x'], send }),
    onFailed: async () => undefined,
    log: pino({ level: 'silent' }),
    clock,
    limits: LIMITS,
  });
  context.outbox.begin();
  await context.outbox.add(delivery('m'));
  await ended(context, 'm');
  assert.equal(told(context, 'm'), ['delivered', 2, null]);
});

test('a killed server goes on with what it has not tried, and with what is in doubt only after a while', async (context) => {
  context.answers.set('a', [() => new Promise(() => undefined)]);
  await context.outbox.add(delivery('in doubt'));
  await until(() => context.asked.get('a')?.length === 1);
  const before = Date.now();
  await context.restart();
  await ended(context, 'in doubt');
  assert.equal(told(context, 'in doubt'), ['delivered', 2, null]);
  assert.ok(Date.now() - before >= LIMITS.inDoubtMs - 10, 'it waited');
});

test('of the messages that have ended only the last ones are kept', async (context) => {
  for (let n = 0; n < PAST_DELIVERIES + 20; n++) {
    await context.outbox.add(delivery(`${n}`));
    await ended(context, `${n}`);
  }
  await until(() => context.storage.stored('alerts/deliveries').size === PAST_DELIVERIES + 1);
  assert.is(context.store.deliveries.get('0'), undefined);
});

test('when the disk takes no writes, a message is sent all the same', async (context) => {
  context.storage.failWith(new Error('the disk is full'));
  await context.outbox.add(delivery('m'));
  await ended(context, 'm');
  assert.is(context.asked.get('a')?.length, 1);
});

test.run();
