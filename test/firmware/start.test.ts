import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { start } from '../../firmware/start.js';
import { A_DATE, MemoryBoard } from './memory-board.js';
import type { MemoryStore } from './memory-store.js';

const SECOND = 1000;
const DESIRED = '$SCW/twins/me/desired';
const CURRENT = '$SCW/twins/me/current';

function started(board = new MemoryBoard()): MemoryBoard {
  start(board);
  return board;
}

function online(board = new MemoryBoard()): MemoryBoard {
  started(board);
  board.advanceToConnection();
  board.client.accept();
  board.client.deliver(`${DESIRED}/get/response/error`, { error: 'document not found' });
  board.client.take();
  return board;
}

let version = 0;
function order(board: MemoryBoard, armed: boolean): void {
  version += 1;
  board.client.deliver(`${DESIRED}/changed`, { version, data: { alarm_armed: armed } });
}

function armedStore(): MemoryStore {
  const board = online();
  order(board, true);
  return board.storage.afterPowerCut();
}

const setDoor = (board: MemoryBoard, open: boolean): void => {
  board.setLevel(open ? 1 : 0);
  board.advance(30);
};

test('the siren is driven before any network is touched', () => {
  const board = new MemoryBoard({}, armedStore());
  board.level = 1;
  board.network = () => {
    throw new Error('no network hardware');
  };
  start(board);
  assert.ok(board.siren.on);
});

test('a siren that is not to ring is driven too', () => {
  const board = started();
  assert.equal(board.siren.writes, [{ on: false, at: 0 }]);
});

test('the siren sounds in the very turn in which the open door counts', () => {
  const board = started(new MemoryBoard({}, armedStore()));
  board.setLevel(1);
  board.advance(30);
  assert.equal(board.siren.writes.at(-1), { on: true, at: 30 });
});

test('the siren falls silent when it was cut off, is reported so, and the next opening rings again', () => {
  const board = online(
    new MemoryBoard({ sirenCutOff: 180 * SECOND, keepAlive: 1000 * SECOND }, armedStore()),
  );
  setDoor(board, true);
  const rangAt = board.timers.ticks;
  board.client.take();
  board.advance(180 * SECOND - 1);
  assert.ok(board.siren.on);
  board.advance(1);
  assert.not.ok(board.siren.on);
  assert.is(board.siren.writes.at(-1)?.at, rangAt + 180 * SECOND);
  assert.equal(board.client.take().at(-1), {
    topic: `${CURRENT}/patch`,
    body: { data: { siren_ringing: false, remaining: null } },
  });
  setDoor(board, false);
  assert.not.ok(board.siren.on);
  setDoor(board, true);
  assert.ok(board.siren.on);
});

test('a timer that is early by a moment does not lose the cut-off', () => {
  const board = started(new MemoryBoard({ sirenCutOff: 10 * SECOND }, armedStore()));
  const { set } = board.timers;
  board.timers.set = (callback, delay) => set.call(board.timers, callback, delay > 1 ? delay - 1 : delay);
  setDoor(board, true);
  board.advance(20 * SECOND);
  assert.not.ok(board.siren.on);
});

test('a siren rings on when the door closes, and a disarmed panel is silent', () => {
  const board = online(new MemoryBoard({}, armedStore()));
  setDoor(board, true);
  setDoor(board, false);
  assert.ok(board.siren.on);
  order(board, false);
  assert.not.ok(board.siren.on);
});

test('arming while the door is open rings at once, and is one report', () => {
  const board = online();
  setDoor(board, true);
  board.client.take();
  order(board, true);
  assert.ok(board.siren.on);
  assert.equal(board.client.take(), [
    {
      topic: `${CURRENT}/patch`,
      body: {
        data: {
          alarm_armed: true,
          siren_ringing: true,
          remaining: 180,
          last_alarm: { contacts: ['door'], at: null },
        },
      },
    },
  ]);
});

test('a siren that follows the door does so', () => {
  const board = started(new MemoryBoard({ sirenMode: 'follow' }, armedStore()));
  setDoor(board, true);
  assert.ok(board.siren.on);
  setDoor(board, false);
  assert.not.ok(board.siren.on);
});

test('a power cut keeps the panel armed', () => {
  const board = started(new MemoryBoard({}, armedStore()));
  assert.equal(board.shown, [{ armed: true, doorOpen: false, sirenRinging: false, online: false }]);
});

test('a flag is in flash before it is reported', () => {
  const board = online();
  let reportedBefore: number | undefined;
  const { write } = board.storage;
  board.storage.write = (key, value) => {
    reportedBefore = board.client.published.length;
    write.call(board.storage, key, value);
  };
  board.client.take();
  order(board, true);
  assert.is(reportedBefore, 0);
  assert.is(board.client.published.length, 1);
});

test('an arm that flash does not take is not confirmed, and is tried again', () => {
  const board = online();
  board.client.take();
  board.storage.before = () => {
    throw new Error('worn out');
  };
  order(board, true);
  assert.equal(board.shown.at(-1)?.armed, false);
  assert.is(board.traced('cannot store that the panel is armed'), 1);
  board.storage.before = () => {};
  order(board, true);
  assert.equal(board.shown.at(-1)?.armed, true);
});

test('a disarm that flash does not take still silences the siren', () => {
  const board = online(new MemoryBoard({}, armedStore()));
  setDoor(board, true);
  board.storage.before = () => {
    throw new Error('worn out');
  };
  order(board, false);
  assert.not.ok(board.siren.on);
  assert.equal(board.shown.at(-1)?.armed, false);
});

test('a power cut at any operation of an arm never unsays one that was confirmed', () => {
  const confirmed: boolean[] = [];
  for (let operation = 1; operation <= 5; operation++) {
    const board = online();
    board.storage.cutPowerAt(operation, (_before, after) => after.slice(0, 3));
    order(board, true);
    const isConfirmed = JSON.stringify(board.client.take()).includes('"alarm_armed":true');
    confirmed.push(isConfirmed);
    const next = started(new MemoryBoard({}, board.storage.afterPowerCut()));
    if (isConfirmed) assert.ok(next.shown[0]?.armed, `cut at ${operation}`);
  }
  assert.equal(confirmed, [false, false, true, true, true], 'a write and its reading back');
});

test('the door and the siren are reported with the trusted time', () => {
  const board = online();
  board.queries[0]?.(A_DATE);
  board.client.take();
  board.advance(SECOND);
  setDoor(board, true);
  assert.equal(board.client.take(), [
    {
      topic: `${CURRENT}/patch`,
      body: { data: { last_update: '2026-01-02T03:04:06.030Z', door_open: true } },
    },
  ]);
});

test('what is shown follows every change of the door, the flag, the siren and the connection', () => {
  const board = online();
  order(board, true);
  setDoor(board, true);
  board.setNetwork(false);
  assert.equal(board.shown, [
    { armed: false, doorOpen: false, sirenRinging: false, online: false },
    { armed: false, doorOpen: false, sirenRinging: false, online: true },
    { armed: true, doorOpen: false, sirenRinging: false, online: true },
    { armed: true, doorOpen: true, sirenRinging: true, online: true },
    { armed: true, doorOpen: true, sirenRinging: true, online: false },
  ]);
});

test('the LED shows what the panel is about', () => {
  const board = online();
  assert.not.ok(board.led.on);
  order(board, true);
  assert.ok(board.led.on);
});

test('a jump of the system clock moves neither the siren nor last_update', () => {
  const board = online(new MemoryBoard({}, armedStore()));
  board.queries[0]?.(A_DATE);
  setDoor(board, true);
  board.systemClock = 0;
  board.advance(SECOND);
  board.client.take();
  setDoor(board, false);
  assert.ok(board.siren.on);
  assert.match(JSON.stringify(board.client.take()), '2026-01-02T03:04:0');
});

test.run();
