/** Several servers write to one database. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { changeFile, OwnerGone, readDocuments, type Storage } from '../../../../server/storage/storage.js';
import { ask } from '../../../cluster/postgres.js';
import { until } from '../../../until.js';
import { past, put, stored } from '../contract.js';
import { type Context, withPostgres } from './open.js';

const tests = suite<Context>('writers of one database');
const test = withPostgres(tests);

/** Writes the next version of a document. Returns it. */
async function next(storage: Storage, file: string, key = 'd'): Promise<number> {
  const edit = await changeFile(storage, file, (latest, updatedAt) => {
    const version = (latest.get(key)?.version ?? 0) + 1;
    return { key, document: { version, updatedAt, data: '{}' } };
  });
  return edit?.document?.version ?? 0;
}

/** Writes again when others are faster eight times. */
async function certainly(storage: Storage, file: string): Promise<number> {
  for (;;) {
    try {
      return await next(storage, file);
    } catch (error) {
      assert.is((error as Error).message, 'storage unavailable');
    }
  }
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

test('writers of one document lose no update, and no version is given twice', async ({ open }) => {
  const storages = await Promise.all([open(), open(), open()]);
  const versions = await Promise.all(
    storages.map(async (storage) => {
      const own: number[] = [];
      for (let count = 0; count < 50; count += 1) own.push(await certainly(storage, 'twins/aa/a'));
      return own;
    }),
  );
  for (const own of versions)
    assert.equal(
      own,
      [...own].sort((a, b) => a - b),
    );
  assert.equal(
    versions.flat().sort((a, b) => a - b),
    upTo(150),
  );
  assert.equal(await past(storages[0], 'twins/aa/a', 'd'), upTo(150).reverse());
});

test('a counter that many servers raise at once refuses none of them, and its sum is right', async ({
  open,
}) => {
  const storages = await Promise.all(upTo(14).map(() => open()));
  await Promise.all(storages.map((storage) => readDocuments(storage, 'twins/aa/a')));
  const rounds = 10;
  for (let round = 0; round < rounds; round += 1) {
    const calls = storages.flatMap((storage) => [next(storage, 'twins/aa/a'), next(storage, 'twins/aa/a')]);
    const refused = (await Promise.allSettled(calls)).filter(({ status }) => status === 'rejected');
    assert.is(refused.length, 0);
  }
  const { version } = (await readDocuments(storages[0] as Storage, 'twins/aa/a')).get('d') ?? {};
  assert.is(version, storages.length * 2 * rounds);
});

test('writers of many files in opposite order do not wait for each other', async ({ open }) => {
  const [one, other] = await Promise.all([open(), open()]);
  const files = upTo(40).map((number) => `twins/aa/${number}`);
  for (let round = 0; round < 5; round += 1) {
    await Promise.all([
      ...files.map((file) => certainly(one, file)),
      ...[...files].reverse().map((file) => certainly(other, file)),
    ]);
  }
  for (const file of files) assert.is((await readDocuments(one, file)).get('d')?.version, 10);
});

test('what one server acknowledged, another one reads at once', async ({ open }) => {
  const [one, other] = await Promise.all([open(), open()]);
  for (const version of upTo(30)) {
    await next(one, 'twins/aa/a');
    assert.is((await readDocuments(other, 'twins/aa/a')).get('d')?.version, version);
  }
});

test('a server that knows an old state refuses nothing by it', async ({ open }) => {
  const [one, other] = await Promise.all([open(), open()]);
  await readDocuments(one, 'twins/aa/a');
  await put(other, 'twins/aa/a', 'd', stored(1));
  const decided: number[] = [];
  await changeFile(one, 'twins/aa/a', ({ size }) => {
    decided.push(size);
    if (size === 0) throw new Error('not found');
    return undefined;
  });
  assert.is(decided.at(-1), 1);
});

test('a refusal by the present state is a refusal', async ({ open }) => {
  const [one, other] = await Promise.all([open(), open()]);
  await put(one, 'twins/aa/a', 'd', stored(1));
  await changeFile(other, 'twins/aa/a', () => ({ key: 'd', document: undefined }));
  const refusal = await changeFile(one, 'twins/aa/a', ({ size }) => {
    if (size === 0) throw new Error('not found');
    return undefined;
  }).catch(String);
  assert.is(refusal, 'Error: not found');
});

test('a file is not written when the document that it belongs to is gone', async ({ open }) => {
  const storage = await open();
  const refusal = await put(storage, 'twins/aa/gone', 'd', stored(1)).catch((error) => error);
  assert.instance(refusal, OwnerGone);
  assert.is((refusal as OwnerGone).key, 'owner');
  assert.is((await readDocuments(storage, 'twins/aa/gone')).size, 0);
  await put(storage, 'devices/aa', 'owner', stored(1));
  await put(storage, 'twins/aa/gone', 'd', stored(1));
});

test('a file goes with the document that it belongs to, also for a server that knows it', async ({
  open,
}) => {
  const [one, other] = await Promise.all([open(), open()]);
  await put(one, 'devices/aa', 'owner', stored(1));
  await put(other, 'twins/aa/gone', 'd', stored(1));
  await changeFile(one, 'devices/aa', () => ({ key: 'owner', document: undefined }));
  const refusal = await put(other, 'twins/aa/gone', 'd', stored(2)).catch((error) => error);
  assert.instance(refusal, OwnerGone);
  assert.is((await readDocuments(other, 'twins/aa/gone')).size, 0);
});

test('the other calls of its group are carried out when a file belongs to nothing', async ({ open }) => {
  const storage = await open();
  const [refused, written] = await Promise.allSettled([
    put(storage, 'twins/aa/gone', 'd', stored(1)),
    put(storage, 'twins/aa/a', 'd', stored(1)),
  ]);
  assert.is(refused.status, 'rejected');
  assert.is(written.status, 'fulfilled');
});

test('a value that PostgreSQL refuses fails its own call only', async ({ open }) => {
  const storage = await open();
  const calls = upTo(20).map((number) =>
    put(storage, `twins/aa/${number}`, 'd', number === 7 ? { ...stored(1), updatedBy: 'a\0b' } : stored(1)),
  );
  const answers = await Promise.allSettled(calls);
  const failed = answers.flatMap(({ status }, index) => (status === 'rejected' ? [index + 1] : []));
  assert.equal(failed, [7]);
  assert.ok(storage.healthy);
});

test('many long documents are written in groups that the database can answer in time', async ({ open }) => {
  const storage = await open();
  const document = stored(1, JSON.stringify({ text: 'a'.repeat(65_000) }));
  await Promise.all(upTo(64).map((number) => put(storage, `twins/aa/${number}`, 'd', document)));
  assert.ok(storage.counters.groups >= 4);
  const versions = upTo(64).map((version) => put(storage, 'twins/aa/a', 'd', { ...document, version }));
  await Promise.all(versions);
  assert.equal(
    await past(storage, 'twins/aa/a', 'd'),
    upTo(15).map((index) => 65 - index),
  );
});

test('when backends are killed all the time, every acknowledged version is there once', async ({
  open,
  database,
}) => {
  const storages = await Promise.all([open(), open()]);
  let isOver = false;
  const killing = (async () => {
    for (let count = 0; count < 20; count += 1) {
      const killed = await ask(
        database,
        `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
           WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'alarm-twin'`,
      );
      assert.ok(Number(killed) >= 0);
    }
    isOver = true;
  })();
  const acknowledged: number[] = [];
  const writing = storages.map(async (storage) => {
    while (!isOver) {
      await next(storage, 'twins/aa/a').then(
        (version) => acknowledged.push(version),
        (error) => assert.match(error.message, /^(storage unavailable|outcome unknown)$/),
      );
    }
  });
  await Promise.all([killing, ...writing]);
  assert.is(new Set(acknowledged).size, acknowledged.length);
  await until(() => next(storages[0] as Storage, 'twins/aa/a').then(Boolean, () => false));
  const kept = await past(storages[0] as Storage, 'twins/aa/a', 'd');
  assert.equal(kept, upTo(kept.length).reverse());
  assert.ok(acknowledged.length > 0);
  for (const version of acknowledged) assert.ok(version <= kept.length);
});

tests.run();
