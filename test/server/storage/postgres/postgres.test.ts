import pino from 'pino';
import { suite } from 'uvu';
import { parseAddress } from '../../../../server/database-address.js';
import { openPostgres, type PostgresStorage } from '../../../../server/storage/postgres/postgres.js';
import { changeFile } from '../../../../server/storage/storage.js';
import { isTwinFile } from '../../../../server/twins/twins.js';
import { ask, type Postgres, startPostgres } from '../../../cluster/postgres.js';
import { until } from '../../../until.js';
import { storageContract } from '../contract.js';

const test = suite('PostgreSQL storage');

const silent = pino({ level: 'silent' });
let postgres: Postgres;
const storages: PostgresStorage[] = [];

/** A storage on a database. Several may share it. */
async function open(database: string): Promise<PostgresStorage> {
  const settings = {
    database: parseAddress(database),
    memoryBytes: 1e8,
    historyVersions: 1000,
    historyBytes: 1e7,
  };
  const storage = await openPostgres(settings, silent, { keepsPast: isTwinFile, parentOf: () => undefined });
  storages.push(storage);
  return storage;
}

test.before(async () => {
  postgres = await startPostgres();
});
test.after.each(async () => {
  await Promise.all(storages.splice(0).map((storage) => storage.close()));
});
test.after(() => postgres.stop());

storageContract((name, run) =>
  test(name, async () => {
    const database = await postgres.createDatabase();
    const storage = await open(database);
    const rename = (from: string, to: string) => ask(database, `ALTER TABLE ${from} RENAME TO ${to}`);
    await run({
      storage,
      breakDown: () => rename('past', 'gone').then(() => undefined),
      async repair() {
        await rename('gone', 'past');
        await until(() => changeFile(storage, 'twins/other', () => undefined).then(() => storage.healthy));
      },
    });
  }),
);

test.run();
