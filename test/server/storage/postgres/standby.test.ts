/** Whether a commit waits for a standby. The standby is `pg_receivewal`, which PostgreSQL takes for one. */

import { rmSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PostgresStorage } from '../../../../server/storage/postgres/postgres.js';
import { readDocuments } from '../../../../server/storage/storage.js';
import { makeDirectory, unprivileged } from '../../../cluster/postgres.js';
import { startProgram } from '../../../system/process.js';
import { until } from '../../../until.js';
import { put, stored } from '../contract.js';
import { type Context, withPostgres } from './open.js';

const tests = suite<Context>('a database with a standby');
const test = withPostgres(tests);

/** A standby that has to have every commit. */
async function startStandby({ postgres, database }: Context) {
  const directory = makeDirectory('twin-standby-');
  const [file, args] = unprivileged('pg_receivewal', ['-d', database, '-D', directory, '--synchronous']);
  const standby = startProgram([file, ...args]);
  const streaming = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'";
  await until(async () => (await postgres.sql(streaming)) === '1');
  await postgres.sql("ALTER SYSTEM SET synchronous_standby_names = 'pg_receivewal'");
  await postgres.sql('SELECT pg_reload_conf()');
  return {
    pause: () => process.kill(standby.pid, 'SIGSTOP'),
    resume: () => process.kill(standby.pid, 'SIGCONT'),
    async stop() {
      await postgres.sql('ALTER SYSTEM RESET synchronous_standby_names');
      await postgres.sql('SELECT pg_reload_conf()');
      await standby.stop('SIGINT');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

test('a server knows from the beat whether an acknowledgement is one disk only', async (context) => {
  const storage = await context.open();
  const { listener } = storage;
  await until(() => listener.isCurrent && !listener.hasStandby);
  const standby = await startStandby(context);
  await until(() => listener.hasStandby);
  await put(storage, 'twins/aa/a', 'd', stored(1));
  await standby.stop();
  await until(() => !listener.hasStandby);
});

/** A read, a list and a history at the same time: what each has come to by now. */
function readsOf(storage: PostgresStorage): string[] {
  const said: string[] = [];
  const note = (what: string, answer: Promise<unknown>) =>
    answer.then(
      () => said.push(`${what} answered`),
      () => said.push(`${what} refused`),
    );
  note('read', readDocuments(storage, 'twins/aa/a'));
  note('list', storage.list('twins/'));
  note('past', storage.past('twins/aa/a', 'd', { limit: 1, dataBytes: 1 }));
  return said;
}

test('strict reads are answered only by a primary that its standby follows', async (context) => {
  const [strict, fast] = await Promise.all([
    context.open(context.database, { reads: 'strict' }),
    context.open(),
  ]);
  const standby = await startStandby(context);
  await put(fast, 'twins/aa/a', 'd', stored(1));
  const [before, other] = [readsOf(strict), readsOf(fast)];
  await until(() => before.length === 3 && other.length === 3);
  standby.pause();
  const [waiting, answered] = [readsOf(strict), readsOf(fast)];
  await until(() => answered.length === 3);
  await until(() => waiting.length === 3);
  standby.resume();
  assert.equal([before.sort(), other.sort(), answered.sort(), waiting.sort()], [ALL, ALL, ALL, NONE]);
  await standby.stop();
});

const ALL = ['list answered', 'past answered', 'read answered'];
const NONE = ['list refused', 'past refused', 'read refused'];

tests.run();
