/** A server restarts, and with it 500 panels lose their connections in the same moment. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { start } from '../../firmware/start.js';
import { MemoryBoard } from './memory-board.js';

const PANELS = 500;
const MOST_IN_A_SECOND = 50;
const SECOND = 1000;
const ALL_BACK = 60 * SECOND;

/** Numbers as if by chance, the same in each run (mulberry32). */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A panel that has been online for so long, and the moment of its loss. */
function online(seed: number, uptime: number): MemoryBoard {
  const board = new MemoryBoard();
  board.random = chance(seed);
  start(board);
  board.advanceToConnection();
  board.client.accept();
  for (let left = uptime; left > 0; left -= 10 * SECOND) {
    board.advance(10 * SECOND);
    board.client.pong();
  }
  return board;
}

/** After how long each of them is accepted by the server that comes up after `down`. */
function returns(seed: number, uptime: number, down: number): number[] {
  const times = Array.from({ length: PANELS }, (_, number) => {
    const board = online(seed * PANELS + number, uptime);
    const lostAt = board.timers.ticks;
    board.client.end();
    for (;;) {
      board.advanceToConnection();
      if (board.timers.ticks - lostAt >= down) return board.timers.ticks - lostAt;
      board.client.fail();
    }
  });
  return times.sort((one, other) => one - other);
}

/** The most that come within one second, whenever it begins. */
function mostInASecond(times: number[]): number {
  let most = 0;
  let first = 0;
  for (const [index, time] of times.entries()) {
    while (time - (times[first] ?? 0) >= SECOND) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most;
}

for (const uptime of [10, 600]) {
  for (const down of [0, 2, 10, 45, 300]) {
    test(`a server that was up for ${uptime} s and down for ${down} s has ${PANELS} panels back in a minute, at most ${MOST_IN_A_SECOND} a second`, () => {
      for (let seed = 0; seed < 3; seed++) {
        const times = returns(seed, uptime * SECOND, down * SECOND);
        assert.ok(mostInASecond(times) <= MOST_IN_A_SECOND, `${mostInASecond(times)} in a second`);
        assert.ok((times.at(-1) ?? 0) <= down * SECOND + ALL_BACK);
      }
    });
  }
}

test('the count of the most in a second looks at every second', () => {
  assert.is(mostInASecond([0, 900, 999, 1000, 1899, 5000]), 4);
});

test.run();
