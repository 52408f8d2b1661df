import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Clock } from '../../firmware/clock.js';
import { A_DATE, MemoryBoard } from './memory-board.js';
import { MemoryStore } from './memory-store.js';

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;
const FLASHED_AT = Date.UTC(2025, 5, 1);

function clockOn(storage = new MemoryStore(), systemClock = 0) {
  const board = new MemoryBoard({ flashedAt: FLASHED_AT }, storage);
  board.systemClock = systemClock;
  let trusted = 0;
  const clock = new Clock(board, () => {
    trusted += 1;
  });
  return { board, clock, timesTrusted: () => trusted };
}

function answer(board: MemoryBoard, now: number | undefined): void {
  const query = board.queries.at(-1);
  assert.ok(query, 'the time server was asked');
  query?.(now);
}

test('there is no time before a time server told it, whatever the system clock says', () => {
  const { board, clock } = clockOn(undefined, A_DATE);
  assert.is(clock.now(), undefined);
  clock.networkUp();
  board.advance(HOUR);
  assert.is(clock.now(), undefined);
});

test('from the first answer on the time is known, and goes on', () => {
  const { board, clock, timesTrusted } = clockOn();
  clock.networkUp();
  board.advance(700);
  answer(board, A_DATE);
  assert.is(clock.now(), A_DATE);
  assert.is(timesTrusted(), 1);
  board.advance(5 * SECOND);
  assert.is(clock.now(), A_DATE + 5 * SECOND);
});

test('the answer sets the system clock, which TLS looks at', () => {
  const { board, clock } = clockOn();
  clock.networkUp();
  answer(board, A_DATE);
  assert.is(board.systemClock, A_DATE);
});

test('a jump of the system clock does not move the time', () => {
  const { board, clock } = clockOn();
  clock.networkUp();
  answer(board, A_DATE);
  board.systemClock = 0;
  board.advance(SECOND);
  assert.is(clock.now(), A_DATE + SECOND);
});

for (const [name, now] of [
  ['1970', 0],
  ['a time before the board was flashed', FLASHED_AT - 1],
  ['a time after 2099', Date.UTC(2100, 0, 1)],
  ['no number', Number.NaN],
] as const) {
  test(`${name} is no credible answer`, () => {
    const { board, clock } = clockOn();
    clock.networkUp();
    for (let time = 0; time < 5; time++) answer(board, now);
    assert.is(clock.now(), undefined);
    assert.is(board.traced('not credible'), 5);
  });
}

test('without an answer the time server is asked again, ever more seldom, every 10 minutes in the end', () => {
  const { board, clock } = clockOn();
  clock.networkUp();
  const askedAt = [0];
  while (askedAt.length < 12) {
    board.advance(SECOND);
    if (board.queries.length > askedAt.length) askedAt.push(board.timers.ticks / SECOND);
  }
  const pauses = askedAt.slice(1).map((at, index) => at - (askedAt[index] ?? 0));
  assert.equal(pauses, [4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600]);
});

test('the time is asked for once a day, and a failure then does not lose it', () => {
  const { board, clock, timesTrusted } = clockOn();
  clock.networkUp();
  answer(board, A_DATE);
  board.advance(DAY - 1);
  assert.is(board.queries.length, 1);
  board.advance(1);
  assert.is(board.queries.length, 2);
  answer(board, undefined);
  assert.is(clock.now(), A_DATE + DAY);
  board.advance(4 * SECOND);
  assert.is(board.queries.length, 3);
  answer(board, A_DATE + DAY + 6 * SECOND);
  assert.is(clock.now(), A_DATE + DAY + 6 * SECOND);
  assert.is(timesTrusted(), 1);
});

test('a time server that cannot be asked is asked again', () => {
  const { board, clock } = clockOn();
  const { query } = board.time;
  board.time.query = () => {
    throw new Error('no socket');
  };
  clock.networkUp();
  assert.is(board.traced('no socket'), 1);
  board.time.query = query;
  board.advance(4 * SECOND);
  answer(board, A_DATE);
  assert.is(clock.now(), A_DATE);
});

test('a network that comes back is a reason to ask at once, but only while the time is unknown', () => {
  const { board, clock } = clockOn();
  clock.networkUp();
  board.advance(HOUR);
  const asked = board.queries.length;
  clock.networkUp();
  assert.is(board.queries.length, asked + 1);
  answer(board, A_DATE);
  clock.networkUp();
  assert.is(board.queries.length, asked + 1);
});

test('the last good time is a floor under the system clock of the next start', () => {
  const first = clockOn();
  first.clock.networkUp();
  answer(first.board, A_DATE);
  const { board, clock } = clockOn(first.board.storage.afterPowerCut());
  assert.is(board.systemClock, Math.floor(A_DATE / SECOND) * SECOND);
  assert.is(clock.now(), undefined, 'it is a floor, not the time');
});

test('the first start is not before the day on which the board was flashed', () => {
  assert.is(clockOn().board.systemClock, FLASHED_AT);
});

test('a board that is flashed anew has the later floor', () => {
  const first = clockOn();
  first.clock.networkUp();
  answer(first.board, A_DATE);
  const board = new MemoryBoard({ flashedAt: A_DATE + DAY }, first.board.storage.afterPowerCut());
  new Clock(board, () => {});
  assert.is(board.systemClock, A_DATE + DAY);
});

test('a system clock above the floor is left alone', () => {
  const { board } = clockOn(undefined, A_DATE);
  assert.is(board.systemClock, A_DATE);
});

test('an answer below the floor is believed only when it is the third in a row', () => {
  const first = clockOn();
  first.clock.networkUp();
  answer(first.board, Date.UTC(2060, 0, 1));
  const { board, clock } = clockOn(first.board.storage.afterPowerCut());
  clock.networkUp();
  answer(board, A_DATE);
  answer(board, A_DATE + 1);
  assert.is(clock.now(), undefined);
  answer(board, A_DATE + 2);
  assert.is(clock.now(), A_DATE + 2);
  const third = clockOn(board.storage.afterPowerCut());
  third.clock.networkUp();
  answer(third.board, A_DATE + HOUR);
  assert.is(third.clock.now(), A_DATE + HOUR, 'the wrong floor is gone');
});

test('a damaged floor is none', () => {
  const store = new MemoryStore();
  store.blocks.set('clock', new Uint8Array(8).fill(7));
  const { board } = clockOn(store);
  assert.is(board.systemClock, FLASHED_AT);
});

test('restarts within half a day do not wear the flash out', () => {
  let store = new MemoryStore();
  let writes = 0;
  for (let hour = 0; hour < 24; hour++) {
    const { board, clock } = clockOn(store);
    clock.networkUp();
    answer(board, A_DATE + hour * HOUR);
    writes += store.writes;
    store = store.afterPowerCut();
  }
  assert.is(writes, 2);
});

test('a floor that cannot be kept is traced, and the time is known all the same', () => {
  const { board, clock } = clockOn();
  board.storage.before = () => {
    throw new Error('worn out');
  };
  clock.networkUp();
  answer(board, A_DATE);
  assert.is(clock.now(), A_DATE);
  assert.is(board.traced('cannot keep the time'), 1);
});

test.run();
