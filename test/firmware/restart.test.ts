import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Restarts } from '../../firmware/restart.js';
import { start } from '../../firmware/start.js';
import { MemoryBoard } from './memory-board.js';
import { MemoryStore } from './memory-store.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DESIRED = '$SCW/twins/me/desired/changed';

/** A panel that has come up on this flash. */
function started(storage = new MemoryStore(), settings = {}): MemoryBoard {
  const board = new MemoryBoard(settings, storage);
  start(board);
  return board;
}

/** Comes up, runs so long, and meets an exception. */
function crashAfter(uptime: number, storage: MemoryStore, settings = {}): MemoryStore {
  const board = started(storage, settings);
  board.advance(uptime);
  breakDown(board);
  assert.is(board.restarts, 1);
  return storage.afterPowerCut();
}

/** An exception in the firmware: the siren's output fails in the turn in which the door opens. */
function breakDown(board: MemoryBoard): void {
  board.show = () => {
    throw new Error('broken');
  };
  board.setLevel(board.level === 0 ? 1 : 0);
  board.advance(30);
}

function crashes(times: number, uptime: number, settings = {}): MemoryStore {
  let storage = new MemoryStore();
  for (let time = 0; time < times; time++) storage = crashAfter(uptime, storage, settings);
  return storage;
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

test('after five restarts within a minute the panel runs without the network for 15 minutes', () => {
  const board = started(crashes(5, 10 * SECOND));
  assert.is(board.networkStarts, 0);
  board.advance(15 * MINUTE - 1);
  assert.is(board.networkStarts, 0);
  assert.is(board.clients.length, 0);
  board.advance(1);
  assert.is(board.networkStarts, 1);
  board.advanceToConnection();
});

test('door and siren work without the network', () => {
  const storage = crashes(5, 10 * SECOND);
  const armed = started();
  armed.advanceToConnection();
  armed.client.accept();
  armed.client.deliver(DESIRED, { version: 1, data: { alarm_armed: true } });
  for (const [key, block] of armed.storage.blocks) storage.blocks.set(key, block);
  const board = started(storage);
  assert.is(board.networkStarts, 0);
  board.setLevel(1);
  board.advance(30);
  assert.ok(board.siren.on);
  assert.equal(board.shown.at(-1), { armed: true, doorOpen: true, sirenRinging: true, online: false });
});

test('four restarts within a minute are not too many', () => {
  assert.is(started(crashes(4, SECOND)).networkStarts, 1);
});

test('five restarts in more than a minute are not too many', () => {
  assert.is(started(crashes(5, 20 * SECOND)).networkStarts, 1);
  assert.is(started(crashes(50, 16 * SECOND)).networkStarts, 1);
});

test('a long time without a restart begins the count anew', () => {
  let storage = crashes(4, SECOND);
  storage = crashAfter(MINUTE, storage);
  assert.is(started(storage).networkStarts, 1);
});

test('when the 15 minutes are over, a power cut does not bring them back', () => {
  const board = started(crashes(5, SECOND));
  board.advance(15 * MINUTE);
  assert.is(started(board.storage.afterPowerCut()).networkStarts, 1);
});

test('the window and the pause are settings', () => {
  const settings = { restartWindow: 10 * MINUTE, networkPause: MINUTE };
  const board = started(crashes(5, 2 * MINUTE, settings), settings);
  assert.is(board.networkStarts, 0);
  board.advance(MINUTE);
  assert.is(board.networkStarts, 1);
});

test('flash is written only at a restart', () => {
  const board = started();
  board.advanceToConnection();
  board.client.accept();
  board.advance(60 * MINUTE);
  assert.is(board.storage.writes, 0);
});

test('a restart that cannot be counted is one all the same', () => {
  const board = started();
  board.storage.before = () => {
    throw new Error('worn out');
  };
  breakDown(board);
  assert.is(board.restarts, 1);
});

test('a damaged count is none', () => {
  const storage = crashes(5, SECOND);
  storage.blocks.set('restarts', new Uint8Array(20));
  const board = new MemoryBoard({}, storage);
  assert.not.ok(new Restarts(board).tooMany);
});

test.run();
