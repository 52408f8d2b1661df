import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pino from 'pino';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EVERYTHING, namesIn } from '../../../server/migration/directory.js';
import { migrateBack, migrateTo, type Phase } from '../../../server/migration/migrate.js';
import { Adder, type Sum, wholeFiles } from '../../../server/migration/whole-file.js';
import { changeFile, readDocuments, type Storage } from '../../../server/storage/storage.js';
import { past, put, remove, stored } from '../storage/contract.js';
import { DirectoryUnderTest } from '../storage/directory-under-test.js';
import { DatabaseUnderTest } from './database.js';

const test = suite('migrate');
const directory = new DirectoryUnderTest();
const log = pino({ level: 'silent' });
const HUB = '6f1c2b1e-58a4-4c1e-9a7d-0d5a3f1c2b1e';
const VERSIONS = 1200;
const BIRTH = { createdAt: '2026-01-01T00:00:00.000Z', tag: 'ab12' };

let database: DatabaseUnderTest;
test.before.each(() => {
  database = new DatabaseUnderTest();
});
test.after.each(() => directory.remove());

const openAll = (): Promise<Storage> => directory.open(EVERYTHING);

/** The directory of a server that runs no longer. Some of its documents are in files, others only in the journal. */
async function makeHouse(versions = 3): Promise<void> {
  await directory.make();
  await mkdir(join(directory.data, 'tls'));
  for (const [path, text] of [
    ['tls/authority.pem', 'authority'],
    ['alerts.json', '{"channels":[]}'],
    ['panel-flash.json', 'armed'],
  ] as const)
    await writeFile(join(directory.data, path), text);
  const first = await openAll();
  await put(first, 'server', 'hub', stored(1, JSON.stringify({ id: HUB })));
  await put(first, 'tokens', 'k', { ...stored(4), updatedBy: 'the "owner" \u00e9' });
  for (let version = 1; version <= versions; version += 1)
    await put(first, 'twins/ab/abc', 'current', { ...stored(version, `{"n":${version}}`), born: BIRTH });
  await put(first, 'twins/ab/abc', '__proto__', stored(1));
  await put(first, 'twins/ab/abd', 'gone', stored(1));
  await remove(first, 'twins/ab/abd', 'gone');
  await first.close();
  const second = await directory.open({ ...EVERYTHING, writeBehindMs: 1_000_000 });
  await put(second, 'twins/ab/abc', 'desired', { ...stored(7), updatedAt: '2026-02-03T04:05:06.789Z' });
  await put(second, 'devices/ab', 'abc', stored(2));
  await directory.crash();
  await second.close();
}

async function sumOf(storage: Pick<Storage, 'read' | 'past'>, names: string[]): Promise<Sum> {
  const adder = new Adder();
  for await (const file of wholeFiles(storage, names)) adder.add(file);
  return adder.sum();
}

async function sumOfDirectory(): Promise<Sum> {
  const storage = await openAll();
  try {
    return await sumOf(storage, await namesIn(directory.data, storage));
  } finally {
    await storage.close();
  }
}

const migrate = (): Promise<Sum> => migrateTo(directory.data, database, log);
const back = () => migrateBack(directory.data, database, log);

/** What a server finds in the directory: it starts, or the message with which it ends. */
const startIn = (): Promise<string> =>
  openAll().then(
    async (storage) => {
      await storage.close();
      return 'started';
    },
    (error: Error) => error.message,
  );

test('every document goes into the database with its versions, times, writers and birth, and comes back', async () => {
  await makeHouse(VERSIONS);
  const before = await sumOfDirectory();
  assert.equal({ ...before, sha256: '' }, { files: 4, documents: 6, past: VERSIONS - 1, sha256: '' });
  assert.equal(await migrate(), before);
  assert.is(database.held?.phase, 'used');
  assert.equal(await sumOf(database.storage, await database.storage.list('')), before);
  assert.equal(await past(database.storage, 'twins/ab/abc', 'current', { limit: 2 }), [
    VERSIONS,
    VERSIONS - 1,
  ]);
  const { sum, aside } = await back();
  assert.equal(sum, before);
  assert.equal(await sumOfDirectory(), before);
  assert.is(database.held?.phase, 'leaving');
  assert.ok(aside.startsWith(join(directory.data, 'before-back-')));
  assert.is(await readFile(join(directory.data, 'tls', 'authority.pem'), 'utf8'), 'authority');
  assert.is(await readFile(join(directory.data, 'alerts.json'), 'utf8'), '{"channels":[]}');
  assert.is(await readFile(join(directory.data, 'panel-flash.json'), 'utf8'), 'armed');
});

test('the next version after a return is kept beside all earlier ones', async () => {
  await makeHouse();
  await migrate();
  await put(database.storage, 'twins/ab/abc', 'current', { ...stored(4), born: BIRTH });
  await back();
  const storage = await openAll();
  await put(storage, 'twins/ab/abc', 'current', { ...stored(5), born: BIRTH });
  assert.equal(await past(storage, 'twins/ab/abc', 'current'), [5, 4, 3, 2, 1]);
  await storage.close();
});

test('a server refuses a directory whose data were moved, and says where they are and how to go back', async () => {
  await makeHouse();
  await migrate();
  assert.match(
    await startIn(),
    /^\/\S+ is no longer in use: its data were moved to postgres:\/\/twin@db\.example:5432\/twin on 20\S+Z\. Start the server with TWIN_DATABASE, or take the data back with npm run twin -- migrate --back$/,
  );
});

/** Who has the data: a server may start on exactly one of the two, or for a moment on none. */
async function truths(): Promise<string[]> {
  const phase: Phase | undefined = database.held?.phase;
  return [
    ...((await startIn()) === 'started' ? ['directory'] : []),
    ...(phase === 'used' ? ['database'] : []),
  ];
}

test('a migration that loses its connection at any call can be begun again, and never gives two truths', async () => {
  for (let calls = 0, done = false; !done; calls += 1) {
    database = new DatabaseUnderTest();
    await makeHouse();
    const before = await sumOfDirectory();
    database.calls = calls;
    done = await migrate().then(
      () => true,
      (error: Error) => assert.is(error.message, 'the connection is lost') ?? false,
    );
    assert.ok((await truths()).length < 2);
    database.calls = Number.POSITIVE_INFINITY;
    if (!done) assert.equal(await migrate(), before);
    assert.equal(await truths(), ['database']);
  }
});

test('a return that loses its connection anywhere can be begun again, and never gives two truths', async () => {
  for (let calls = 0, done = false; !done; calls += 1) {
    database = new DatabaseUnderTest();
    await makeHouse();
    const before = await migrate();
    database.calls = calls;
    done = await back().then(
      () => true,
      (error: Error) => assert.match(error.message, 'the connection is lost') ?? false,
    );
    assert.equal(await truths(), done ? ['directory'] : database.held?.phase === 'used' ? ['database'] : []);
    database.calls = Number.POSITIVE_INFINITY;
    if (!done) await back();
    assert.equal(await truths(), ['directory']);
    assert.equal(await sumOfDirectory(), before);
  }
});

test('what a server wrote after a migration was cut off is in the next one', async () => {
  await makeHouse();
  database.calls = 5;
  await migrate().then(
    () => assert.unreachable(),
    () => undefined,
  );
  assert.is(database.held?.phase, 'arriving');
  const storage = await openAll();
  await put(storage, 'twins/ab/abc', 'current', stored(4));
  await remove(storage, 'tokens');
  await storage.close();
  database.calls = Number.POSITIVE_INFINITY;
  await migrate();
  assert.is((await readDocuments(database.storage, 'twins/ab/abc')).get('current')?.version, 4);
  assert.is((await readDocuments(database.storage, 'tokens')).size, 0);
});

const refusal = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: Error) => `${error.name}: ${error.message}`,
  );

test('a database that is not empty is refused, and stays as it is', async () => {
  await makeHouse();
  for (const [held, why] of [
    [{ phase: 'used', hub: 'other' }, /is not empty: name an empty database$/],
    [{ phase: 'leaving', hub: HUB }, /is not empty: name an empty database$/],
    [{ phase: 'arriving', hub: 'other' }, /holds an unfinished migration of another server/],
  ] as const) {
    database.held = held;
    assert.match(await refusal(migrate()), why);
    assert.is(database.held, held);
    assert.is(await startIn(), 'started');
  }
});

test('a directory that no server has used is refused, and nothing is made there', async () => {
  await directory.make();
  assert.match(await refusal(migrate()), /is not the data directory of a server$/);
  assert.match(await refusal(back()), /were not moved to a database$/);
  const storage = await openAll();
  await changeFile(storage, 'tokens', () => ({ key: 'k', document: stored(1) }));
  await storage.close();
  assert.match(await refusal(migrate()), /holds nothing: no server has used it yet$/);
});

test('a directory is migrated once, and a return that was begun can be taken back', async () => {
  await makeHouse();
  await migrate();
  assert.match(await refusal(migrate()), /were moved to postgres:\S+ already$/);
  database.held = { phase: 'leaving', hub: HUB };
  await migrate();
  assert.is(database.held.phase, 'used');
});

test('a return is refused while servers use the database, and from another database', async () => {
  await makeHouse();
  await migrate();
  database.connected = 2;
  assert.match(await refusal(back()), /2 servers use postgres:\S+: stop all servers first$/);
  assert.is(database.held?.phase, 'used');
  database.connected = 0;
  for (const [held, why] of [
    [undefined, /does not hold the data that were in/],
    [{ phase: 'used', hub: 'other' }, /does not hold the data that were in/],
    [{ phase: 'arriving', hub: HUB }, /is unfinished: finish it with --to first$/],
  ] as const) {
    database.held = held;
    assert.match(await refusal(back()), why);
  }
});

test('a copy that differs is noticed, and the directory stays the truth', async () => {
  await makeHouse();
  const { fill } = database;
  database.fill = async (files) => {
    await fill.call(database, files);
    await put(database.storage, 'twins/ab/abc', 'desired', {
      ...stored(7),
      updatedAt: '2026-02-03T04:05:06.788Z',
    });
  };
  assert.match(await refusal(migrate()), /^Error: what was written differs from what was read/);
  assert.equal(await truths(), ['directory']);
});

test('a directory that a server uses is refused', async () => {
  await makeHouse();
  const storage = await openAll();
  assert.match(await refusal(migrate()), /^DirectoryInUse: /);
  await storage.close();
});

test.run();
