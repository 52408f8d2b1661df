import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { PanelConfig } from '../../firmware/config.js';
import { Contact, levelOf } from '../../firmware/contact.js';
import { MemoryBoard } from './memory-board.js';

const OPEN = 1;
const CLOSED = 0;

function contactOn(settings: Partial<PanelConfig> = {}, level: 0 | 1 = CLOSED) {
  const board = new MemoryBoard(settings);
  board.level = level;
  const changes: { open: boolean; at: number }[] = [];
  const contact: Contact = new Contact(board, 0, () => {
    changes.push({ open: contact.open, at: board.timers.ticks });
  });
  return { board, contact, changes };
}

test('a level counts when it stood for 30 ms, and not before', () => {
  const { board, contact, changes } = contactOn();
  board.setLevel(OPEN);
  board.advance(29);
  assert.not.ok(contact.open);
  board.advance(1);
  assert.ok(contact.open);
  assert.equal(changes, [{ open: true, at: 30 }]);
});

test('a level that did not stand never counts', () => {
  const { board, changes } = contactOn();
  board.setLevel(OPEN);
  board.advance(29);
  board.setLevel(CLOSED);
  board.advance(1000);
  assert.equal(changes, []);
});

test('after a bounce the 30 ms begin anew', () => {
  const { board, changes } = contactOn();
  board.setLevel(OPEN);
  board.advance(20);
  board.setLevel(CLOSED);
  board.advance(1);
  board.setLevel(OPEN);
  board.advance(1000);
  assert.equal(changes, [{ open: true, at: 51 }]);
});

test('an edge without another level does not prolong the wait', () => {
  const { board, changes } = contactOn();
  board.setLevel(OPEN);
  board.advance(20);
  board.edge();
  board.advance(1000);
  assert.equal(changes, [{ open: true, at: 30 }]);
});

test('an edge that is reported late counts from its own moment, in the same turn when it stood long enough', () => {
  const { board, contact, changes } = contactOn();
  board.advance(1000);
  board.setLevel(OPEN, 970);
  assert.ok(contact.open);
  assert.equal(changes, [{ open: true, at: 1000 }]);
  assert.is(board.timers.waiting.size, 0);
  board.advance(100);
  board.setLevel(CLOSED, 1090);
  board.advance(19);
  assert.ok(contact.open);
  board.advance(1);
  assert.equal(changes.at(-1), { open: false, at: 1120 });
});

test('the moment of an edge is neither before the edge before it nor in the future', () => {
  const { board, changes } = contactOn();
  board.advance(1000);
  board.setLevel(OPEN, 5000);
  board.advance(20);
  board.setLevel(CLOSED);
  board.setLevel(OPEN, 900);
  board.advance(29);
  assert.equal(changes, []);
  board.advance(1);
  assert.equal(changes, [{ open: true, at: 1050 }]);
});

test('10,000 bounces are one change, and need one timer', () => {
  const { board, changes } = contactOn();
  for (let bounce = 0; bounce < 10_000; bounce++) {
    board.setLevel(bounce % 2 === 0 ? OPEN : CLOSED);
    assert.ok(board.timers.waiting.size <= 1);
    board.advance(bounce % 7);
  }
  assert.equal(changes, []);
  board.setLevel(OPEN);
  board.advance(1000);
  assert.is(changes.length, 1);
  assert.is(board.timers.waiting.size, 0);
});

test('whatever the edges, what counts is the last level that stood', () => {
  const edges = fc.array(fc.tuple(fc.constantFrom<0 | 1>(OPEN, CLOSED), fc.nat(60)), { maxLength: 50 });
  fc.assert(
    fc.property(edges, (steps) => {
      const { board, contact } = contactOn();
      let counts = false;
      let level: 0 | 1 = CLOSED;
      let since = 0;
      for (const [next, pause] of steps) {
        if (next !== level) since = board.timers.ticks;
        level = next;
        board.setLevel(next);
        board.advance(pause);
        if (board.timers.ticks - since >= 30) counts = level === OPEN;
        assert.is(contact.open, counts);
      }
    }),
  );
});

test('an inverted contact is open when it reads low', () => {
  const { board, contact } = contactOn({ contacts: [{ name: 'door', kind: 'entry', inverted: true }] });
  assert.ok(contact.open);
  board.setLevel(1);
  board.advance(30);
  assert.not.ok(contact.open);
});

test('the time that a level must stand is a setting', () => {
  const { board, changes } = contactOn({ debounce: 100 });
  board.setLevel(OPEN);
  board.advance(1000);
  assert.equal(changes, [{ open: true, at: 100 }]);
});

test('at the start the level counts at once, and is no change', () => {
  const { contact, changes } = contactOn({}, OPEN);
  assert.ok(contact.open);
  assert.equal(changes, []);
});

test('an edge that was lost is made up for by the next look', () => {
  const { board, contact } = contactOn();
  board.level = OPEN;
  board.advance(10_000);
  assert.not.ok(contact.open);
  contact.look();
  board.advance(30);
  assert.ok(contact.open);
});

/** Of a pull-up of 10 kΩ to 3.3 V, read by a converter whose range is 2.45 V. */
const readingOf = (kiloohms: number, pullUp = 10): number =>
  Math.min(1, ((3.3 / 2.45) * kiloohms) / (kiloohms + pullUp));
const SERIES = 4.7;
const ACROSS = 4.7;
const CUT = 1e6;

const LINES: [what: string, kiloohms: number, level: boolean | 'cut' | 'shorted'][] = [
  ['a closed contact', SERIES, false],
  ['an open contact', SERIES + ACROSS, true],
  ['a line that is cut', CUT, 'cut'],
  ['a line that is shorted', 0, 'shorted'],
  ['a closed contact at the end of a long wire', SERIES + 0.1, false],
  ['an open contact at the end of a long wire', SERIES + ACROSS + 0.1, true],
  ['a line that is shorted at the end of a long wire', 0.1, 'shorted'],
  ['a line that is cut and wet', 100, 'cut'],
];
for (const [what, kiloohms, level] of LINES) {
  test(`${what} has a voltage of its own, with resistors that are off by a tenth`, () => {
    for (const off of [0.9, 1, 1.1]) {
      for (const pullUp of [9.5, 10, 10.5])
        assert.is(
          levelOf(readingOf(kiloohms * off, pullUp), { name: 'w', kind: 'instant', line: 'resistor' }),
          level,
        );
    }
  });
}

test('an inverted contact with resistors is open when it is closed, and its line is cut as any other', () => {
  const inverted = { name: 'w', kind: 'instant', line: 'resistor', inverted: true } as const;
  const levels = [SERIES, SERIES + ACROSS, CUT, 0].map((kiloohms) => levelOf(readingOf(kiloohms), inverted));
  assert.equal(levels, [true, false, 'cut', 'shorted']);
});

test('a voltage that cannot be measured counts as a cut line', () => {
  assert.is(levelOf(Number.NaN, { name: 'w', kind: 'instant', line: 'resistor' }), 'cut');
});

test('a line with resistors is measured again and again, and a fault counts when it has stood for 30 ms', () => {
  const { board, contact, changes } = contactOn({
    contacts: [{ name: 'w', kind: 'instant', line: 'resistor' }],
  });
  const closed = readingOf(SERIES);
  board.levels[0] = closed;
  board.advance(1000);
  assert.not.ok(contact.open);
  changes.length = 0;
  board.levels[0] = readingOf(CUT);
  board.advance(20);
  board.levels[0] = closed;
  board.advance(1000);
  assert.equal(changes, []);
  board.levels[0] = readingOf(CUT);
  board.advance(60);
  assert.equal([contact.open, contact.level], [true, 'cut']);
  board.levels[0] = 0;
  board.advance(60);
  assert.is(contact.level, 'shorted');
  board.levels[0] = closed;
  board.advance(60);
  assert.equal([contact.open, contact.level, changes.length], [false, false, 3]);
});

test('each contact has its own level, inversion and time', () => {
  const board = new MemoryBoard({
    contacts: [
      { name: 'door', kind: 'entry' },
      { name: 'window', kind: 'instant', inverted: true },
      { name: 'key', kind: 'key' },
    ],
  });
  board.levels.splice(0, 3, 0, 1, 1);
  let changes = 0;
  const contacts = [0, 1, 2].map((index) => new Contact(board, index, () => changes++));
  const levels = () => contacts.map(({ open }) => open);
  assert.equal(levels(), [false, false, true]);
  board.setLevel(0, undefined, 1);
  board.advance(20);
  board.setLevel(0, undefined, 2);
  board.advance(10);
  assert.equal(levels(), [false, true, true]);
  board.advance(20);
  assert.equal(levels(), [false, true, false]);
  assert.is(changes, 2);
});

test('a contact that bounces 10,000 times delays no other one', () => {
  const board = new MemoryBoard({
    contacts: [
      { name: 'a', kind: 'entry' },
      { name: 'b', kind: 'instant' },
    ],
  });
  const seen: number[] = [];
  const [first, second] = [0, 1].map((index) => new Contact(board, index, () => seen.push(index)));
  for (let bounce = 0; bounce < 10_000; bounce++) {
    board.setLevel(1 - board.level);
    if (bounce === 5000) board.setLevel(1, undefined, 1);
    board.advance(5);
    if (bounce === 5006) assert.equal([second?.open, seen], [true, [1]]);
    assert.ok(board.timers.waiting.size <= 2);
  }
  assert.equal([first?.open, seen], [false, [1]]);
});

test('a key that is stuck closed is one change, and stays closed', () => {
  const { board, contact, changes } = contactOn({ contacts: [{ name: 'k', kind: 'key' }] }, OPEN);
  board.setLevel(CLOSED);
  for (let look = 0; look < 1000; look++) {
    board.advance(1000);
    board.edge();
    contact.look();
  }
  assert.equal(changes, [{ open: false, at: 30 }]);
  assert.is(board.timers.waiting.size, 0);
});

test.run();
