/** Whether a commit waits for a standby. The standby is `pg_receivewal`, which PostgreSQL takes for one. */

import { rmSync } from 'node:fs';
import { suite } from 'uvu';
import { makeDirectory, unprivileged } from '../../../cluster/postgres.js';
import { startProgram } from '../../../system/process.js';
import { until } from '../../../until.js';
import { put, stored } from '../contract.js';
import { type Context, withPostgres } from './open.js';

const tests = suite<Context>('a database with a standby');
const test = withPostgres(tests);

test('a server knows from the beat whether an acknowledgement is one disk only', async ({
  postgres,
  database,
  open,
}) => {
  const storage = await open();
  const { listener } = storage;
  await until(() => listener.isCurrent && !listener.hasStandby);
  const directory = makeDirectory('twin-standby-');
  const [file, args] = unprivileged('pg_receivewal', ['-d', database, '-D', directory, '--synchronous']);
  const standby = startProgram([file, ...args]);
  const streaming = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'";
  await until(async () => (await postgres.sql(streaming)) === '1');
  await postgres.sql("ALTER SYSTEM SET synchronous_standby_names = 'pg_receivewal'");
  await postgres.sql('SELECT pg_reload_conf()');
  await until(() => listener.hasStandby);
  await put(storage, 'twins/aa/a', 'd', stored(1));
  await postgres.sql('ALTER SYSTEM RESET synchronous_standby_names');
  await postgres.sql('SELECT pg_reload_conf()');
  await until(() => !listener.hasStandby);
  await standby.stop('SIGINT');
  rmSync(directory, { recursive: true, force: true });
});

tests.run();
