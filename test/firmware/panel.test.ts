import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { PanelConfig } from '../../firmware/config.js';
import { type DocumentId, NO_DOCUMENT } from '../../firmware/desired.js';
import type { Wish } from '../../firmware/message.js';
import { Panel } from '../../firmware/panel.js';
import { writeSealed } from '../../firmware/sealed.js';
import { A_DATE, MemoryBoard } from './memory-board.js';
import { MemoryStore } from './memory-store.js';

const SECOND = 1000;
const CUT_OFF = 180 * SECOND;
/** By how much what flash holds is ahead, for each start. */
const STEP = 5 * SECOND;
const ALARM = { contacts: ['door'], at: '2026-01-02T03:04:05.000Z' };

/** What a document asks for that has no other key. */
const wish = (alarm_armed: boolean, id: DocumentId = NO_DOCUMENT): Wish => ({
  alarm_armed,
  id,
  exit_delay: 0,
  entry_delay: 0,
});

type Settings = Partial<PanelConfig> & { now?: number; doorOpen?: boolean };

function boot(storage = new MemoryStore(), { now, doorOpen = false, ...settings }: Settings = {}) {
  const board = new MemoryBoard({ sirenCutOff: CUT_OFF, ...settings }, storage);
  board.level = doorOpen ? 1 : 0;
  const panel = new Panel(
    board,
    () => {},
    () => now,
  );
  const setDoor = (open: boolean): void => {
    board.setLevel(open ? 1 : 0);
    board.advance(30);
  };
  /** Lets the time pass, and returns for how much of it the siren rang. */
  const rungIn = (duration: number): number => {
    const since = board.timers.ticks;
    board.advance(duration);
    const writes = board.siren.writes.filter(({ at }) => at > since);
    const before = board.siren.writes.filter(({ at }) => at <= since).at(-1);
    let [rang, from, on] = [0, since, before?.on ?? false];
    for (const write of [...writes, { on: false, at: board.timers.ticks }]) {
      if (on) rang += write.at - from;
      [from, on] = [write.at, write.on];
    }
    return rang;
  };
  return {
    board,
    panel,
    setDoor,
    rungIn,
    arm: (armed: boolean) => panel.obey(wish(armed), 'push') === undefined,
  };
}

/** The same flash on a board that has just been switched on; the door is closed. */
const reboot = ({ board }: { board: MemoryBoard }, settings: Settings = {}) =>
  boot(board.storage.afterPowerCut(), settings);

/** A panel whose siren has been ringing for a while; the door is closed again. */
function ringing(duration: number, settings: Settings = {}) {
  const life = boot(undefined, settings);
  life.arm(true);
  life.setDoor(true);
  life.setDoor(false);
  life.board.advance(duration - 30);
  return life;
}

test('a latched siren rings on after each power cut, and all in all as long as its cut-off, less at most 5 s a start', () => {
  let life = ringing(60 * SECOND);
  let [rung, starts] = [60 * SECOND, 1];
  for (const duration of [20 * SECOND, 30 * SECOND, 7 * SECOND, 300 * SECOND]) {
    life = reboot(life);
    starts += 1;
    assert.equal(life.board.siren.writes, [{ on: true, at: 0 }], 'at once');
    assert.equal(life.panel.kept.lastAlarm, { contacts: ['door'] });
    rung += life.rungIn(duration);
  }
  assert.ok(rung >= CUT_OFF - STEP * starts, `${rung} ms`);
  assert.ok(rung <= CUT_OFF, `${rung} ms`);
  assert.not.ok(reboot(life).board.siren.on);
});

test('a siren that makes the power fail falls silent in the end', () => {
  let life = ringing(SECOND);
  let [rung, starts] = [SECOND, 1];
  for (; life.board.siren.on && starts < 1000; life = reboot(life)) {
    rung += life.rungIn(2 * SECOND);
    starts += 1;
  }
  assert.ok(starts <= 1 + CUT_OFF / STEP, `${starts} starts`);
  assert.ok(rung <= CUT_OFF);
});

test('whatever happens with the door and the power, no alarm rings longer than its cut-off', () => {
  const steps = fc.array(fc.tuple(fc.constantFrom('cut', 'open', 'close', 'wait'), fc.nat(40 * SECOND)), {
    minLength: 1,
    maxLength: 40,
  });
  fc.assert(
    fc.property(steps, (lives) => {
      let life = ringing(30);
      let [rung, isOpen] = [0, false];
      for (const [what, duration] of lives) {
        const wasOn = life.board.siren.on;
        const before = what === 'cut' ? 0 : life.board.siren.writes.length;
        if (what === 'cut') life = reboot(life, { doorOpen: isOpen });
        else if (what !== 'wait') {
          isOpen = what === 'open';
          life.setDoor(isOpen);
        }
        // A door that opens after the cut-off begins a new alarm.
        const hasEnded = !wasOn || life.board.siren.writes.slice(before).some(({ on }) => !on);
        if (hasEnded && life.board.siren.on) rung = 0;
        rung += life.rungIn(duration);
        assert.ok(rung <= CUT_OFF, `${rung} ms`);
      }
    }),
  );
});

test('a siren that was cut off stays silent after a power cut while the door is open, and the next opening rings', () => {
  const before = ringing(SECOND);
  before.setDoor(true);
  before.board.advance(CUT_OFF);
  const life = reboot(before, { doorOpen: true });
  assert.not.ok(life.board.siren.on);
  life.setDoor(false);
  assert.not.ok(life.board.siren.on);
  life.setDoor(true);
  assert.is(life.rungIn(2 * CUT_OFF), CUT_OFF);
});

test('a door that is found open although it was closed after the cut-off rings for the whole time', () => {
  const life = reboot(ringing(CUT_OFF + SECOND), { doorOpen: true });
  assert.is(life.rungIn(2 * CUT_OFF), CUT_OFF);
});

test('a siren that a disarming has silenced stays silent after a power cut, also when the panel is armed again', () => {
  const before = ringing(SECOND);
  before.arm(false);
  const disarmed = reboot(before);
  assert.not.ok(disarmed.board.siren.on);
  disarmed.arm(true);
  assert.not.ok(reboot(disarmed).board.siren.on);
});

test('arming and disarming are one write of the flash each, so that no power cut parts the flag from the rest', () => {
  const life = ringing(SECOND);
  const { storage } = life.board;
  const { writes } = storage;
  life.arm(false);
  assert.is(storage.writes, writes + 1);
  life.arm(true);
  assert.is(storage.writes, writes + 2);
});

test('a siren without a cut-off rings on after a power cut, and flash is not written for it', () => {
  const life = reboot(ringing(SECOND, { sirenCutOff: 0 }), { sirenCutOff: 0 });
  const { writes } = life.board.storage;
  assert.is(life.rungIn(10 * CUT_OFF), 10 * CUT_OFF);
  assert.is(life.board.storage.writes, writes);
});

test('a siren that follows the door does so after a power cut, and the alarm is remembered', () => {
  const before = ringing(SECOND, { sirenMode: 'follow' });
  const life = reboot(before, { sirenMode: 'follow' });
  assert.not.ok(life.board.siren.on);
  assert.ok(life.panel.kept.lastAlarm);
  const { writes } = life.board.storage;
  for (let time = 0; time < 100; time++) life.setDoor(time % 2 === 0);
  assert.is(life.board.storage.writes, writes);
});

test('an alarm takes at most 37 writes of the flash with the default cut-off, however the door moves', () => {
  const life = boot();
  life.arm(true);
  const { writes } = life.board.storage;
  life.setDoor(true);
  for (let second = 0; second < 200; second++) {
    life.setDoor(second % 2 === 0);
    life.board.advance(SECOND - 30);
    if (!life.board.siren.on) break;
  }
  assert.not.ok(life.board.siren.on);
  life.setDoor(false);
  assert.ok(life.board.storage.writes - writes <= 37, `${life.board.storage.writes - writes} writes`);
  assert.ok(life.board.storage.writes - writes >= 30);
});

test('an alarm is remembered with its time through a disarming, power cuts and an arming that fails, until one succeeds', () => {
  const before = ringing(SECOND, { now: A_DATE });
  assert.equal(before.panel.kept.lastAlarm, ALARM);
  before.arm(false);
  const life = reboot(before);
  assert.equal(life.panel.kept.lastAlarm, ALARM);
  life.board.storage.before = () => {
    throw new Error('worn out');
  };
  assert.not.ok(life.arm(true));
  assert.equal(life.panel.kept.lastAlarm, ALARM);
  life.board.storage.before = () => {};
  assert.ok(life.arm(true));
  assert.is(life.panel.kept.lastAlarm, undefined);
  assert.is(reboot(life).panel.kept.lastAlarm, undefined);
});

test('the memory keeps the first alarm, and is not cleared by an order to stay armed', () => {
  const life = ringing(SECOND, { now: A_DATE });
  life.arm(true);
  assert.equal(life.panel.kept.lastAlarm, ALARM);
  life.board.advance(CUT_OFF);
  life.setDoor(true);
  assert.ok(life.board.siren.on);
  assert.equal(life.panel.kept.lastAlarm, ALARM);
});

test('a panel that is armed again and again arms 5000 times in a row, then once in 10 s, and always disarms', () => {
  const life = boot();
  for (let time = 0; time < 5000; time++) {
    assert.ok(life.arm(true));
    assert.ok(life.arm(false));
  }
  const { writes } = life.board.storage;
  assert.is(writes, 10_000);
  assert.is(life.panel.obey(wish(true), 'push'), 'armed too often');
  assert.not.ok(life.panel.state.armed);
  assert.is(life.panel.fault, undefined);
  life.board.advance(10 * SECOND);
  assert.ok(life.arm(true));
  assert.ok(life.arm(true), 'to stay armed is no arming');
  assert.ok(life.arm(false));
  assert.not.ok(life.arm(true));
  assert.is(life.board.storage.writes, writes + 2);
});

test('orders with missed versions between them write flash as seldom, and are obeyed', () => {
  const life = boot();
  const id = (version: number) => ({ created: 1, version, updated: version });
  for (let time = 0; time < 6000; time++)
    assert.is(life.panel.obey(wish(false, id(2 * time)), 'push'), undefined);
  assert.is(life.board.storage.writes, 5000);
  assert.equal(life.panel.kept.wish, id(2 * 5999));
});

/** Flash as firmware wrote it that knew one contact and no delays. */
function oldFlash(kept: object): MemoryStore {
  const store = new MemoryStore();
  const text = JSON.stringify({ sequence: 7, kept: { wish: NO_DOCUMENT, rung: 0, ...kept } });
  assert.ok(writeSealed(store, 'armed.a', new TextEncoder().encode(text)));
  return store;
}

test('flash that older firmware wrote is read, and is not written for that', () => {
  const lastAlarm = { contacts: ['door'] };
  for (const [kept, doorOpen, rings] of [
    [{ armed: false }, true, false],
    [{ armed: true }, false, false],
    [{ armed: true }, true, true],
    [{ armed: true, rung: 60_000, lastAlarm }, false, true],
    [{ armed: true, rung: CUT_OFF, lastAlarm }, true, false],
  ] as const) {
    const { board, panel } = boot(oldFlash(kept), { doorOpen });
    assert.equal([panel.state.armed, board.siren.on], [kept.armed, rings], JSON.stringify(kept));
    if ('lastAlarm' in kept) assert.equal(panel.kept.lastAlarm, lastAlarm);
  }
  const quiet = oldFlash({ armed: false });
  const { writes } = quiet;
  boot(quiet);
  assert.is(quiet.writes, writes);
});

test('flash that takes no writes is a fault, until it takes one', () => {
  const life = boot();
  assert.is(life.panel.fault, undefined);
  life.board.storage.before = () => {
    throw new Error('worn out');
  };
  assert.not.ok(life.arm(true));
  assert.is(life.panel.fault, 'flash');
  life.board.storage.before = () => {};
  assert.ok(life.arm(false));
  assert.is(life.panel.fault, undefined);
});

test('an alarm that flash does not take rings all the same, and is said in this life', () => {
  const before = boot();
  before.arm(true);
  before.board.storage.before = () => {
    throw new Error('worn out');
  };
  before.setDoor(true);
  assert.ok(before.board.siren.on);
  assert.equal(before.panel.kept.lastAlarm, { contacts: ['door'], at: undefined });
  assert.is(before.panel.fault, 'flash');
});

test.run();
