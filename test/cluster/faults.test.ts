/** Three servers on three PostgreSQL, under load by REST and in-band: what happens when one of them fails. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { needsIn, pathOf } from '../programs.js';
import { contradictions } from './checker.js';
import { type Databases, startDatabases } from './databases.js';
import { type Load, startLoad } from './load.js';
import { type Servers, startServers } from './servers.js';

interface Context {
  databases: Databases;
  servers: Servers;
  load: Load;
}

const PROGRAMS = ['postgres', 'haproxy'];
/** From a promotion to the next answers of all kinds. */
const BACK_WITHIN_MS = 5000;
/** A server that stands still for so long has lost its place among the others. */
const STANDSTILL_MS = 10_000;

const tests = suite<Context>('three servers on three PostgreSQL');
const test = needsIn(tests, ...PROGRAMS);

tests.before(async (context) => {
  if (!PROGRAMS.every(pathOf)) return;
  context.databases = await startDatabases();
  context.servers = await startServers(context.databases.url, 3);
});
tests.after(async ({ databases, servers }) => {
  await servers?.stop();
  await databases?.stop();
});

tests.before.each(async (context) => {
  if (context.servers === undefined) return;
  context.load = await startLoad(context.servers);
  await context.load.isServed();
});

tests.after.each(async ({ load }) => {
  await load?.stop();
});

/** Nothing acknowledged is lost, no read was stale, no write happened twice. */
async function assertConsistent({ load }: Context): Promise<void> {
  await load.isServed();
  const kept = await load.stop();
  assert.equal(contradictions(load.operations, kept), []);
}

test('without a fault they agree', async (context) => {
  await assertConsistent(context);
});

test('kill -9 of a server: the others serve, and it comes back', async (context) => {
  const { servers, load } = context;
  await servers.kill(1);
  await load.isServed();
  await servers.restart(1);
  await assertConsistent(context);
});

test('kill -9 of a standby: the other one is enough', async (context) => {
  const { databases, load } = context;
  await databases.killStandby(0);
  await load.isServed();
  await databases.rejoin();
  await assertConsistent(context);
});

test('kill -9 of the primary: service is back soon after a standby is promoted', async (context) => {
  const { databases, load } = context;
  await databases.killPrimary();
  await databases.promote();
  const promoted = performance.now();
  await load.isServed();
  const gap = performance.now() - promoted;
  assert.ok(gap < BACK_WITHIN_MS, `${gap} ms`);
  await databases.rejoin();
  await assertConsistent(context);
});

test('SIGSTOP of a server for ten seconds: what it then says is not stale', async (context) => {
  const { servers, load } = context;
  const { pid } = servers.each[2] ?? { pid: 0 };
  process.kill(pid, 'SIGSTOP');
  const over = new Promise((resume) => setTimeout(resume, STANDSTILL_MS));
  await load.isServed();
  await over;
  process.kill(pid, 'SIGCONT');
  await assertConsistent(context);
});

needsIn(
  tests,
  ...PROGRAMS,
  'faketime',
)('the clock of a server is an hour off: the servers agree all the same', async (context) => {
  const { servers } = context;
  await servers.kill(0);
  // Its timers go on as they are: a wrong clock is one that was set wrong.
  const env = { FAKETIME_DONT_FAKE_MONOTONIC: '1' };
  await servers.restart(0, { wrapper: ['faketime', '-f', '+1h'], env });
  await assertConsistent(context);
});

tests.run();
