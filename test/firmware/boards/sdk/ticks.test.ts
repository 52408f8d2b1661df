import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ticksOf } from '../../../../firmware/boards/sdk/ticks.js';

const DAY = 24 * 60 * 60 * 1000;

/** As on an ESP32: 32 bits with a sign, whose difference is right also where they have come round. */
const esp32 = (bootedFor: number) => ({
  elapsed: bootedFor,
  get ticks(): number {
    return this.elapsed | 0;
  },
  delta: (start: number, end: number): number => (end - start) | 0,
});

test('time goes on where the counter of 32 bits comes round', () => {
  const counter = esp32(0);
  const ticks = ticksOf(counter);
  for (let day = 1; day <= 100; day++) {
    counter.elapsed += DAY;
    assert.is(ticks(), day * DAY);
  }
});

test('time begins with the board, however long the counter has been counting', () => {
  const counter = esp32(2 ** 31 - 500);
  const ticks = ticksOf(counter);
  assert.is(ticks(), 0);
  counter.elapsed += 1000;
  assert.is(ticks(), 1000);
});

test('a clock that is set back does not take time back', () => {
  const clock = { ticks: 1_000_000, delta: (start: number, end: number) => end - start };
  const ticks = ticksOf(clock);
  clock.ticks += 50;
  assert.is(ticks(), 50);
  clock.ticks -= DAY;
  assert.is(ticks(), 50);
  clock.ticks += 50;
  assert.is(ticks(), 100);
});

test.run();
