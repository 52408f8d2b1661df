/** Three servers on three PostgreSQL, under load: what happens when a link between them is cut, and no connection ends. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { needsIn, pathOf } from '../programs.js';
import { createDevice, type Server } from '../system/server.js';
import { type EventStream, openStream } from '../system/several-servers.js';
import { until } from '../until.js';
import { contradictions, type Operation } from './checker.js';
import { type Databases, startDatabases } from './databases.js';
import { type LinkedAddress, startLinks } from './link.js';
import { type Load, patiently, startLoad } from './load.js';
import { canMakeNamespaces, makeNamespace, type Namespace, needsNetworkNamespaces } from './namespace.js';
import { type Servers, startServers } from './servers.js';

interface Context {
  databases: Databases;
  servers: Servers;
  /** From one of the servers to its database. */
  links: LinkedAddress;
  namespace: Namespace | undefined;
  load: Load | undefined;
}

/** The servers: one has all links whole, the others have theirs by a relay in this process and out of a namespace. */
const [WHOLE, RELAYED, APART] = [0, 1, 2];
const PROGRAMS = ['postgres', 'haproxy'];

const tests = suite<Context>('links that are cut');
const test = needsIn(tests, ...PROGRAMS);
const testInNamespace = PROGRAMS.every(pathOf) ? needsNetworkNamespaces(tests) : test;

tests.before(async (context) => {
  if (!PROGRAMS.every(pathOf)) return;
  const namespace = canMakeNamespaces() ? makeNamespace() : undefined;
  context.namespace = namespace;
  context.databases = await startDatabases({ hasLinks: true, host: namespace?.database.here });
  const { url } = context.databases;
  context.links = await startLinks(url);
  const specials = {
    [RELAYED]: { env: { TWIN_DATABASE: context.links.url } },
    ...(namespace !== undefined && { [APART]: specialIn(namespace, url) }),
  };
  context.servers = await startServers(url, 3, (index) => specials[index] ?? {});
});

tests.after(async ({ databases, servers, links, namespace }) => {
  await servers?.stop();
  await links?.close();
  await databases?.stop();
  namespace?.remove();
});

tests.after.each(async (context) => {
  // Of a test that failed the databases may be down. What it throws would hide why.
  await context.load?.stop().catch(() => undefined);
  context.load = undefined;
});

/** For a server in a namespace, which this machine reaches, and which reaches the database. */
const specialIn = ({ wrapper, clients, database }: Namespace, url: string) => ({
  wrapper,
  env: {
    TWIN_DATABASE: `${url.replaceAll('127.0.0.1', database.here)}?sslmode=disable`,
    TWIN_HTTP: `${clients.there}:0`,
    TWIN_MQTT: `${clients.there}:0`,
    TWIN_PROXIES: clients.here,
    TWIN_ALLOW_INSECURE: '1',
  },
});

async function startLoadAt(context: Context, server: Server): Promise<Load> {
  const load = await startLoad(context.servers, server);
  context.load = load;
  await load.isServed();
  await load.isServed('direct');
  return load;
}

/** Nothing acknowledged is lost, no read was stale, no write happened twice. */
async function assertConsistent(load: Load): Promise<void> {
  await load.isServed();
  const kept = await load.stop();
  assert.equal(contradictions(load.operations, kept), []);
}

const serverAt = ({ servers }: Context, index = WHOLE): Server => servers.each[index ?? 0] as Server;

const isReady = async ({ http }: Server): Promise<boolean> => (await fetch(`${http}/readyz`)).ok;

/** Whether it says that it does not hear the others. */
async function isDeaf({ http }: Server): Promise<boolean> {
  const answer = await fetch(`${http}/readyz`);
  const { checks } = (await answer.json()) as { checks: { name: string; ok: boolean }[] };
  return checks.some(({ name, ok }) => name === 'beat' && !ok);
}

const answeredSince = (operations: readonly Operation[], time: number): Operation[] =>
  operations.filter(({ began, version }) => began > time && version !== undefined);

/** What a server says of a device: nothing while it is not ready itself. */
async function isConnected(server: Server, id = ''): Promise<boolean | undefined> {
  const answer = await server.api(`/devices/${id}`);
  return ((await answer.json()) as { is_connected?: boolean }).is_connected;
}

async function assertCutOffServerIsSafe(
  context: Context,
  index: number | undefined,
  link: Pick<Namespace, 'cut' | 'heal'>,
): Promise<void> {
  const [server, other] = [serverAt(context, index), serverAt(context)];
  const load = await startLoadAt(context, server);
  await until(async () => (await isConnected(other, load.directDevice)) === true);
  link.cut();
  const cutAt = performance.now();
  await until(async () => !(await isReady(server)));
  await load.isServed();
  await until(async () => (await isConnected(other, load.directDevice)) === false);
  await load.isServed();
  assert.equal(answeredSince(load.direct, cutAt), []);
  link.heal();
  await until(() => isReady(server));
  await load.isServed('direct');
  await until(async () => (await isConnected(other, load.directDevice)) === true);
  await assertConsistent(load);
}

test('server to database, by a relay: that server serves nothing, the others go on', async (context) => {
  await assertCutOffServerIsSafe(context, RELAYED, context.links);
});

testInNamespace('server to database, out of a namespace: the same', async (context) => {
  await assertCutOffServerIsSafe(context, APART, context.namespace as Namespace);
});

test('LISTEN only: that server serves nothing until it has heard what it missed', async (context) => {
  const { links, servers } = context;
  const [server, other] = [serverAt(context, RELAYED), serverAt(context)];
  const load = await startLoadAt(context, server);
  const { id } = await patiently(() => createDevice(other, 'door'));
  const path = `/twins/${id}/documents/door`;
  const put = async (open: boolean): Promise<void> => {
    const body = JSON.stringify({ data: { open } });
    await until(async () => (await other.api(path, { method: 'PUT', body })).ok);
  };
  await put(false);
  const streamOf = (open: boolean, lastId?: string): Promise<EventStream> =>
    patiently(async () => {
      const stream = await openStream(server, id, servers.token, lastId);
      await stream.heard(({ data }) => says(data, open));
      return stream;
    });
  const before = await streamOf(false);

  links.cut('listening');
  await until(() => isDeaf(server));
  const deafAt = performance.now();
  await put(true);
  assert.is((await server.api(path)).status, 503);
  const refusal = await openStream(server, id, servers.token).then(() => 'opened', String);
  assert.match(refusal, 'no stream: 503');
  await load.isServed();
  assert.equal(answeredSince(load.direct, deafAt), []);
  assert.not(before.events.some(({ data }) => says(data, true)));
  const lastId = before.events.at(-1)?.id;

  links.heal();
  await until(() => isReady(server));
  const after = await streamOf(true, lastId);
  before.close();
  after.close();
  await load.isServed('direct');
  await assertConsistent(load);
});

const says = (event: Record<string, unknown>, open: boolean): boolean =>
  (event.data as { open?: boolean } | undefined)?.open === open;

test('database to one standby: the other one has all, also when it becomes the primary', async (context) => {
  const { databases } = context;
  const load = await startLoadAt(context, serverAt(context));
  databases.cutStandby(0);
  await load.isServed();
  await databases.killPrimary();
  await databases.promote();
  await load.isServed();
  databases.heal();
  await databases.rejoin();
  await assertConsistent(load);
});

test('database to both standbys: no write is acknowledged until one is there again', async (context) => {
  const { databases, servers } = context;
  const load = await startLoadAt(context, serverAt(context));
  databases.cutStandby(0);
  databases.cutStandby(1);
  const cutAt = performance.now();
  const written = () => answeredSince(load.operations, cutAt).filter(({ kind }) => kind === 'write');
  const areReady = async () => (await Promise.all(servers.each.map(isReady))).includes(true);
  await until(async () => written().length > 0 || !(await areReady()));
  assert.equal(written(), []);
  databases.heal();
  await until(async () => !(await Promise.all(servers.each.map(isReady))).includes(false));
  await load.isServed('direct');
  await assertConsistent(load);
});

tests.run();
