import { setTimeout as pause } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Segment } from '../../../server/storage/segment.js';
import { WriteBehind } from '../../../server/storage/write-behind.js';

const segment = (): Segment => ({ holds: 0 }) as Segment;

/** Saves that end when the test says so. */
function paused() {
  const begun: string[] = [];
  const endings: (() => void)[] = [];
  const behind = new WriteBehind(
    { writeBehindMs: 1_000_000, writeBehindFiles: 1 },
    {
      save: (name) => {
        begun.push(name);
        return new Promise((done) => endings.push(done));
      },
      saved: async () => undefined,
      onError: () => undefined,
    },
  );
  return { begun, endings, behind };
}

test('at its deadline a drain begins no further write, and waits for the one that is under way', async () => {
  const { begun, endings, behind } = paused();
  for (const name of ['one', 'other']) behind.add(name, segment());
  let isDrained = false;
  const drained = behind.drain(1).then(() => {
    isDrained = true;
  });
  // Longer than the deadline, and a few turns.
  await pause(10);
  assert.not.ok(isDrained);
  endings.shift()?.();
  await drained;
  assert.equal(begun, ['one']);
});

test('a drain writes all that is due', async () => {
  const { begun, endings, behind } = paused();
  for (const name of ['one', 'other']) behind.add(name, segment());
  const drained = behind.drain(1_000_000);
  while (begun.length < 2) {
    endings.shift()?.();
    await new Promise((turn) => setImmediate(turn));
  }
  endings.shift()?.();
  await drained;
  assert.equal(begun, ['one', 'other']);
});

test.run();
