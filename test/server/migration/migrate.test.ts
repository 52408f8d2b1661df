import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pino from 'pino';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openSettingsDocument } from '../../../server/alerts/settings-document.js';
import { isKeptAlike } from '../../../server/migration/kept-in-files.js';
import { migrateBack, migrateTo, type Phase } from '../../../server/migration/migrate.js';
import type { Sum } from '../../../server/migration/whole-file.js';
import { changeFile, readDocuments } from '../../../server/storage/storage.js';
import { past, put, remove, stored } from '../storage/contract.js';
import { DatabaseUnderTest } from './database.js';
import { BIRTH, House, HUB, SECRET, sumOf } from './house.js';

const test = suite('migrate');
const house = new House();
const log = pino({ level: 'silent' });
const VERSIONS = 1200;

let database: DatabaseUnderTest;
test.before.each(() => {
  database = new DatabaseUnderTest();
});
test.after.each(() => house.remove());

const migrate = (secret = ''): Promise<Sum> => migrateTo(house.data, database, secret, log);
const back = (secret = '') => migrateBack(house.data, database, secret, log);

test('every document goes into the database with its versions, times, writers and birth, and comes back', async () => {
  await house.build(VERSIONS);
  const before = await house.sum();
  assert.equal({ ...before, sha256: '' }, { files: 5, documents: 7, past: VERSIONS - 1, sha256: '' });
  assert.equal(await migrate(), before);
  assert.is(database.held?.phase, 'used');
  assert.equal(await sumOf(database.stored, (await database.stored.list('')).filter(isKeptAlike)), before);
  assert.equal(await past(database.stored, 'twins/ab/abc', 'current', { limit: 2 }), [
    VERSIONS,
    VERSIONS - 1,
  ]);
  const { sum, aside } = await back();
  assert.equal(sum, before);
  assert.equal(await house.sum(), before);
  assert.is(database.held?.phase, 'leaving');
  assert.ok(aside.startsWith(join(house.data, 'before-back-')));
  assert.is(await readFile(join(house.data, 'panel-flash.json'), 'utf8'), 'armed');
});

test('the authority and the settings of alerts become documents, the authority sealed, and come back as files', async () => {
  await house.build();
  const [authority, settings] = await house.keptFiles();
  await migrate(SECRET);
  const documents = await readDocuments(database.stored, 'authority');
  assert.not.match([...documents.values()].map(({ data }) => data).join(), 'PRIVATE KEY');
  const place = await openSettingsDocument(database.stored, log);
  assert.is(place.present.rules.unreachable_after, 77);
  await place.change((present) => ({ ...present, rules: { ...present.rules, unreachable_after: 88 } }));
  await back(SECRET);
  const [sameAuthority, newSettings] = await house.keptFiles();
  assert.is(sameAuthority, authority);
  assert.match(settings, '77');
  assert.match(newSettings, '88');
  const storage = await house.openAll();
  assert.is((await readDocuments(storage, 'authority')).size, 0);
  await storage.close();
});

test('the next version after a return is kept beside all earlier ones', async () => {
  await house.build();
  await migrate();
  await put(database.stored, 'twins/ab/abc', 'current', { ...stored(4), born: BIRTH });
  await back();
  const storage = await house.openAll();
  await put(storage, 'twins/ab/abc', 'current', { ...stored(5), born: BIRTH });
  assert.equal(await past(storage, 'twins/ab/abc', 'current'), [5, 4, 3, 2, 1]);
  await storage.close();
});

test('a server refuses a directory whose data were moved, and says where they are and how to go back', async () => {
  await house.build();
  await migrate();
  assert.match(
    await house.start(),
    /^\/\S+ is no longer in use: its data were moved to postgres:\/\/twin@db\.example:5432\/twin on 20\S+Z\. Start the server with TWIN_DATABASE, or take the data back with npm run twin -- migrate --back$/,
  );
});

/** The places on which a server would start. */
async function truths(): Promise<string[]> {
  const phase: Phase | undefined = database.held?.phase;
  return [
    ...((await house.start()) === 'started' ? ['directory'] : []),
    ...(phase === 'used' ? ['database'] : []),
  ];
}

test('a migration that loses its connection at any call can be begun again, and never gives two truths', async () => {
  for (let calls = 0, done = false; !done; calls += 1) {
    database = new DatabaseUnderTest();
    await house.build();
    const before = await house.sum();
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
    await house.build();
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
    assert.equal(await house.sum(), before);
  }
});

test('what a server wrote after a migration was cut off is in the next one', async () => {
  await house.build();
  database.calls = 5;
  await migrate().then(
    () => assert.unreachable(),
    () => undefined,
  );
  assert.is(database.held?.phase, 'arriving');
  const storage = await house.openAll();
  await put(storage, 'twins/ab/abc', 'current', stored(4));
  await remove(storage, 'tokens');
  await storage.close();
  database.calls = Number.POSITIVE_INFINITY;
  await migrate();
  assert.is((await readDocuments(database.stored, 'twins/ab/abc')).get('current')?.version, 4);
  assert.is((await readDocuments(database.stored, 'tokens')).size, 0);
});

const refusal = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: Error) => `${error.name}: ${error.message}`,
  );

test('a database that is not empty is refused, and stays as it is', async () => {
  await house.build();
  for (const [held, why] of [
    [{ phase: 'used', hub: 'other' }, /is not empty: name an empty database$/],
    [{ phase: 'leaving', hub: HUB }, /is not empty: name an empty database$/],
    [{ phase: 'arriving', hub: 'other' }, /holds an unfinished migration of another server/],
  ] as const) {
    database.held = held;
    assert.match(await refusal(migrate()), why);
    assert.is(database.held, held);
    assert.is(await house.start(), 'started');
  }
});

test('a directory that no server has used is refused, and nothing is made there', async () => {
  await house.make();
  assert.match(await refusal(migrate()), /is not the data directory of a server$/);
  assert.match(await refusal(back()), /were not moved to a database$/);
  const storage = await house.openAll();
  await changeFile(storage, 'tokens', () => ({ key: 'k', document: stored(1) }));
  await storage.close();
  assert.match(await refusal(migrate()), /holds nothing: no server has used it yet$/);
});

test('a directory is migrated once, and a return that was begun can be taken back', async () => {
  await house.build();
  await migrate();
  assert.match(await refusal(migrate()), /were moved to postgres:\S+ already$/);
  database.held = { phase: 'leaving', hub: HUB };
  await migrate();
  assert.is(database.held.phase, 'used');
});

test('a return is refused while servers use the database, and from another database', async () => {
  await house.build();
  await migrate();
  database.served = true;
  assert.match(await refusal(back()), /a server uses postgres:\S+: stop all servers first$/);
  assert.is(database.held?.phase, 'used');
  database.served = false;
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
  await house.build();
  const { fill } = database;
  database.fill = async (files) => {
    await fill.call(database, files);
    await put(database.stored, 'twins/ab/abc', 'desired', {
      ...stored(7),
      updatedAt: '2026-02-03T04:05:06.788Z',
    });
  };
  assert.match(await refusal(migrate()), /^Error: what was written differs from what was read/);
  assert.equal(await truths(), ['directory']);
});

test('a directory that a server uses is refused', async () => {
  await house.build();
  const storage = await house.openAll();
  assert.match(await refusal(migrate()), /^DirectoryInUse: /);
  await storage.close();
});

test.run();
