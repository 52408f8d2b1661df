import { isDeepStrictEqual } from 'node:util';
import './xs-globals.js';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NO_DOCUMENT } from '../../firmware/desired.js';
import { Flash, type Kept } from '../../firmware/flash.js';
import { writeSealed } from '../../firmware/sealed.js';
import { MemoryStore, PowerCut, type Tear } from './memory-store.js';

const A = 'armed.a';
const B = 'armed.b';

function open(store: MemoryStore): Flash & { lines: string[] } {
  const lines: string[] = [];
  return Object.assign(new Flash(store, (line) => lines.push(line)), { lines });
}

const armedAfterPowerCut = (store: MemoryStore): boolean => keptAfterPowerCut(store).armed;
const keptAfterPowerCut = (store: MemoryStore): Kept => open(store.afterPowerCut()).kept;

/** Only the flag. */
const flag = (armed: boolean): Kept => ({
  armed,
  wish: NO_DOCUMENT,
  rung: 0,
});

/** The nth of many, of which each differs from the one before in every field. */
const nth = (n: number): Kept => ({
  armed: n % 2 === 1,
  wish: { created: 1_767_323_045_000 + n, version: n, updated: 1_767_323_046_000 + n },
  ...(n % 2 === 0 && { lastAlarm: { contacts: ['door'], ...(n % 4 === 0 && { at: `at ${n}` }) } }),
  rung: 1000 * n,
});

/** Flash after these flags were stored, one after the other. */
function stored(...flags: boolean[]): MemoryStore {
  const store = new MemoryStore();
  const flash = open(store);
  for (const armed of flags) assert.ok(flash.store(flag(armed)));
  return store;
}

/** Flash after the first so many records were stored, each in a life of its own. */
function kept(records: number): MemoryStore {
  const store = new MemoryStore();
  for (let n = 1; n <= records; n++) assert.ok(open(store).store(nth(n)));
  return store;
}

function damage(store: MemoryStore, key: string): void {
  store.blocks.get(key)?.fill(0x3c, 1, 3);
}

const joined = (after: Uint8Array, length: number, rest: Uint8Array): Uint8Array =>
  Uint8Array.from([...after.slice(0, length), ...rest.slice(length)]);

/** What a power cut may leave of a block, besides the old one and the new one. */
const TEARS: [string, Tear][] = [
  ['nothing of the new block', (before) => before],
  ['all of the new block', (_before, after) => after],
  ['no block', () => undefined],
  ['an empty block', () => new Uint8Array(0)],
  ['zeros', (_before, after) => new Uint8Array(after.length)],
  ['an erased block', (_before, after) => new Uint8Array(after.length).fill(0xff)],
  ...Array.from({ length: 40 }, (_, index): [string, Tear][] => [
    [`${index} bytes, shortened`, (_before, after) => after.slice(0, index)],
    [
      `${index} bytes on an erased block`,
      (_before, after) => joined(after, index, new Uint8Array(after.length).fill(0xff)),
    ],
    [
      `${index} bytes on the old block`,
      (before, after) => joined(after, index, before ?? new Uint8Array(after.length).fill(0xff)),
    ],
  ]).flat(),
];

test('a panel that was never armed starts disarmed, and that is not written', () => {
  const store = new MemoryStore();
  const flash = open(store);
  assert.not.ok(flash.kept.armed);
  assert.ok(flash.store(flag(false)));
  assert.is(store.writes, 0);
  assert.equal(flash.lines, []);
});

test('the flag outlives a power cut', () => {
  assert.ok(armedAfterPowerCut(stored(true)));
  assert.not.ok(armedAfterPowerCut(stored(true, false)));
  assert.ok(armedAfterPowerCut(stored(true, false, true)));
});

test('flash is written only when the flag changes, once for each change', () => {
  const store = new MemoryStore();
  const flash = open(store);
  for (const armed of [true, true, false, false, false, true, true]) flash.store(flag(armed));
  assert.is(store.writes, 3);
});

test('the two slots are written in turn', () => {
  assert.equal([...stored(true).blocks.keys()], [A]);
  assert.equal([...stored(true, false).blocks.keys()], [A, B]);
  const third = stored(true, false, true);
  assert.equal(third.blocks.get(B), stored(true, false).blocks.get(B));
});

for (const [name, tear] of TEARS) {
  test(`a power cut at any operation that leaves ${name} leaves all the new values where they were written wholly, else all the old ones`, () => {
    for (let changes = 1; changes <= 4; changes++) {
      for (let operation = 1; operation <= 4; operation++) {
        const store = kept(changes);
        const flash = open(store);
        const [old, next] = [flash.kept, nth(changes + 1)];
        assert.equal(old, nth(changes));
        store.cutPowerAt(operation, tear);
        const confirmed = flash.store(next);
        const isWritten = isDeepStrictEqual(store.blocks, kept(changes + 1).blocks);
        assert.equal(
          keptAfterPowerCut(store),
          isWritten ? next : old,
          `${changes} changes then cut at ${operation}`,
        );
        if (confirmed) assert.ok(isWritten);
      }
    }
  });
}

test('an arm that was confirmed is never read as disarmed, and one that was cut off leaves the panel usable', () => {
  const tears = fc.constantFrom(...TEARS.map(([, tear]) => tear));
  const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(6), tears), { maxLength: 30 });
  fc.assert(
    fc.property(steps, (lives) => {
      let store = new MemoryStore();
      let confirmed = false;
      for (const [armed, operation, tear] of lives) {
        const flash = open(store);
        const possible: boolean[] = [confirmed, armed];
        store.cutPowerAt(1 + operation, tear);
        if (flash.store(flag(armed))) possible.shift();
        store = store.afterPowerCut();
        confirmed = open(store).kept.armed;
        assert.ok(possible.includes(confirmed), `${confirmed} is none of ${possible}`);
      }
    }),
    { numRuns: 500 },
  );
});

test('a slot that was cut off while it was written does not hide the old flag in the other one', () => {
  const store = stored(true, false);
  damage(store, A);
  const flash = open(store);
  assert.not.ok(flash.kept.armed);
  assert.equal(flash.lines, ['flash: slot armed.a is damaged']);
});

test('the only slot ever written, damaged, leaves the panel armed with a fault', () => {
  const store = stored(true);
  damage(store, A);
  const flash = open(store);
  assert.ok(flash.kept.armed);
  assert.match(flash.lines.join('\n'), 'armed with a fault');
});

test('the only slot ever written, damaged, is not the next to be written: a cut may erase it', () => {
  const store = stored(true);
  damage(store, A);
  const before = store.blocks.get(A);
  assert.ok(open(store).store(flag(true)));
  assert.equal(store.blocks.get(A), before);
});

test('two damaged slots leave the panel armed with a fault, until a document says what holds', () => {
  const store = stored(true, false);
  damage(store, A);
  damage(store, B);
  const flash = open(store);
  assert.ok(flash.kept.armed);
  assert.ok(flash.store(flag(true)));
  assert.is(store.writes, 3, 'the flag is written although it is the same');
  assert.equal(open(store).lines, ['flash: slot armed.b is damaged']);
  assert.ok(open(store).store(flag(false)));
  assert.not.ok(armedAfterPowerCut(store));
});

test('a slot that cannot be read counts as damaged', () => {
  const store = stored(true, false);
  store.before = () => {
    throw new Error('no answer');
  };
  assert.ok(open(store).kept.armed);
});

test('a block that is whole and no slot counts as damaged', () => {
  const store = stored(true, false);
  assert.ok(writeSealed(store, B, Uint8Array.of(0x5a, 7, 0, 0, 0)));
  assert.equal(open(store).lines, ['flash: slot armed.b is damaged']);
  assert.ok(open(store).kept.armed, 'as the other slot says');
});

test('whether flash is sound is known: not when it was found damaged or the last write failed', () => {
  const store = stored(true);
  const flash = open(store);
  assert.ok(flash.isSound);
  store.before = () => {
    throw new Error('busy');
  };
  flash.store(nth(2));
  assert.not.ok(flash.isSound);
  store.before = () => {};
  flash.store(nth(2));
  assert.ok(flash.isSound);
  damage(store, A);
  damage(store, B);
  assert.not.ok(open(store).isSound);
});

test('any single wrong bit in a slot is noticed', () => {
  const original = stored(true).blocks.get(A) ?? new Uint8Array(0);
  for (let bit = 0; bit < 8 * original.length; bit++) {
    const store = stored(true);
    const block = store.blocks.get(A) ?? new Uint8Array(0);
    block[bit >> 3] = (block[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.equal(open(store).lines[0], 'flash: slot armed.a is damaged');
  }
});

test('a write that leaves something else without a word is noticed by reading it back', () => {
  const store = stored(true);
  const flash = open(store);
  store.wear = (before) => before;
  assert.not.ok(flash.store(flag(false)));
  assert.ok(armedAfterPowerCut(store));
});

test('a worn out slot leaves its turn to the other one', () => {
  const store = stored(true, false);
  const worn = store.blocks.get(A);
  const flash = open(store);
  store.wear = (before, after) => (before === worn || before === undefined ? before : after);
  assert.ok(flash.store(flag(true)));
  assert.equal(store.blocks.get(A), worn);
  assert.ok(armedAfterPowerCut(store));
  assert.ok(flash.store(flag(false)));
  assert.not.ok(armedAfterPowerCut(store));
});

test('a flag that could not be stored is written again when it is asked for again', () => {
  const store = stored(true);
  const flash = open(store);
  store.before = () => {
    throw new Error('busy');
  };
  assert.not.ok(flash.store(flag(false)));
  store.before = () => {};
  assert.ok(flash.store(flag(false)));
  assert.not.ok(armedAfterPowerCut(store));
});

test('the store of these tests fails after its power was cut', () => {
  const store = new MemoryStore();
  store.cutPowerAt(1, (before) => before);
  try {
    store.write('key', new Uint8Array(1));
    assert.unreachable();
  } catch (error) {
    assert.instance(error, PowerCut);
  }
  assert.throws(
    () => store.read('key'),
    (error: unknown) => error instanceof PowerCut,
  );
});

test.run();
