/** The time of the database is the time of all servers. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EngineClock } from '../../../../server/storage/postgres/clock.js';
import { changeFile } from '../../../../server/storage/storage.js';
import { until } from '../../../until.js';
import { ownClock } from './database-clock.js';
import { type Context, withPostgres } from './open.js';

const HOUR = 3_600_000;

interface MonotonicTime {
  ms: number;
}

const tests = suite<Context>('the clock of a database');
const test = withPostgres(tests);

/** Runs with a monotonic clock that the test moves. */
function withTime(run: (time: MonotonicTime) => void): void {
  const time = { ms: 5000 };
  const { now } = performance;
  performance.now = () => time.ms;
  try {
    run(time);
  } finally {
    performance.now = now;
  }
}

tests('before the database has said its time, the machine says it', () => {
  assert.ok(Math.abs(new EngineClock().now() - Date.now()) < HOUR);
});

tests('the clock shows the time of the database, and runs on between two answers', () =>
  withTime((time) => {
    const clock = new EngineClock();
    const engine = Date.now() + HOUR;
    clock.hear(engine, time.ms);
    assert.is(clock.now(), engine);
    time.ms += 700;
    assert.is(clock.now(), engine + 700);
  }),
);

tests('the database said its time in the middle between the question and the answer', () =>
  withTime((time) => {
    const clock = new EngineClock();
    const asked = time.ms;
    time.ms += 100;
    clock.hear(1_000_000, asked);
    assert.is(clock.now(), 1_000_050);
  }),
);

tests('an answer that took long counts only when there is no other', () =>
  withTime((time) => {
    const clock = new EngineClock();
    time.ms += 1000;
    clock.hear(1_000_000, time.ms - 1000);
    assert.is(clock.now(), 1_000_500);
    clock.hear(9_000_000, time.ms - 1000);
    assert.is(clock.now(), 1_000_500);
    clock.hear(2_000_000, time.ms - 250);
    assert.is(clock.now(), 2_000_125);
  }),
);

for (const [direction, off] of [
  ['ahead of', HOUR],
  ['behind', -HOUR],
] as const) {
  test(`documents have the time of the database, which is an hour ${direction} that of the machine`, async ({
    database,
    open,
  }) => {
    const shows = Date.now() + off;
    const setClock = await ownClock(database, shows);
    const storage = await open();
    const isNear = (time: number, expected: number) => Math.abs(time - expected) < HOUR / 4;
    assert.ok(isNear(storage.now(), shows));
    const edit = await changeFile(storage, 'twins/aa/a', (_, updatedAt) => ({
      key: 'd',
      document: { version: 1, updatedAt, data: '{}' },
    }));
    assert.ok(isNear(Date.parse(edit?.document?.updatedAt ?? ''), shows));
    // Another database takes over, with another clock.
    await setClock(shows + HOUR / 2);
    await until(() => isNear(storage.now(), shows + HOUR / 2));
  });
}

tests.run();
