/** All that a server knows of the others on its database, put together as in the product. */

import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { makeCluster } from '../../../server/cluster/cluster.js';
import { parseAddress } from '../../../server/database-address.js';
import type { PostgresStorage } from '../../../server/storage/postgres/postgres.js';
import { ask } from '../../cluster/postgres.js';
import { until } from '../../until.js';
import { type Context, withPostgres } from '../storage/postgres/open.js';

type Made = ReturnType<typeof makeCluster>;

interface Opened {
  readonly storage: PostgresStorage;
  readonly cluster: Made;
}

const tests = suite<Context & { join(): Promise<Opened> }>('a server among others');
const test = withPostgres(tests);
const clusters: Made[] = [];

tests.before.each((context) => {
  context.join = async () => {
    const { database, open } = context;
    const log = pino({ level: 'silent' });
    let made: Made | undefined;
    const storage = await open(database, {}, (opened) => {
      made = makeCluster(opened, parseAddress(database), log);
    });
    const cluster = made as Made;
    clusters.push(cluster);
    await cluster.join();
    return { storage, cluster };
  };
});
tests.after.each(async () => {
  await Promise.all(clusters.splice(0).map((cluster) => cluster.close()));
});

test('servers that join count each other, and one of them leads', async ({ join }) => {
  const all = [await join(), await join()].map(({ cluster }) => cluster);
  await until(() => all.every(({ others }) => others.liveNodes() === 2));
  assert.equal(
    all.map(({ leadership }) => leadership.leads()),
    [true, false],
  );
  assert.ok(all.every(({ leadership }) => leadership.isShared));
});

test('its storage asks as many others as there are', async ({ join }) => {
  const [one, other] = [await join(), await join()];
  await until(() => one.storage.agreement.liveNodes() === 2);
  await other.cluster.close();
  await until(() => one.storage.agreement.liveNodes() === 1);
});

test('it is known by one id, to its storage as to the others', async ({ database, join }) => {
  const { storage, cluster } = await join();
  assert.is(cluster.id, storage.server);
  assert.is(await ask(database, 'SELECT id FROM node'), storage.server);
});

test('blocks and sessions of one server are known at another one', async ({ join }) => {
  const [{ cluster: one }, { cluster: other }] = [await join(), await join()];
  const blocks: [string, number][] = [];
  other.others.onBlock((source, ms) => blocks.push([source, ms]));
  one.others.tellBlock('203.0.113.7', 60_000);
  const deviceId = randomUUID();
  const end = () => undefined;
  await one.sessions?.claim({ deviceId, clientId: 'panel', isOneOfSeveral: false, end });
  await until(() => other.elsewhere?.connectedAt(deviceId) !== undefined);
  // What is read from the database as the server begins to listen may come first, with the time that is left.
  await until(() => blocks.some(([, ms]) => ms === 60_000));
  for (const [source, ms] of blocks) assert.ok(source === '203.0.113.7' && ms <= 60_000);
});

test('when the lease is over, every session ends, and what else must end with it', async ({
  database,
  join,
}) => {
  const { cluster } = await join();
  const ended: string[] = [];
  cluster.onEnd(() => ended.push('the streams'));
  const end = () => ended.push('the session');
  await cluster.sessions?.claim({ deviceId: randomUUID(), clientId: '', isOneOfSeveral: false, end });
  await ask(database, 'DELETE FROM node');
  await until(() => ended.length === 2);
  assert.equal(ended, ['the session', 'the streams']);
});

test('a server that is closed gives back all that it has', async ({ database, join }) => {
  const { cluster } = await join();
  const end = () => undefined;
  await cluster.sessions?.claim({ deviceId: randomUUID(), clientId: '', isOneOfSeveral: false, end });
  await cluster.close();
  const left = `SELECT (SELECT count(*) FROM node) + (SELECT count(*) FROM leader) + (SELECT count(*) FROM presence)`;
  assert.is(await ask(database, left), '0');
});

tests.run();
