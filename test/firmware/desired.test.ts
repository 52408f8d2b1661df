import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Desired, isOlder } from '../../firmware/desired.js';
import { start } from '../../firmware/start.js';
import { MemoryBoard } from './memory-board.js';
import type { MemoryStore } from './memory-store.js';
import { answerDesired, CURRENT, DESIRED, push, refuse } from './twin-on-board.js';

const SECOND = 1000;
const [EARLIER, BORN, LATER] = [
  '2026-01-01T00:00:00.000Z',
  '2026-01-02T00:00:00.000Z',
  '2026-01-03T00:00:00.000Z',
];

/** A panel that starts with this flash and connects; its server has not answered yet. */
function connected(storage?: MemoryStore): MemoryBoard {
  const board = new MemoryBoard({ refreshInterval: 10_000 * SECOND, keepAlive: 10_000 * SECOND }, storage);
  start(board);
  board.advanceToConnection();
  board.client.accept();
  return board;
}

function reconnect(board: MemoryBoard): void {
  board.client.end();
  board.advanceToConnection();
  board.client.accept();
}

/** The flash of a panel that obeyed versions 1 to 5 of a document, the last of which says this. */
function obeyed(armed: boolean): MemoryStore {
  const board = connected();
  answerDesired(board, !armed, 4, BORN);
  push(board, armed, 5, BORN);
  return board.storage.afterPowerCut();
}

const isArmed = (board: MemoryBoard): boolean | undefined => board.shown.at(-1)?.armed;
const reports = (board: MemoryBoard): string =>
  JSON.stringify(board.client.take().filter(({ topic }) => topic.startsWith(CURRENT)));

for (const armed of [true, false]) {
  for (const [name, version, createdAt] of [
    ['an older version', 4, BORN],
    ['an older document', 9, EARLIER],
    ['a document without a date', 9, undefined],
  ] as const) {
    test(`${name} does not ${armed ? 'disarm' : 'arm'} a panel that connects, and current says why`, () => {
      const board = connected(obeyed(armed));
      for (let times = 0; times < 3; times++) {
        answerDesired(board, !armed, version, createdAt);
        assert.is(isArmed(board), armed);
        const said = reports(board);
        if (times === 0) {
          assert.match(said, '"refused":{"reason":"older than what was seen before"}');
          assert.match(said, `"handled":${version}`);
        } else assert.is(said, '[]');
      }
      reconnect(board);
      answerDesired(board, !armed, version, createdAt);
      assert.is(isArmed(board), armed);
    });
  }

  for (const [name, act, updatedAt] of [
    ['a push', push, BORN],
    ['an answer that was written later', answerDesired, LATER],
  ] as const) {
    test(`a new act is obeyed after that, as ${name} shows it, and ${armed ? 'disarms' : 'arms'}`, () => {
      const board = connected(obeyed(armed));
      answerDesired(board, !armed, 2, BORN);
      assert.is(isArmed(board), armed);
      board.client.take();
      act(board, !armed, 3, BORN, updatedAt);
      assert.is(isArmed(board), !armed);
      assert.match(reports(board), '"refused":null');
      const next = connected(board.storage.afterPowerCut());
      answerDesired(next, armed, 4, BORN, updatedAt);
      assert.is(isArmed(next), armed, 'versions count on from the new act');
    });
  }
}

test('an act that came while the panel was away from a restored server is obeyed when it is back', () => {
  const board = connected(obeyed(true));
  answerDesired(board, false, 2, BORN);
  reconnect(board);
  answerDesired(board, false, 3, BORN, LATER);
  assert.not.ok(isArmed(board));
});

test('what was written after the restore is obeyed at once, also by a panel that has never met the restored server', () => {
  const board = connected(obeyed(true));
  answerDesired(board, false, 2, BORN, LATER);
  assert.not.ok(isArmed(board));
});

test('an order that the panel missed does not come back with a backup, also after a power cut', () => {
  for (const armed of [true, false]) {
    const board = connected(obeyed(armed));
    answerDesired(board, armed, 7, BORN, LATER);
    reconnect(board);
    answerDesired(board, !armed, 6, BORN);
    assert.is(isArmed(board), armed);
    const next = connected(board.storage.afterPowerCut());
    answerDesired(next, !armed, 6, BORN);
    assert.is(isArmed(next), armed);
  }
});

test('flash is written once for versions that were missed, and for none of those that follow', () => {
  const board = connected(obeyed(true));
  const before = board.storage.writes;
  answerDesired(board, true, 7, BORN);
  assert.is(board.storage.writes - before, 1);
  for (let version = 8; version < 100; version++) push(board, true, version, BORN);
  assert.is(board.storage.writes - before, 1);
});

test('a new act that asks for what holds already counts on after a power cut', () => {
  const board = connected(obeyed(true));
  answerDesired(board, false, 2, BORN);
  push(board, true, 3, BORN);
  const next = connected(board.storage.afterPowerCut());
  answerDesired(next, false, 4, BORN);
  assert.not.ok(isArmed(next));
});

test('an older document that asks for what holds already is no reason for a complaint', () => {
  const board = connected(obeyed(true));
  answerDesired(board, true, 2, BORN);
  assert.not.match(reports(board), 'refused');
  reconnect(board);
  answerDesired(board, false, 3, BORN, LATER);
  assert.not.ok(isArmed(board), 'a later time shows a new act');
});

test('a newer version and a newer document are obeyed on connecting', () => {
  for (const [version, createdAt] of [
    [6, BORN],
    [1, LATER],
  ] as const) {
    const board = connected(obeyed(true));
    answerDesired(board, false, version, createdAt);
    assert.not.ok(isArmed(board));
  }
});

test('a server that does not date its documents is obeyed on every connection', () => {
  const board = connected();
  answerDesired(board, true, 5);
  reconnect(board);
  answerDesired(board, false, 2);
  assert.not.ok(isArmed(board));
  const next = connected(board.storage.afterPowerCut());
  answerDesired(next, true, 1);
  assert.ok(isArmed(next));
});

test('a document that is gone and made anew is obeyed', () => {
  const board = connected(obeyed(true));
  refuse(board, `${DESIRED}/get`, 'document not found');
  push(board, false, 1, LATER);
  assert.not.ok(isArmed(board));
});

test('flash is written when the flag changes and at the first dated document, not for each version', () => {
  const board = connected();
  const { storage } = board;
  const writesOf = (act: () => void): number => {
    const before = storage.writes;
    act();
    return storage.writes - before;
  };
  assert.is(
    writesOf(() => answerDesired(board, false, 1, BORN)),
    1,
  );
  assert.is(
    writesOf(() => push(board, true, 2, BORN)),
    1,
  );
  const many = writesOf(() => {
    for (let version = 3; version < 500; version++) push(board, true, version, BORN);
  });
  assert.is(many, 0);
});

const id = fc.record({ created: fc.constantFrom(0, 1, 2), version: fc.nat(3), updated: fc.nat(2) });

test('whatever came before, a push that is not late is obeyed', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(id, fc.boolean())), id, id, (before, obeyedId, next) => {
      const desired = new Desired();
      for (const [document, isPush] of before) desired.judge(document, isPush, obeyedId);
      const judgement = desired.judge(next, true, obeyedId);
      assert.is.not(judgement, 'older');
      if (judgement === 'late') assert.is(desired.judge({ ...next, version: 4 }, true, obeyedId), 'obey');
    }),
  );
});

test('the first answer of each connection is obeyed unless it is older', () => {
  fc.assert(
    fc.property(fc.array(id), id, (answers, obeyedId) => {
      const desired = new Desired();
      for (const answer of answers) {
        desired.forget();
        assert.is(desired.judge(answer, false, obeyedId), isOlder(answer, obeyedId) ? 'older' : 'obey');
      }
    }),
  );
});

test.run();
