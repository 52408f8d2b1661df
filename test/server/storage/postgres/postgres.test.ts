import { suite } from 'uvu';
import { changeFile } from '../../../../server/storage/storage.js';
import { ask } from '../../../cluster/postgres.js';
import { until } from '../../../until.js';
import { storageContract } from '../contract.js';
import { type Context, withPostgres } from './open.js';

const tests = suite<Context>('PostgreSQL storage');
const test = withPostgres(tests);

storageContract((name, run) =>
  test(name, async ({ open, database }) => {
    const storage = await open();
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

tests.run();
