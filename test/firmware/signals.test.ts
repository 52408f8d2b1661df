import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { PanelStatus } from '../../firmware/board.js';
import { FLASHES, Signals } from '../../firmware/signals.js';
import type { Trouble } from '../../firmware/trouble.js';
import { MemoryBoard } from './memory-board.js';

const QUIET: PanelStatus = {
  armed: false,
  doorOpen: false,
  sirenRinging: false,
  contacts: [],
  state: 'disarmed',
  mode: 'away',
  delayEnd: undefined,
  refused: false,
  online: true,
};

function ledThatShows(...statuses: (Partial<PanelStatus> & { trouble?: Trouble })[]) {
  const board = new MemoryBoard();
  const signals = new Signals(board);
  for (const { trouble = 'server', ...status } of statuses) signals.show({ ...QUIET, ...status }, trouble);
  return { board, signals };
}

/** How long the LED was on and off in turns, over 20 s. */
function rhythm(board: MemoryBoard): number[] {
  board.advance(20_000);
  const moments = board.led.writes.map(({ at }) => at);
  return moments.slice(1).map((at, index) => at - (moments[index] ?? 0));
}

for (const [name, status, on] of [
  ['off when the panel is disarmed and online', {}, false],
  ['off also while the door of a disarmed panel is open', { doorOpen: true }, false],
  ['on when the panel is armed', { armed: true }, true],
] as const) {
  test(`the LED is ${name}`, () => {
    const { board } = ledThatShows(status);
    assert.is(board.led.on, on);
    assert.equal(rhythm(board), []);
    assert.is(board.timers.waiting.size, 0);
  });
}

for (const [name, status, on, off] of [
  ['blinks slowly when the panel is offline', { online: false }, 200, 1800],
  [
    'blinks slowly and is mostly on when the panel is offline and armed',
    { online: false, armed: true },
    1800,
    200,
  ],
  ['blinks fast when the siren rings', { armed: true, sirenRinging: true }, 100, 100],
  ['blinks fast when the siren rings offline', { armed: true, sirenRinging: true, online: false }, 100, 100],
] as const) {
  test(`the LED ${name}`, () => {
    const { board } = ledThatShows(status);
    assert.ok(board.led.on);
    const turns = rhythm(board);
    assert.ok(turns.length >= 8);
    assert.ok(turns.every((turn, index) => turn === (index % 2 === 0 ? on : off)));
  });
}

for (const [trouble, count] of [
  ['server', 1],
  ['network', 2],
  ['time', 3],
  ['certificate', 4],
  ['device', 5],
] as const) {
  test(`the LED flashes ${count} times while the panel is offline for its ${trouble}`, () => {
    const { board } = ledThatShows({ online: false, trouble });
    const round = [...new Array(count - 1).fill([200, 300]).flat(), 200, 1800];
    assert.equal(rhythm(board).slice(0, 2 * round.length), [...round, ...round]);
  });

  test(`the LED of an armed panel has ${count} gaps while it is offline for its ${trouble}`, () => {
    const { board } = ledThatShows({ online: false, armed: true, trouble });
    const round = [1800, 200, ...new Array(count - 1).fill([300, 200]).flat()];
    assert.ok(board.led.writes[0]?.on);
    assert.equal(rhythm(board).slice(0, 2 * round.length), [...round, ...round]);
  });
}

for (const [name, status, round] of [
  ['an exit delay', { state: 'arming', armed: true, delayEnd: 60_000 }, [100, 900]],
  ['an entry delay', { state: 'pending', armed: true, delayEnd: 60_000 }, [100, 100, 100, 700]],
  ['a refusal', { state: 'disarmed', refused: true }, [500, 500]],
] as const) {
  test(`the LED tells ${name} from everything else, online or offline`, () => {
    for (const online of [true, false]) {
      const { board } = ledThatShows({ ...status, online });
      assert.equal(rhythm(board).slice(0, 2 * round.length), [...round, ...round]);
    }
  });
}

test('the siren has the last word, and a refusal that left the panel armed is not shown', () => {
  const ringing = ledThatShows({ state: 'triggered', armed: true, sirenRinging: true, refused: true });
  assert.equal(rhythm(ringing.board).slice(0, 2), [100, 100]);
  const { board } = ledThatShows({ state: 'armed', armed: true, refused: true });
  assert.equal([board.led.on, rhythm(board)], [true, []]);
});

/** When the beeper begins to sound, in milliseconds. */
const beeps = (board: MemoryBoard): number[] => {
  const { writes } = board.beeper;
  return writes.filter(({ on }, index) => on && !writes[index - 1]?.on).map(({ at }) => at);
};

test('the beeper sounds an exit delay once a second, and faster in the last ten seconds', () => {
  const { board, signals } = ledThatShows({ state: 'arming', armed: true, delayEnd: 15_000 });
  board.advance(15_000);
  signals.show({ ...QUIET, state: 'armed', armed: true }, 'server');
  board.advance(60_000);
  const moments = beeps(board);
  assert.equal(moments.slice(0, 7), [0, 1000, 2000, 3000, 4000, 5000, 5250]);
  assert.is(moments.at(-1), 15_000);
  assert.not.ok(board.beeper.on);
});

test('the beeper sounds an entry delay twice in each second, until the panel is disarmed', () => {
  const { board, signals } = ledThatShows({ state: 'pending', armed: true, delayEnd: 30_000 });
  board.advance(2500);
  signals.show(QUIET, 'server');
  board.advance(60_000);
  assert.equal(beeps(board), [0, 200, 1000, 1200, 2000, 2200]);
});

test('the beeper sounds a refusal with three tones, and then no more', () => {
  const { board } = ledThatShows({ refused: true });
  board.advance(60_000);
  assert.equal(beeps(board), [0, 1000, 2000]);
  assert.equal(board.beeper.writes.slice(0, 2), [
    { on: true, at: 0 },
    { on: false, at: 500 },
  ]);
});

test('the beeper leaves it to the siren to ring, and to the LED to say that the panel is offline', () => {
  for (const status of [
    { state: 'triggered', armed: true, sirenRinging: true },
    { online: false },
  ] as const) {
    const { board } = ledThatShows(status);
    board.advance(20_000);
    assert.equal(beeps(board), []);
  }
});

test('the page of the board has a row for each number of flashes', () => {
  const page = readFileSync('manifests/README.md', 'utf8');
  const rows = [...page.matchAll(/^\| (\d) \| /gm)].map(([, count]) => Number(count));
  assert.equal(rows, Object.values(FLASHES).sort());
});

test('an LED of a panel that comes online shows no trouble', () => {
  const { board, signals } = ledThatShows({ online: false, trouble: 'device' });
  signals.show(QUIET, 'device');
  assert.not.ok(board.led.on);
  assert.is(board.timers.waiting.size, 0);
});

test('the same status again does not disturb the blinking', () => {
  const { board, signals } = ledThatShows({ online: false });
  board.advance(150);
  signals.show({ ...QUIET, online: false, doorOpen: true }, 'server');
  assert.equal(rhythm(board).slice(0, 2), [200, 1800]);
});

test('another status takes over at once, and the old blinking ends', () => {
  const { board, signals } = ledThatShows({ online: false });
  board.advance(50);
  signals.show(QUIET, 'server');
  assert.not.ok(board.led.on);
  assert.is(board.timers.waiting.size, 0);
});

test.run();
