/** The sessions of devices that connect to several servers on one database. */

import { randomUUID } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LEASE_LIMITS } from '../../../server/cluster/lease.js';
import { type Claimed, SESSION_LIMITS } from '../../../server/cluster/sessions.js';
import { StorageUnavailable } from '../../../server/storage/storage.js';
import { ask } from '../../cluster/postgres.js';
import { until } from '../../until.js';
import { BEGIN, type Peer, type PeersContext, renewed, withPeers } from './peers.js';

const tests = suite<PeersContext>('the sessions of several servers');
const test = withPeers(tests);

interface Client {
  readonly clientId?: string;
  readonly isOneOfSeveral?: boolean;
  readonly end?: () => void;
}

const connect = (
  { sessions }: Peer,
  deviceId: string,
  { clientId = 'panel', isOneOfSeveral = false, end = () => undefined }: Client = {},
): Promise<Claimed> => sessions.claim({ deviceId, clientId, isOneOfSeveral, end });

/** What the watchers of a server hear of devices elsewhere: when each connected, or that it has left. */
function heardBy({ sessions }: Peer): (number | undefined)[] {
  const heard: (number | undefined)[] = [];
  sessions.watch((_, connectedAt) => heard.push(connectedAt));
  return heard;
}

const ownerOf = (device: string): string => `SELECT node_id FROM presence WHERE device_id = '${device}'`;

const rowsIn = async (database: string): Promise<number> =>
  Number(await ask(database, 'SELECT count(*) FROM presence'));

test('a device is known at all servers, with the same time, until it leaves', async ({ database, start }) => {
  const [one, other] = [await start(), await start()];
  const device = randomUUID();
  const heard = heardBy(other);
  const { connectedAt, release } = await connect(one, device);
  assert.is(connectedAt, BEGIN);
  await until(() => other.sessions.connectedAt(device) === BEGIN);
  assert.is(one.sessions.connectedAt(device), undefined);
  release();
  await until(() => other.sessions.connectedAt(device) === undefined);
  assert.equal(heard, [BEGIN, undefined]);
  assert.is(await rowsIn(database), 0);
});

test('a server that starts later knows who is connected', async ({ start }) => {
  const one = await start();
  const device = randomUUID();
  await connect(one, device);
  const late = await start();
  await until(() => late.sessions.connectedAt(device) === BEGIN);
});

test('a session that is claimed at another server has ended here before the claim is answered', async ({
  database,
  start,
}) => {
  const [one, other] = [await start(), await start()];
  const device = randomUUID();
  const said: string[] = [];
  const old = await connect(one, device, { end: () => said.push('the old session ends') });
  await connect(other, device).then(() => said.push('the new session begins'));
  assert.equal(said, ['the old session ends', 'the new session begins']);
  old.release();
  await until(() => one.sessions.connectedAt(device) === BEGIN);
  assert.is(await rowsIn(database), 1);
});

test('a claim waits for a server that does not answer, and not for ever', async ({ network, start }) => {
  const proxy = await network();
  const [one, other, third] = [await start({ proxy }), await start(), await start()];
  const device = randomUUID();
  await connect(one, device);
  await until(() => [other, third].every(({ sessions }) => sessions.connectedAt(device) !== undefined));
  proxy.silence();
  const begin = performance.now();
  const heard = heardBy(other);
  await connect(other, device);
  assert.ok(performance.now() - begin >= SESSION_LIMITS.takeoverMs - 1);
  // Here it was connected to the other server until its time was over. A third server knows the new session.
  assert.equal(heard, [undefined]);
  await until(() => third.sessions.connectedAt(device) !== undefined);
  proxy.cut();
});

test('a claim waits no longer when the server that has the session is dead', async ({
  database,
  network,
  start,
}) => {
  const proxy = await network();
  const sessionLimits = { takeoverMs: 60_000 };
  const [one, other] = [await start({ proxy }), await start({ sessionLimits })];
  const device = randomUUID();
  await connect(one, device);
  await until(() => other.sessions.connectedAt(device) !== undefined);
  proxy.silence();
  const begin = performance.now();
  const claim = connect(other, device);
  await until(async () => (await ask(database, ownerOf(device))) === other.id);
  await ask(
    database,
    `WITH gone AS (DELETE FROM node WHERE id = '${one.id}' RETURNING id)
    SELECT pg_notify('twin_session', 'dead ' || id) FROM gone`,
  );
  await claim;
  assert.ok(performance.now() - begin < sessionLimits.takeoverMs / 2);
  assert.is(other.sessions.connectedAt(device), undefined);
  proxy.cut();
});

test('a device with several sessions has them at several servers, each client id once', async ({ start }) => {
  const [one, other] = [await start(), await start()];
  const device = randomUUID();
  const ended: string[] = [];
  const client = (clientId: string) => ({
    clientId,
    isOneOfSeveral: true,
    end: () => ended.push(clientId),
  });
  await connect(one, device, client('a'));
  await connect(one, device, client('b'));
  await connect(one, device, client(''));
  await connect(other, device, client(''));
  await connect(other, device, client('a'));
  assert.equal(ended, ['a']);
});

test('of two servers that claim a device at the same moment, one has it in the end', async ({
  database,
  start,
}) => {
  const [one, other] = [await start(), await start()];
  for (let round = 0; round < 10; round += 1) {
    const device = randomUUID();
    const open = new Set<Peer>();
    const claim = async (peer: Peer): Promise<void> => {
      open.add(peer);
      await connect(peer, device, { end: () => open.delete(peer) });
    };
    await Promise.all([claim(one), claim(other)]);
    assert.is(open.size, 1);
    assert.equal(
      (await ask(database, ownerOf(device))).split('\n'),
      [...open].map(({ id }) => id),
    );
  }
});

test('the late goodbye of an old session leaves the new one alone', async ({ database, start }) => {
  const [one, other] = [await start(), await start()];
  const device = randomUUID();
  const old = await connect(one, device);
  const heard = heardBy(one);
  await connect(other, device);
  old.release();
  await until(() => heard.length > 0);
  const mark = randomUUID();
  (await connect(one, mark)).release();
  await until(async () => (await ask(database, 'SELECT count(*) FROM presence')) === '1');
  assert.is(one.sessions.connectedAt(device), BEGIN);
});

test('the sessions of a dead server are swept once', async ({ database, heard, network, start, setTime }) => {
  const proxy = await network();
  const ended: string[] = [];
  const dead = await start({ proxy });
  const devices = [randomUUID(), randomUUID()];
  for (const device of devices) await connect(dead, device, { end: () => ended.push(device) });
  const living = [await start(), await start(), await start()];
  const knows = (device: string) => (peer: Peer) => peer.sessions.connectedAt(device) !== undefined;
  await until(() => devices.every((device) => living.every(knows(device))));
  const said = await heard('twin_session');
  const left = living.map(heardBy);
  proxy.refuse(true);
  proxy.cut();
  for (const ms of [LEASE_LIMITS.deadMs / 2, LEASE_LIMITS.deadMs]) {
    await setTime(ms);
    await Promise.all(living.map((peer) => renewed(database, peer)));
  }
  await until(() => ended.length === 2);
  assert.is(await rowsIn(database), 2);
  await setTime(LEASE_LIMITS.deadMs + 1);
  await until(() => left.every(({ length }) => length >= 2));
  await Promise.all(living.map((peer) => renewed(database, peer)));
  assert.equal(
    left,
    living.map(() => [undefined, undefined]),
  );
  assert.equal(
    said.filter((words) => words.startsWith('dead')),
    [`dead ${dead.id}`],
  );
  assert.is(await rowsIn(database), 0);
});

test('a server without its lease admits no device', async ({ database, network, start, setTime }) => {
  const proxy = await network();
  const one = await start({ proxy });
  proxy.refuse(true);
  // Its sessions have a connection of their own, which stays.
  proxy.cut('\0renew\0');
  await setTime(LEASE_LIMITS.endMs);
  const refusal = await connect(one, randomUUID()).catch((error) => error);
  assert.instance(refusal, StorageUnavailable);
  assert.is(await rowsIn(database), 0);
});

test('a session that ends with the lease while it is claimed leaves no row', async ({ database, start }) => {
  const [one, other] = [await start(), await start()];
  const device = randomUUID();
  const heard = heardBy(other);
  let isEnded = false;
  const claim = connect(one, device, {
    end: () => {
      isEnded = true;
    },
  });
  while (!isEnded) {
    one.sessions.endAll();
    await new Promise((turn) => setImmediate(turn));
  }
  (await claim).release();
  await until(() => heard.length === 2);
  assert.equal(heard, [BEGIN, undefined]);
  assert.is(await rowsIn(database), 0);
});

test('a release that the database refuses is tried again after a pause, until it is carried out', async ({
  database,
  start,
}) => {
  const [one, other] = [await start(), await start()];
  const device = randomUUID();
  const { release } = await connect(one, device);
  await until(() => other.sessions.connectedAt(device) !== undefined);
  const refuse = `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not now'; END $$;
    CREATE TRIGGER refuse BEFORE DELETE ON presence EXECUTE FUNCTION refuse()`;
  await ask(database, refuse);
  const begin = performance.now();
  release();
  await until(() => one.errors.length >= 3);
  // One try after each pause, and the first one.
  assert.ok(one.errors.length <= 1 + (performance.now() - begin) / SESSION_LIMITS.againMs);
  assert.match(one.errors[0]?.message ?? '', 'not now');
  assert.is(await rowsIn(database), 1);
  await ask(database, 'DROP TRIGGER refuse ON presence');
  await until(() => other.sessions.connectedAt(device) === undefined);
  assert.is(await rowsIn(database), 0);
});

test('a server that heard nothing for a while knows afterwards who came and who left', async ({
  network,
  start,
}) => {
  const proxy = await network();
  const [one, other] = [await start(), await start({ proxy })];
  const [left, stays, comes] = [randomUUID(), randomUUID(), randomUUID()];
  const { release } = await connect(one, left);
  await connect(one, stays);
  await until(() => [left, stays].every((id) => other.sessions.connectedAt(id) !== undefined));
  const heard = heardBy(other);
  proxy.refuse(true);
  proxy.cut('LISTEN');
  release();
  await connect(one, comes);
  proxy.refuse(false);
  await until(() => other.sessions.connectedAt(left) === undefined);
  await until(() => other.sessions.connectedAt(comes) !== undefined);
  assert.is(other.sessions.connectedAt(stays), BEGIN);
  assert.is(heard.length, 2);
});

tests.run();
