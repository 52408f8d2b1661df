/** The leases of servers on one database. Their clocks, and the clock of the database, show what a test sets. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LEASE_LIMITS } from '../../../server/cluster/lease.js';
import { ask } from '../../cluster/postgres.js';
import { until } from '../../until.js';
import { type PeersContext, renewed, withPeers } from './peers.js';

const tests = suite<PeersContext>('the lease of a server');
const test = withPeers(tests);

test('one of two servers leads, and they count each other', async ({ start }) => {
  const one = await start();
  assert.ok(one.lease.isLive);
  assert.ok(one.lease.leads());
  assert.is(one.lease.liveNodes, 1);
  const other = await start();
  assert.ok(other.lease.isLive);
  assert.not(other.lease.leads());
  await until(() => one.lease.liveNodes === 2 && other.lease.liveNodes === 2);
});

test('of servers that start at the same moment exactly one leads', async ({ start }) => {
  const all = await Promise.all([start(), start(), start(), start()]);
  await until(() => all.every(({ lease }) => lease.liveNodes === 4));
  assert.is(all.filter(({ lease }) => lease.leads()).length, 1);
});

test('a lease that is renewed is kept, and so is the lead', async ({ database, start, setTime }) => {
  let ends = 0;
  const onEnd = () => {
    ends += 1;
  };
  const [one, other] = [await start({ onEnd }), await start({ onEnd })];
  const step = LEASE_LIMITS.endMs - 1;
  for (let ms = step; ms < LEASE_LIMITS.deadMs * 3; ms += step) {
    await setTime(ms);
    await Promise.all([renewed(database, one), renewed(database, other)]);
    await until(() => one.lease.leads() && other.lease.isLive);
    assert.not(other.lease.leads());
  }
  assert.is(ends, 0);
});

test('a server that cannot renew its lease knows that it is over before another one leads', async ({
  database,
  network,
  start,
  setTime,
}) => {
  const proxy = await network();
  const said: string[] = [];
  const one = await start({ proxy, onEnd: () => said.push('one has ended its sessions') });
  const other = await start();
  one.lease.watch((leads) => said.push(leads ? 'one leads' : 'one does not lead'));
  other.lease.watch((leads) => said.push(leads ? 'the other leads' : 'the other does not lead'));
  proxy.refuse(true);
  proxy.cut();

  await setTime(LEASE_LIMITS.endMs - 1);
  await renewed(database, other);
  assert.ok(one.lease.leads());
  await setTime(LEASE_LIMITS.endMs);
  assert.not(one.lease.isLive);
  assert.not(one.lease.leads());
  await until(() => said.length === 2);

  await setTime(LEASE_LIMITS.deadMs);
  await renewed(database, other);
  assert.not(other.lease.leads());
  await setTime(LEASE_LIMITS.deadMs + 1);
  await until(() => other.lease.leads());
  assert.equal(said, ['one does not lead', 'one has ended its sessions', 'the other leads']);
  assert.is(other.lease.liveNodes, 1);

  proxy.refuse(false);
  await until(() => one.lease.isLive && other.lease.liveNodes === 2);
  assert.not(one.lease.leads());
  assert.ok(other.lease.leads());
});

test('a server that slept knows at once that its lease is over, and enters again', async ({
  database,
  start,
  setTime,
}) => {
  let ends = 0;
  const one = await start({
    onEnd: () => {
      ends += 1;
    },
  });
  const epoch = () => ask(database, `SELECT epoch FROM node WHERE id = '${one.id}'`);
  const before = await epoch();
  await setTime(LEASE_LIMITS.endMs);
  assert.is(ends, 0);
  assert.not(one.lease.isLive);
  await until(() => one.lease.isLive);
  assert.is(ends, 1);
  assert.is.not(await epoch(), before);
});

test('a server that the others have declared dead ends its sessions, although its clock says nothing', async ({
  database,
  start,
}) => {
  let ends = 0;
  const one = await start({
    onEnd: () => {
      ends += 1;
    },
  });
  await ask(database, `DELETE FROM node WHERE id = '${one.id}'`);
  await until(() => ends === 1);
  await until(() => one.lease.leads());
  assert.is(ends, 1);
});

test('a lease that is given back lets another server lead at once', async ({ start }) => {
  const [one, other] = [await start(), await start()];
  const said: boolean[] = [];
  one.lease.watch((leads) => said.push(leads));
  await one.lease.close();
  assert.equal(said, [false]);
  assert.not(one.lease.isLive);
  await until(() => other.lease.leads());
  await until(() => other.lease.liveNodes === 1);
});

test('a watcher that has ended does not hear who leads', async ({ start }) => {
  const one = await start();
  const said: boolean[] = [];
  const end = one.lease.watch((leads) => said.push(leads));
  end();
  await one.lease.close();
  assert.equal(said, []);
});

tests.run();
