import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../free-port.js';
import { pathOf } from '../../programs.js';
import type { Bench } from '../bench.js';
import { storeThroughput } from '../load/store.js';
import { BUCKET, connectNats } from '../load/stores.js';
import type { DurablePeer } from './durable.js';
import { accepting } from './listening.js';

const HOST = '127.0.0.1';

/** What a client library makes for a key-value bucket with a history of one. */
const STREAM = {
  name: `KV_${BUCKET}`,
  subjects: [`$KV.${BUCKET}.>`],
  storage: 'file',
  retention: 'limits',
  max_msgs_per_subject: 1,
  discard: 'new',
  num_replicas: 1,
  allow_direct: true,
  allow_rollup_hdrs: true,
  deny_delete: true,
};

const configuration = (port: number, store: string, synced: string): string =>
  `listen: "${HOST}:${port}"\njetstream { store_dir: "${store}"${synced} }\n`;

/** A NATS with JetStream that syncs each message before it answers, as well as this version can. */
export async function startJetstream(bench: Bench): Promise<DurablePeer> {
  const nats = pathOf('nats-server') ?? 'nats-server';
  const address = { host: HOST, port: await freePort() };
  const store = await bench.directory();
  const path = join(await bench.directory(), 'nats.conf');
  await writeFile(path, configuration(address.port, store, ', sync_interval: always'));
  const knowsSync = spawnSync(nats, ['-t', '-c', path]).status === 0;
  if (!knowsSync) await writeFile(path, configuration(address.port, store, ''));
  const isSyncedByDisk = !knowsSync && spawnSync('chattr', ['+S', store]).status === 0;
  const program = bench.start([nats, '-c', path], { role: 'subject' });
  await Promise.race([accepting(address), program.output()]);
  const { request, close } = await connectNats(address);
  await request(`$JS.API.STREAM.CREATE.${STREAM.name}`, JSON.stringify(STREAM));
  close();
  return {
    program,
    isSynced: knowsSync || isSyncedByDisk,
    note: `a key-value bucket in files; ${knowsSync ? 'sync_interval: always' : isSyncedByDisk ? SYNCED_BY_DISK : NOT_SYNCED}`,
    measure: () => storeThroughput(bench, { program, address }, 'jetstream'),
  };
}

const SYNCED_BY_DISK =
  'this version has no sync_interval, so the file system syncs each of its writes (chattr +S)';
const NOT_SYNCED =
  'NOT durable: this version has no sync_interval, and the file system cannot sync each write, so it syncs every two minutes';
