import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { KnownClients } from '../../../server/access/known-clients.js';
import { type MemoryStorage, memoryStorage } from '../../../server/storage/memory.js';
import { until } from '../../until.js';

interface Context {
  storage: MemoryStorage;
  errors: Error[];
  open: (limits?: Parameters<typeof KnownClients.open>[2]) => Promise<KnownClients>;
  /** The pairs that are stored. */
  stored: () => Promise<string[]>;
  /** How many writes the storage has seen. */
  writes: { count: number };
}

const test = suite<Context>('known clients');

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
  const open: Context['open'] = (limits) => KnownClients.open(storage, (error) => errors.push(error), limits);
  const stored = async () => [...storage.stored('known').keys()];
  Object.assign(context, { storage, errors, open, stored, writes });
});

test('a pair outlives a restart, and only at its source', async ({ open }) => {
  const before = await open();
  before.add('a', 'panel');
  await before.close();
  const after = await open();
  assert.equal(
    [after.has('a', 'panel'), after.has('b', 'panel'), after.has('a', 'lamp')],
    [true, false, false],
  );
  assert.equal([after.hasFrom('a'), after.hasFrom('b')], [true, false]);
});

test('a pair is written once, however often it is used, and nothing waits for the write', async ({
  open,
  writes,
}) => {
  const first = await open();
  for (let n = 0; n < 100; n += 1) first.add('a', 'panel');
  assert.equal([first.has('a', 'panel'), writes.count], [true, 0]);
  await first.close();
  const second = await open();
  second.add('a', 'panel');
  await second.close();
  assert.is(writes.count, 1);
});

test('a pair is written by itself after a while', async ({ open, stored }) => {
  const known = await open({ writeMs: 0 });
  known.add('a', 'panel');
  await until(async () => (await stored()).length === 1);
});

test('that a credential is gone is written at once', async ({ open, stored }) => {
  const before = await open();
  before.add('a', 'panel');
  await before.close();
  const known = await open({ writeMs: 3_600_000 });
  known.add('a', 'lamp');
  known.forget('panel');
  await until(async () => (await stored()).join() === 'lamp a');
});

test('a credential that is gone is known nowhere, also after a restart', async ({ open, stored }) => {
  const known = await open();
  for (const source of ['a', 'b']) known.add(source, 'panel');
  known.add('a', 'lamp');
  known.forget('panel');
  assert.equal(
    [known.has('a', 'panel'), known.has('b', 'panel'), known.has('a', 'lamp')],
    [false, false, true],
  );
  assert.equal([known.hasFrom('a'), known.hasFrom('b')], [true, false]);
  await known.close();
  assert.equal(await stored(), ['lamp a']);
  const again = await open();
  again.forget('lamp');
  await again.close();
  assert.equal(await stored(), []);
});

test('the pairs are bounded in number, and those that were used least recently go first', async ({
  open,
  stored,
}) => {
  const known = await open({ pairs: 3 });
  for (const id of ['one', 'two', 'three']) known.add('a', id);
  assert.ok(known.has('a', 'one'));
  known.add('a', 'four');
  assert.equal(
    ['one', 'two', 'three', 'four'].map((id) => known.has('a', id)),
    [true, false, true, true],
  );
  await known.close();
  assert.equal((await stored()).sort(), ['four a', 'one a', 'three a']);
});

test('one credential is known from a few sources only, and takes the place of no other', async ({ open }) => {
  const known = await open({ pairs: 4, sourcesOfOne: 2 });
  known.add('home', 'panel');
  for (const source of ['a', 'b', 'a', 'c', 'd', 'd']) known.add(source, 'phone');
  assert.equal(
    ['a', 'b', 'c', 'd'].map((source) => known.has(source, 'phone')),
    [false, false, true, true],
  );
  assert.ok(known.has('home', 'panel'));
});

test('with the disk full a pair is known at once, and written when there is room', async ({
  open,
  storage,
  errors,
  stored,
}) => {
  const known = await open({ writeMs: 0, retryMs: 0 });
  storage.failWith(new Error('disk full'));
  known.add('a', 'panel');
  assert.ok(known.has('a', 'panel'));
  await until(() => errors.length >= 2);
  assert.equal(await stored(), []);
  storage.failWith(undefined);
  await until(async () => (await stored()).length === 1);
});

test('with the disk full the server can close', async ({ open, storage, errors }) => {
  const known = await open();
  known.add('a', 'panel');
  storage.failWith(new Error('disk full'));
  await known.close();
  assert.is(errors.length, 1);
});

test.run();
