import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LastSeen } from '../../../server/access/last-seen.js';
import { type MemoryStorage, memoryStorage } from '../../../server/storage/memory.js';
import { until } from '../../until.js';

interface Context {
  storage: MemoryStorage;
  errors: Error[];
  /** How many writes the storage has seen. */
  writes: { count: number };
  open: (writeEveryMs?: number) => Promise<LastSeen>;
}

const test = suite<Context>('when a token was seen last');

test.before.each((context) => {
  const storage = memoryStorage();
  const writes = { count: 0 };
  const { change } = storage;
  storage.change = (file, decide, done) =>
    change(file, decide, (error, edit) => {
      if (error !== null || edit !== undefined) writes.count += 1;
      done(error, edit);
    });
  const errors: Error[] = [];
  const open: Context['open'] = (ms) => LastSeen.open(storage, (error) => errors.push(error), ms);
  Object.assign(context, { storage, errors, writes, open });
});

test('is known at once, and outlives a restart', async ({ open }) => {
  const before = await open();
  assert.is(before.of('a'), null);
  before.note('a');
  const at = before.of('a');
  assert.type(at, 'string');
  await before.close();
  assert.is((await open()).of('a'), at);
});

test('costs one write for many uses', async ({ open, writes }) => {
  const seen = await open();
  for (let use = 0; use < 1000; use += 1) seen.note(`token ${use % 10}`);
  assert.is(writes.count, 0);
  await seen.close();
  assert.is(writes.count, 1);
});

test('is written after a time, without an end of the server', async ({ open, writes }) => {
  const seen = await open(1);
  seen.note('a');
  await until(() => writes.count === 1);
});

test('is forgotten with the token', async ({ open }) => {
  const seen = await open();
  seen.note('a');
  seen.forget('a');
  await seen.close();
  assert.is((await open()).of('a'), null);
});

test('is written with the next use when the disk was full', async ({ open, storage, errors }) => {
  const seen = await open(1);
  storage.failWith(new Error('full'));
  seen.note('a');
  await until(() => errors.length === 1);
  storage.failWith(undefined);
  seen.note('b');
  await seen.close();
  assert.type((await open()).of('a'), 'string');
});

test.run();
