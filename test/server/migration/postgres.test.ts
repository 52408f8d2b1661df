import pino from 'pino';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAddress } from '../../../server/database-address.js';
import { isKeptAlike } from '../../../server/migration/kept-in-files.js';
import { type Database, migrateBack, migrateTo } from '../../../server/migration/migrate.js';
import { openDatabase } from '../../../server/migration/postgres.js';
import { RULES } from '../../../server/open-storage.js';
import { past, put, remove, stored } from '../storage/contract.js';
import { type Context, withPostgres } from '../storage/postgres/open.js';
import { BIRTH, House, SECRET, sumOf, TWIN } from './house.js';

const tests = suite<Context>('migrate with PostgreSQL');
const test = withPostgres(tests);
const house = new House();
const log = pino({ level: 'silent' });
const VERSIONS = 1200;

tests.after.each(() => house.remove());

async function within<T>(url: string, work: (database: Database) => Promise<T>): Promise<T> {
  const database = await openDatabase(parseAddress(url), log, RULES);
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

const migrate = (url: string) => within(url, (database) => migrateTo(house.data, database, SECRET, log));
const back = (url: string) => within(url, (database) => migrateBack(house.data, database, SECRET, log));

const refusal = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: Error) => error.message,
  );

test('every document goes into the database with its past, is served from there, and comes back', async ({
  database,
  open,
}) => {
  await house.build(VERSIONS);
  const before = await house.sum();
  assert.equal(await migrate(database), before);
  assert.match(
    await house.start(),
    /its data were moved to postgres:\/\/twin@127\.0\.0\.1:\d+\/twin_\w+ on /,
  );
  const server = await open();
  assert.equal(await sumOf(server, (await server.list('')).filter(isKeptAlike)), before);
  await put(server, TWIN, 'current', { ...stored(VERSIONS + 1, '{"n":0}'), born: BIRTH });
  assert.match(await refusal(back(database)), /a server uses postgres:\S+: stop all servers first$/);
  await server.close();
  const { sum } = await back(database);
  assert.equal(await house.sum(), sum);
  const storage = await house.openAll();
  assert.equal(await past(storage, TWIN, 'current', { limit: 2 }), [VERSIONS + 1, VERSIONS]);
  await storage.close();
  assert.match(
    await refusal(open()),
    /its data were taken back to a data directory\. Start the server without/,
  );
  assert.match(await refusal(migrate(database)), /is not empty: name an empty database$/);
});

test('a twin goes with its device in the database too', async ({ database, open }) => {
  await house.build();
  await migrate(database);
  const server = await open();
  await remove(server, 'devices/ab', 'abc');
  assert.equal(await server.list('twins/ab'), []);
  assert.equal(await server.list('twins/ff'), ['twins/ff/without-device']);
});

test('a migration that was cut off keeps servers out of the database until it is complete', async ({
  database,
  open,
}) => {
  await house.build();
  const cut = within(database, async (whole) => {
    const fill: Database['fill'] = async (files) => {
      await whole.fill(files);
      throw new Error('the machine has failed');
    };
    await migrateTo(house.data, { ...whole, fill }, SECRET, log);
  });
  assert.is(await refusal(cut), 'the machine has failed');
  assert.match(
    await refusal(open()),
    /cannot be used: it holds an unfinished migration\. Finish it with npm run twin/,
  );
  assert.is(await house.start(), 'started');
  const before = await house.sum();
  assert.equal(await migrate(database), before);
  const server = await open();
  assert.equal(await sumOf(server, (await server.list('')).filter(isKeptAlike)), before);
});

test('a database that a server has used is refused', async ({ database, open }) => {
  const server = await open();
  await put(server, 'server', 'hub', stored(1, '{"id":"other"}'));
  await house.build();
  assert.match(await refusal(migrate(database)), /is not empty: name an empty database$/);
  assert.is(await house.start(), 'started');
});

tests.run();
