import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PIN_LIMITS, PinRefused, Pins } from '../../../server/access/pins.js';
import { type MemoryStorage, memoryStorage } from '../../../server/storage/memory.js';
import { readDocuments } from '../../../server/storage/storage.js';

interface Context {
  storage: MemoryStorage;
  clock: { now: number };
  pins: Pins;
}

const test = suite<Context>('PINs');
const PHONE = '0c8a1c2e-5b7d-4f3a-9e61-2d4b8f7a6c10';
const OTHER = '6f1d2b3c-4a5e-4c7d-8b9a-0e1f2a3b4c5d';
const { lockMs, lockCeilingMs, wrong } = PIN_LIMITS;

test.before.each(async (context) => {
  const clock = { now: Date.parse('2026-03-02T03:00:00Z') };
  const storage = memoryStorage(() => clock.now);
  Object.assign(context, { clock, storage, pins: await Pins.open(storage) });
  await context.pins.set(PHONE, '4711');
});

/** What became of a try: `right`, or why not and for how long no other one counts. */
async function tried(pins: Pins, pin?: string, id = PHONE): Promise<[string, number]> {
  try {
    await pins.check(id, pin);
    return ['right', 0];
  } catch (error) {
    if (!(error instanceof PinRefused)) throw error;
    assert.is(error.tokenId, id);
    return [error.reason, error.lockedMs];
  }
}

async function lock(pins: Pins): Promise<void> {
  for (let count = 0; count < wrong; count += 1) await tried(pins, '0000');
}

test('a token with a PIN needs it, and one without needs none', async ({ pins }) => {
  assert.ok(pins.has(PHONE));
  assert.equal(await tried(pins, '4711'), ['right', 0]);
  assert.equal(await tried(pins, '4712'), ['wrong', 0]);
  assert.equal(await tried(pins), ['required', 0]);
  assert.not.ok(pins.has(OTHER));
  assert.equal(await tried(pins, undefined, OTHER), ['right', 0]);
});

test('too many wrong ones lock the token, each further one twice as long, up to a ceiling', async ({
  pins,
  clock,
}) => {
  for (let count = 1; count < wrong; count += 1) assert.equal(await tried(pins, '0000'), ['wrong', 0]);
  for (let expected = lockMs; expected < 2 * lockCeilingMs; expected *= 2) {
    const locked = Math.min(expected, lockCeilingMs);
    assert.equal(await tried(pins, '0000'), ['wrong', locked]);
    clock.now += locked - 1;
    assert.equal(await tried(pins, '4711'), ['locked', 1]);
    clock.now += 1;
  }
  assert.equal(await tried(pins, '4711'), ['right', 0]);
});

test('the right one ends the count', async ({ pins }) => {
  for (let count = 1; count < wrong; count += 1) await tried(pins, '0000');
  await tried(pins, '4711');
  for (let count = 1; count < wrong; count += 1) assert.equal(await tried(pins, '0000'), ['wrong', 0]);
});

test('no PIN is no try', async ({ pins }) => {
  for (let count = 0; count < 2 * wrong; count += 1) await tried(pins);
  assert.equal(await tried(pins, '4711'), ['right', 0]);
});

test('a lock holds no other token back', async ({ pins }) => {
  await pins.set(OTHER, '2580');
  await lock(pins);
  assert.equal(await tried(pins, '4711'), ['locked', lockMs]);
  assert.equal(await tried(pins, '2580', OTHER), ['right', 0]);
});

test('the count and the lock outlive a restart', async (context) => {
  for (let count = 1; count < wrong; count += 1) await tried(context.pins, '0000');
  const again = await Pins.open(context.storage);
  assert.equal(await tried(again, '0000'), ['wrong', lockMs]);
  assert.equal(await tried(await Pins.open(context.storage), '4711'), ['locked', lockMs]);
});

test('tries at the same time are counted one by one', async ({ pins }) => {
  const outcomes = await Promise.all(Array.from({ length: 3 * wrong }, () => tried(pins, '0000')));
  assert.is(outcomes.filter(([reason]) => reason === 'wrong').length, wrong);
  assert.equal(await tried(pins, '4711'), ['locked', lockMs]);
});

test('servers that share a storage count the tries together, and one lock is the lock of all', async (context) => {
  const other = await Pins.open(context.storage);
  for (let count = 0; count < wrong; count += 1) {
    const [reason] = await tried(count % 2 === 0 ? context.pins : other, '0000');
    assert.is(reason, 'wrong');
  }
  for (const pins of [context.pins, other]) assert.equal(await tried(pins, '4711'), ['locked', lockMs]);
});

test('a try is counted before it is looked at, so a server that is killed meanwhile gives no more of them', async (context) => {
  const under = tried(context.pins, '0000');
  const latest = await readDocuments(context.storage, 'pins');
  while (!latest.get(PHONE)?.data.includes('"wrong":1')) await new Promise((turn) => setImmediate(turn));
  await under;
});

test('what is stored does not tell the PIN, and is different for the same one', async ({ pins, storage }) => {
  await pins.set(OTHER, '4711');
  const latest = await readDocuments(storage, 'pins');
  const stored = [...latest.values()].map(({ data }) => data);
  assert.is(stored.length, 2);
  for (const data of stored) assert.not.match(data, '4711');
  const hashes = stored.map((data) => (JSON.parse(data) as { hash: string }).hash);
  assert.is.not(hashes[0], hashes[1]);
});

test('a new PIN takes the place of the old one and ends the lock, and null takes it away', async ({
  pins,
}) => {
  await lock(pins);
  await pins.set(PHONE, '2580');
  assert.equal(await tried(pins, '4711'), ['wrong', 0]);
  assert.equal(await tried(pins, '2580'), ['right', 0]);
  await pins.set(PHONE, null);
  assert.not.ok(pins.has(PHONE));
  assert.equal(await tried(pins), ['right', 0]);
});

test('the PIN of a revoked token is forgotten for good', async (context) => {
  await context.pins.forget(PHONE);
  assert.not.ok((await Pins.open(context.storage)).has(PHONE));
});

test.run();
