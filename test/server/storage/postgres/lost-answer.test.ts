/** The network between a server and its database breaks, at the worst moments. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  changeFile,
  OutcomeUnknown,
  readDocuments,
  type Storage,
  StorageUnavailable,
} from '../../../../server/storage/storage.js';
import { ask } from '../../../cluster/postgres.js';
import { until } from '../../../until.js';
import { past, put, stored } from '../contract.js';
import { type Context, withPostgres } from './open.js';
import { type BrokenNetwork, startProxy } from './proxy.js';

const tests = suite<Context & { proxy: BrokenNetwork }>('a broken network to the database');
const test = withPostgres(tests);

tests.before.each(async (context) => {
  if (context.database !== undefined) context.proxy = await startProxy(context.database);
});
tests.after.each(async ({ proxy }) => {
  await proxy?.close();
});

/** The name of the statement that writes a group, as the protocol has it. */
const WRITE = '\0write\0';
const READ = '\0read\0';

const versionIn = async (storage: Storage, file: string): Promise<number> =>
  (await readDocuments(storage, file)).get('d')?.version ?? 0;

const isDone = (): boolean => true;
const isNotYet = (): boolean => false;

test('a group whose answer is lost is made once and acknowledged', async ({ open, proxy }) => {
  const storage = await open(proxy.url);
  await put(storage, 'twins/aa/a', 'd', stored(1));
  const lost = proxy.loseAnswerTo(WRITE);
  let decided = 0;
  await changeFile(storage, 'twins/aa/a', () => {
    decided += 1;
    return { key: 'd', document: stored(2) };
  });
  await lost;
  assert.is(decided, 1);
  assert.equal(await past(storage, 'twins/aa/a', 'd'), [2, 1]);
});

test('when others write after a group whose answer is lost, the outcome is unknown, and nothing is made twice', async ({
  open,
  proxy,
}) => {
  const [storage, other] = await Promise.all([open(proxy.url), open()]);
  await put(storage, 'twins/aa/a', 'd', stored(1));
  const lost = proxy.loseAnswerTo(WRITE);
  proxy.refuse(true);
  const change = changeFile(storage, 'twins/aa/a', (latest) => ({
    key: 'd',
    document: stored((latest.get('d')?.version ?? 0) + 1),
  })).catch((error) => error);
  await lost;
  await put(other, 'twins/aa/a', 'd', stored(3));
  proxy.refuse(false);
  assert.instance(await change, OutcomeUnknown);
  assert.equal(await past(other, 'twins/aa/a', 'd'), [3, 2, 1]);
});

test('when the database stays away after a lost answer, the outcome is unknown, and a read tells it later', async ({
  open,
  proxy,
}) => {
  const storage = await open(proxy.url);
  await put(storage, 'twins/aa/a', 'd', stored(1));
  const lost = proxy.loseAnswerTo(WRITE);
  proxy.refuse(true);
  const change = put(storage, 'twins/aa/a', 'd', stored(2)).catch((error) => error);
  await lost;
  proxy.cut();
  assert.instance(await change, OutcomeUnknown);
  assert.not(storage.healthy);
  proxy.refuse(false);
  await until(() => versionIn(storage, 'twins/aa/a').then((version) => version === 2, isNotYet));
  await put(storage, 'twins/aa/a', 'd', stored(3));
  assert.ok(storage.healthy);
});

test('when the database cannot be reached, nothing was changed, and it goes on when it can', async ({
  open,
  proxy,
}) => {
  const storage = await open(proxy.url);
  await put(storage, 'twins/aa/a', 'd', stored(1));
  proxy.refuse(true);
  proxy.cut();
  await versionIn(storage, 'twins/aa/a').catch(() => undefined);
  const answers = await Promise.allSettled([
    put(storage, 'twins/aa/a', 'd', stored(2)),
    versionIn(storage, 'twins/aa/a'),
    storage.past('twins/aa/a', 'd', { limit: 1, dataBytes: 1 }),
    storage.list('twins/'),
  ]);
  for (const answer of answers) {
    assert.instance(answer.status === 'rejected' && answer.reason, StorageUnavailable);
  }
  proxy.refuse(false);
  await until(() => put(storage, 'twins/aa/a', 'd', stored(2)).then(isDone, isNotYet));
  assert.equal(await past(storage, 'twins/aa/a', 'd'), [2, 1]);
});

test('a socket that is silent is given up, and the call is carried out on another one', async ({
  open,
  proxy,
}) => {
  const storage = await open(proxy.url);
  await put(storage, 'twins/aa/a', 'd', stored(1));
  await versionIn(storage, 'twins/aa/a');
  proxy.silence(WRITE);
  proxy.silence(READ);
  await Promise.allSettled([put(storage, 'twins/aa/a', 'd', stored(2)), versionIn(storage, 'twins/aa/b')]);
  await until(() => put(storage, 'twins/aa/b', 'd', stored(1)).then(isDone, isNotYet));
  assert.is(await versionIn(storage, 'twins/aa/b'), 1);
});

test('a commit that did not wait for its standby is not acknowledged', async ({
  open,
  postgres,
  database,
}) => {
  const storage = await open();
  await put(storage, 'twins/aa/a', 'd', stored(1));
  const standbys = async (names: string): Promise<void> => {
    await postgres.sql(`ALTER SYSTEM SET synchronous_standby_names = '${names}'`);
    await postgres.sql('SELECT pg_reload_conf()');
    await until(async () => (await ask(database, 'SHOW synchronous_standby_names')) === names);
  };
  await standbys('absent');
  try {
    let isAnswered = false;
    const change = put(storage, 'twins/aa/a', 'd', stored(2))
      .catch((error) => error)
      .finally(() => {
        isAnswered = true;
      });
    const waits = `wait_event = 'SyncRep' AND datname = current_database()`;
    while (!isAnswered) {
      await ask(database, `SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE ${waits}`);
    }
    assert.instance(await change, OutcomeUnknown);
  } finally {
    await standbys('');
  }
  await until(() => versionIn(storage, 'twins/aa/a').then((version) => version === 2, isNotYet));
});

tests.run();
