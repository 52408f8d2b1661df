/** Three servers on three PostgreSQL, under load by REST and in-band: what happens when one of them fails. */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { needsIn, pathOf } from '../programs.js';
import { contradictions } from './checker.js';
import { type Databases, startDatabases } from './databases.js';
import { type Load, startLoad } from './load.js';
import { certify, makeDirectory, tlsSettings } from './postgres.js';
import { type Servers, startServers } from './servers.js';

interface Context {
  directory: string;
  databases: Databases;
  servers: Servers;
  load: Load;
}

const PROGRAMS = ['postgres', 'haproxy', 'openssl'];
/** One server is connected to its databases with TLS, and is asked past the balancer, too. */
const SECURE = 2;
/**
 * From a promotion to the next answers of all kinds. It is to be 5 s, and is printed. On a busy machine all of this takes
 * longer, so that only what is far off fails.
 */
const BACK_WITHIN_MS = 15_000;
/** A server that stands still for so long has lost its place among the others. */
const STANDSTILL_MS = 10_000;

const tests = suite<Context>('three servers on three PostgreSQL');
const test = needsIn(tests, ...PROGRAMS);

tests.before(async (context) => {
  if (!PROGRAMS.every(pathOf)) return;
  const directory = makeDirectory('twin-faults-');
  context.directory = directory;
  certify(directory, 'IP:127.0.0.1');
  context.databases = await startDatabases({ settings: tlsSettings(directory) });
  const { url } = context.databases;
  const secure = `${url}?sslmode=verify-full&sslrootcert=${join(directory, 'certificate.pem')}`;
  context.servers = await startServers(url, 3, (index) =>
    index === SECURE ? { env: { TWIN_DATABASE: secure } } : {},
  );
});
tests.after(async ({ databases, servers, directory }) => {
  await servers?.stop();
  await databases?.stop();
  if (directory !== undefined) rmSync(directory, { recursive: true });
});

tests.before.each(async (context) => {
  if (context.servers === undefined) return;
  context.load = await startLoad(context.servers, context.servers.each[SECURE]);
  await isServed(context);
});

tests.after.each(async ({ load }) => {
  // Of a test that failed the databases may be down. What it throws would hide why.
  await load?.stop().catch(() => undefined);
});

/** Through the balancer, and by the server that is asked past it. */
async function isServed({ load }: Context): Promise<void> {
  await Promise.all([load.isServed(), load.isServed('direct')]);
}

/** Nothing acknowledged is lost, no read was stale, no write happened twice. */
async function assertConsistent(context: Context): Promise<void> {
  const { load } = context;
  await isServed(context);
  const kept = await load.stop();
  assert.equal(contradictions(load.operations, kept), []);
}

/** How many connections of servers to the primary have TLS, and have it not. */
async function connections({ databases }: Context): Promise<{ secure: number; plain: number }> {
  const count = (condition: string) => `count(*) FILTER (WHERE ${condition})`;
  const of = "FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'alarm-twin'";
  const answer = await databases.sql(`SELECT ${count('ssl')}, ${count('NOT ssl')} ${of}`);
  const [secure = 0, plain = 0] = answer.split('|').map(Number);
  return { secure, plain };
}

async function assertOneIsSecure(context: Context): Promise<void> {
  const { secure, plain } = await connections(context);
  assert.ok(secure > 0 && plain > secure, `${secure} with TLS, ${plain} without`);
}

test('without a fault they agree', async (context) => {
  await assertOneIsSecure(context);
  await assertConsistent(context);
});

test('kill -9 of a server: the others serve, and it comes back', async (context) => {
  const { servers, load } = context;
  await servers.kill(1);
  await load.isServed();
  await servers.restart(1);
  await assertConsistent(context);
});

test('kill -9 of each standby in turn: the other one is enough', async (context) => {
  const { databases } = context;
  for (const index of [0, 1] as const) {
    await databases.killStandby(index);
    await isServed(context);
    await databases.rejoin();
  }
  await assertConsistent(context);
});

test('kill -9 of the primary: service is back soon after a standby is promoted', async (context) => {
  const { databases } = context;
  await databases.killPrimary();
  const promoted = await databases.promote();
  await isServed(context);
  const gap = performance.now() - promoted;
  console.log(`${Math.round(gap)} ms from the promotion to the next answers of all kinds`);
  await assertOneIsSecure(context);
  assert.ok(gap < BACK_WITHIN_MS, `${gap} ms`);
  await databases.rejoin();
  await assertConsistent(context);
});

test('SIGSTOP of a server for ten seconds: it answers again, and what it says is not stale', async (context) => {
  const { servers, load } = context;
  const { pid } = servers.each[SECURE] ?? { pid: 0 };
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
