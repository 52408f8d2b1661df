/** A PostgreSQL, and storages that share one database of it, for one suite. */

import pino from 'pino';
import type { Test } from 'uvu';
import { parseAddress } from '../../../../server/database-address.js';
import {
  openPostgres,
  type PostgresSettings,
  type PostgresStorage,
} from '../../../../server/storage/postgres/postgres.js';
import { isTwinFile } from '../../../../server/twins/twins.js';
import { type Postgres, startPostgres } from '../../../cluster/postgres.js';
import { needsIn, pathOf } from '../../../programs.js';

export interface Context {
  readonly postgres: Postgres;
  /** An empty database. */
  readonly database: string;
  /** Opens a storage on it, or on another one. It is closed after the test. */
  open(
    database?: string,
    settings?: Partial<PostgresSettings>,
    beforeListening?: (storage: PostgresStorage) => void,
  ): Promise<PostgresStorage>;
}

const silent = pino({ level: 'silent' });

/** A twin whose id begins with `gone` belongs to a device. */
const parentOf = (file: string) => (/gone/.test(file) ? { file: 'devices/aa', key: 'owner' } : undefined);

/** Gives each test of the suite an empty database. Returns what adds a test to the suite. */
export function withPostgres<T extends Context>(tests: Test<T>): ReturnType<typeof needsIn<T>> {
  const storages: PostgresStorage[] = [];
  let postgres: Postgres | undefined;
  tests.before(async () => {
    if (pathOf('postgres') !== undefined) postgres = await startPostgres();
  });
  tests.before.each(async (context) => {
    if (postgres === undefined) return;
    const database = await postgres.createDatabase();
    const open: Context['open'] = async (url = database, changed = {}, beforeListening = () => undefined) => {
      const settings = {
        database: parseAddress(url),
        memoryBytes: 1e8,
        historyVersions: 1000,
        historyBytes: 1e7,
        ...changed,
      };
      const rules = { keepsPast: isTwinFile, parentOf };
      const storage = await openPostgres(settings, silent, rules, beforeListening);
      storages.push(storage);
      return storage;
    };
    Object.assign(context, { postgres, database, open });
  });
  tests.after.each(async () => {
    await Promise.all(storages.splice(0).map((storage) => storage.close()));
  });
  tests.after(() => postgres?.stop());
  return needsIn(tests, 'postgres');
}
