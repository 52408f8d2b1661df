/** All databases lose their power at one moment, under load. */

import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { needsIn } from '../programs.js';
import { contradictions } from './checker.js';
import { type Databases, startDatabases } from './databases.js';
import { type Disks, makeDisks, needsDisks } from './disks.js';
import { startLoad } from './load.js';
import { type Servers, startServers } from './servers.js';

interface Context {
  disks?: Disks<'a' | 'b' | 'c'> | undefined;
  databases?: Databases | undefined;
  servers?: Servers | undefined;
}

const tests = suite<Context>('a power cut of all databases');
const testOnDisks = needsDisks(tests);
const test = testOnDisks === tests ? needsIn(tests, 'postgres', 'haproxy') : testOnDisks;

tests.after.each(async (context) => {
  await context.servers?.stop();
  await context.databases?.stop();
  context.disks?.remove();
  Object.assign(context, { servers: undefined, databases: undefined, disks: undefined });
});

testOnDisks('a disk keeps what was synced, and loses the rest', (context) => {
  const disks = makeDisks(['a', 'b', 'c']);
  context.disks = disks;
  const synced = join(disks.directoryOf('a'), 'synced');
  const unsynced = join(disks.directoryOf('a'), 'unsynced');
  writeFileSync(synced, 'synced');
  execFileSync('sync', [synced]);
  writeFileSync(unsynced, 'unsynced');
  disks.cut();
  disks.mountAgain();
  assert.equal([existsSync(synced), existsSync(unsynced)], [true, false]);
});

test('nothing that was acknowledged is lost, and the service comes back', async (context) => {
  const disks = makeDisks(['a', 'b', 'c']);
  context.disks = disks;
  const databases = await startDatabases({ placeOf: disks.directoryOf });
  context.databases = databases;
  // The copies were made without fsync.
  disks.sync();
  const servers = await startServers(databases.url, 3);
  context.servers = servers;
  const load = await startLoad(servers);
  await load.isServed();
  disks.cut();
  await databases.killAll();
  disks.mountAgain();
  await databases.startAll();
  await load.isServed();
  assert.equal(contradictions(load.operations, await load.stop()), []);
});

tests.run();
