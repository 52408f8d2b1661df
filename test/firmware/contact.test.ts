import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { PanelConfig } from '../../firmware/config.js';
import { Contact } from '../../firmware/contact.js';
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

test.run();
