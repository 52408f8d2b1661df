import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Restarts } from '../../firmware/restart.js';
import { start } from '../../firmware/start.js';
import { MemoryBoard } from './memory-board.js';
import { MemoryStore } from './memory-store.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DESIRED = '$SCW/twins/me/desired/changed';

const POWER = { wanted: true, reason: 'power on' };
const WATCHDOG = { wanted: false, reason: 'task watchdog' };

/** A panel that has come up on this flash. */
function started(storage = new MemoryStore(), settings = {}, why = POWER): MemoryBoard {
  const board = new MemoryBoard(settings, storage);
  board.start = why;
  start(board);
  return board;
}

/** After `times` starts after a fault, each of which ran so long, one more. */
function restarted(times: number, uptime: number, settings = {}): MemoryBoard {
  let board = started(new MemoryStore(), settings);
  for (let time = 0; time < times; time++) {
    board.advance(uptime);
    board = started(board.storage.afterPowerCut(), settings, WATCHDOG);
  }
  return board;
}

/** An exception in the firmware: the siren's output fails in the turn in which the door opens. */
function breakDown(board: MemoryBoard): void {
  board.show = () => {
    throw new Error('broken');
  };
  board.setLevel(board.level === 0 ? 1 : 0);
  board.advance(30);
}

const PLACES: [string, (board: MemoryBoard) => void][] = [
  ['the door', breakDown],
  [
    'a timer',
    (board) => {
      board.led.write = () => {
        throw new Error('broken');
      };
      board.advance(5 * SECOND);
    },
  ],
  [
    'a message',
    (board) => {
      board.advanceToConnection();
      board.client.accept();
      board.client.read = () => {
        throw new Error('broken');
      };
      board.client.deliver(DESIRED, {});
    },
  ],
  [
    'the client',
    (board) => {
      board.advanceToConnection();
      board.show = () => {
        throw new Error('broken');
      };
      board.client.accept();
    },
  ],
  [
    "the time server's answer",
    (board) => {
      board.time.set = () => {
        throw new Error('broken');
      };
      board.queries[0]?.(Date.UTC(2026, 6, 1));
    },
  ],
  [
    'the network',
    (board) => {
      board.timers.set = () => {
        throw new Error('broken');
      };
      board.setNetwork(false);
      board.setNetwork(true);
    },
  ],
];

for (const [name, breakIn] of PLACES) {
  test(`an exception that comes from ${name} is traced and restarts the panel, once`, () => {
    const board = started();
    breakIn(board);
    assert.is(board.restarts, 1);
    assert.is(board.traced('restart after an exception: Error: broken'), 1);
    board.setLevel(0);
    board.setLevel(1);
    board.advance(MINUTE);
    assert.is(board.restarts, 1);
  });
}

test('an exception while the panel comes up restarts it', () => {
  const board = new MemoryBoard();
  board.siren.write = () => {
    throw new Error('broken');
  };
  start(board);
  assert.is(board.restarts, 1);
});

test('the armed flag is intact after a restart', () => {
  const board = started();
  board.advanceToConnection();
  board.client.accept();
  board.client.deliver(DESIRED, { version: 1, data: { alarm_armed: true } });
  breakDown(board);
  assert.is(board.restarts, 1);
  const next = started(board.storage.afterPowerCut());
  assert.ok(next.shown[0]?.armed);
});

test('after five restarts in a row the panel runs without the network for 15 minutes', () => {
  const board = restarted(5, 10 * SECOND);
  assert.is(board.networkStarts, 0);
  board.advance(15 * MINUTE - 1);
  assert.is(board.networkStarts, 0);
  assert.is(board.clients.length, 0);
  board.advance(1);
  assert.is(board.networkStarts, 1);
  board.advanceToConnection();
});

test('door and siren work without the network', () => {
  const armed = started();
  armed.advanceToConnection();
  armed.client.accept();
  armed.client.deliver(DESIRED, { version: 1, data: { alarm_armed: true } });
  const { storage } = restarted(5, SECOND);
  for (const [key, block] of armed.storage.blocks) storage.blocks.set(key, block);
  const board = started(storage);
  assert.is(board.networkStarts, 0);
  board.setLevel(1);
  board.advance(30);
  assert.ok(board.siren.on);
  assert.equal(board.shown.at(-1), { armed: true, doorOpen: true, sirenRinging: true, online: false });
});

test('four restarts in a row are not too many', () => {
  assert.is(restarted(4, SECOND).networkStarts, 1);
});

test('restarts count however slowly they come, as long as none of them runs for a minute', () => {
  assert.is(restarted(5, MINUTE - 1).networkStarts, 0);
});

test('a minute without a restart begins the count anew', () => {
  assert.is(restarted(50, MINUTE).networkStarts, 1);
});

test('a restart is counted before the siren is driven, which may be what ends the program', () => {
  let { storage } = started();
  for (let time = 0; time < 5; time++) {
    const board = new MemoryBoard({}, storage.afterPowerCut());
    board.start = WATCHDOG;
    board.siren.write = () => {
      throw new Error('brown-out');
    };
    start(board);
    storage = board.storage;
  }
  assert.is(started(storage.afterPowerCut(), {}, WATCHDOG).networkStarts, 0);
});

test('a person who cuts the power is not counted, and does not begin the count anew', () => {
  let board = started();
  for (let time = 0; time < 20; time++) board = started(board.storage.afterPowerCut());
  assert.is(board.networkStarts, 1);
  assert.is(started(restarted(4, SECOND).storage.afterPowerCut(), {}, POWER).networkStarts, 1);
  assert.is(started(restarted(5, SECOND).storage.afterPowerCut(), {}, POWER).networkStarts, 0);
});

test('when the 15 minutes are over, a power cut does not bring them back', () => {
  const board = restarted(5, SECOND);
  board.advance(15 * MINUTE);
  assert.is(started(board.storage.afterPowerCut()).networkStarts, 1);
});

test('the reason of the start is traced', () => {
  assert.is(started(undefined, {}, WATCHDOG).traced('start: task watchdog'), 1);
});

test('the pause and what counts as running well are settings', () => {
  const settings = { healthyAfter: 10 * MINUTE, networkPause: MINUTE };
  const board = restarted(5, 2 * MINUTE, settings);
  assert.is(board.networkStarts, 0);
  board.advance(MINUTE);
  assert.is(board.networkStarts, 1);
});

test('a panel that was started by its power writes no flash for this', () => {
  const board = started();
  board.advanceToConnection();
  board.client.accept();
  board.advance(60 * MINUTE);
  assert.is(board.storage.writes, 0);
});

test('flash is written at each restart up to the fifth, and once when it is forgotten', () => {
  let board = started();
  const writes: number[] = [];
  for (let time = 0; time < 7; time++) {
    board = started(board.storage.afterPowerCut(), {}, WATCHDOG);
    writes.push(board.storage.writes);
  }
  assert.equal(writes, [1, 1, 1, 1, 1, 0, 0]);
  board.advance(60 * MINUTE);
  assert.is(board.storage.writes, 1);
});

test('a restart that cannot be counted is one all the same', () => {
  const storage = new MemoryStore();
  storage.before = () => {
    throw new Error('worn out');
  };
  const board = started(storage, {}, WATCHDOG);
  assert.is(board.traced('cannot count restarts'), 1);
  assert.is(board.networkStarts, 1);
});

test('a damaged count is none', () => {
  const { storage } = restarted(5, SECOND);
  storage.blocks.set('restarts', new Uint8Array(20));
  assert.not.ok(new Restarts(new MemoryBoard({}, storage)).tooMany);
});

test.run();
