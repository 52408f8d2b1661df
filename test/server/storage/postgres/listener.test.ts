/** What a server hears, and how it knows that it may have missed something. */

import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAddress } from '../../../../server/database-address.js';
import { EngineClock } from '../../../../server/storage/postgres/clock.js';
import { BEAT_LIMITS, Listener } from '../../../../server/storage/postgres/listener.js';
import { prepareDatabase } from '../../../../server/storage/postgres/schema.js';
import { ask } from '../../../cluster/postgres.js';
import { until } from '../../../until.js';
import { type Context, withPostgres } from './open.js';
import { type BrokenNetwork, startProxy } from './proxy.js';

interface Gap {
  readonly since: string | undefined;
  readonly wasCurrent: boolean;
}

interface Heard {
  readonly listener: Listener;
  readonly clock: EngineClock;
  readonly words: string[];
  readonly gaps: Gap[];
  readonly errors: Error[];
  /** How often it was current, or was so again. */
  times: number;
}

const tests = suite<Context & { proxy: BrokenNetwork; listen: () => Heard }>('what a server hears');
const test = withPostgres(tests);
const listeners: Listener[] = [];

tests.before.each(async (context) => {
  if (context.database === undefined) return;
  const client = new pg.Client(context.database);
  await client.connect();
  await prepareDatabase(client);
  await client.end();
  const proxy = await startProxy(context.database);
  const listen = (): Heard => {
    const errors: Error[] = [];
    const clock = new EngineClock();
    const listener = new Listener({
      address: parseAddress(proxy.url),
      server: randomUUID(),
      clock,
      onError: (error) => errors.push(error),
    });
    listeners.push(listener);
    const heard: Heard = { listener, clock, words: [], gaps: [], errors, times: 0 };
    listener.on('news', (words) => heard.words.push(...words));
    listener.afterGap(async (since) => {
      heard.gaps.push({ since, wasCurrent: listener.isCurrent });
    });
    listener.onCurrent(() => {
      heard.times += 1;
    });
    return heard;
  };
  Object.assign(context, { proxy, listen });
});
tests.after.each(async ({ proxy }) => {
  await Promise.all(listeners.splice(0).map((listener) => listener.close()));
  await proxy?.close();
});

/** Moves the monotonic clock of this process for as long as the function runs. */
function later<T>(ms: number, run: () => T): T {
  const { now } = performance;
  performance.now = () => now.call(performance) + ms;
  try {
    return run();
  } finally {
    performance.now = now;
  }
}

/** A listener that is current. */
async function begun(listen: () => Heard): Promise<Heard> {
  const heard = listen();
  heard.listener.begin();
  await until(() => heard.listener.isCurrent);
  return heard;
}

/** Resolves when a beat has come back. */
async function nextBeat(listener: Listener): Promise<void> {
  const before = listener.ageMs;
  await until(() => listener.ageMs < before);
}

test('it hears the words of its channels, in order, and nothing of others', async ({ database, listen }) => {
  const { listener, words } = listen();
  assert.not(listener.isCurrent);
  listener.begin();
  await until(() => listener.isCurrent);
  await ask(
    database,
    "SELECT pg_notify('news', 'one two'), pg_notify('other', 'x'), pg_notify('news', 'three')",
  );
  await until(() => words.length === 3);
  assert.equal(words, ['one', 'two', 'three']);
});

test('before it is current the first time it finds out what is so now', async ({ listen }) => {
  const { gaps } = await begun(listen);
  assert.equal(gaps, [{ since: undefined, wasCurrent: false }]);
});

test('it is not current when its beat is late, and is so again by the next beat', async ({ listen }) => {
  const heard = await begun(listen);
  const { listener } = heard;
  later(BEAT_LIMITS.lateMs, () => {
    assert.ok(listener.ageMs >= BEAT_LIMITS.lateMs);
    assert.not(listener.isCurrent);
  });
  const { times } = heard;
  await nextBeat(listener);
  await until(() => heard.times > times && listener.isCurrent);
  assert.is(heard.gaps.length, 1);
});

test('it is not current as soon as its connection is lost, and until what it missed is known', async ({
  listen,
  proxy,
}) => {
  const { listener, gaps } = await begun(listen);
  proxy.refuse(true);
  proxy.cut();
  await until(() => !listener.isCurrent);
  proxy.refuse(false);
  await until(() => listener.isCurrent);
  assert.is(gaps.length, 2);
  assert.not(gaps[1]?.wasCurrent);
});

test('after a gap it looks from a transaction before the first one that it missed', async ({
  database,
  listen,
  proxy,
}) => {
  const { listener, gaps, words } = listen();
  const write = async (): Promise<bigint> => {
    const sql = "SELECT pg_current_xact_id() FROM pg_notify('news', 'word')";
    return BigInt(await ask(database, sql));
  };
  listener.begin();
  await until(() => listener.isCurrent);
  const heard = await write();
  await until(() => words.length === 1);
  // The next beats say that what it heard need not be looked for again.
  for (const _ of [1, 2, 3]) await nextBeat(listener);
  proxy.refuse(true);
  proxy.cut();
  await until(() => !listener.isCurrent);
  const missed = await write();
  const missedToo = await write();
  proxy.refuse(false);
  await until(() => listener.isCurrent);
  const since = BigInt(gaps[1]?.since ?? 0);
  assert.ok(since <= missed && missed < missedToo);
  assert.ok(since > 0n && since >= heard);
  assert.is(words.length, 1);
});

test('when it cannot find out what it missed, it tries again from the same transaction', async ({
  database,
  listen,
  proxy,
}) => {
  const { listener, gaps, errors } = listen();
  let isBroken = false;
  listener.afterGap(async () => {
    if (!isBroken) return;
    // The beats that come back meanwhile say nothing of what was missed before.
    for (const _ of [1, 2]) await nextBeat(listener);
    throw new Error('the database does not say');
  });
  listener.begin();
  await until(() => listener.isCurrent);
  isBroken = true;
  proxy.refuse(true);
  proxy.cut();
  await until(() => !listener.isCurrent);
  const missed = BigInt(await ask(database, 'SELECT pg_current_xact_id()'));
  proxy.refuse(false);
  await until(() => gaps.length >= 3);
  assert.not(listener.isCurrent);
  isBroken = false;
  await until(() => listener.isCurrent);
  for (const { since } of gaps.slice(1)) {
    assert.is(since, gaps[1]?.since);
    assert.ok(BigInt(since ?? 0) <= missed);
  }
  assert.is(errors[0]?.message, 'the database does not say');
});

test('a connection that is silent is given up, and what was missed on it is looked for', async ({
  listen,
  proxy,
}) => {
  const { listener, gaps } = await begun(listen);
  proxy.silence();
  await until(() => !listener.isCurrent);
  await until(() => gaps.length === 2 && listener.isCurrent);
});

test('a listener that is closed is not current', async ({ listen }) => {
  const { listener } = await begun(listen);
  await listener.close();
  assert.not(listener.isCurrent);
});

tests.run();
