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

/** How its writes come to stable storage before their answers, or that they do not. */
const SYNCED = {
  setting: 'sync_interval: always',
  'file system': 'it has no sync_interval yet, so the file system syncs each of its writes (chattr +S)',
  never:
    'NOT durable, so there is no bar: it has no sync_interval yet, and the file system has no attribute for synced writes',
};

/** A NATS with JetStream that syncs each message before it answers. */
export async function startJetstream(bench: Bench): Promise<DurablePeer> {
  const nats = pathOf('nats-server') ?? 'nats-server';
  const address = { host: HOST, port: await freePort() };
  const store = await bench.directory();
  const path = join(await bench.directory(), 'nats.conf');
  const configure = (...settings: string[]) =>
    writeFile(path, [`listen: "${HOST}:${address.port}"`, 'jetstream {', ...settings, '}'].join('\n'));
  const storing = `store_dir: "${store}"`;

  let synced: keyof typeof SYNCED = 'setting';
  await configure(storing, 'sync_interval: always');
  if (!succeeds(nats, '-t', '-c', path)) {
    await configure(storing);
    synced = succeeds('chattr', '+S', store) ? 'file system' : 'never';
  }
  const program = bench.start([nats, '-c', path], { role: 'subject' });
  await Promise.race([accepting(address), program.output()]);
  const { request, close } = await connectNats(address);
  await request(`$JS.API.STREAM.CREATE.${STREAM.name}`, JSON.stringify(STREAM));
  close();
  return {
    program,
    isSynced: synced !== 'never',
    note: `a key-value bucket in files; ${SYNCED[synced]}`,
    measure: () => storeThroughput(bench, { program, address }, 'jetstream'),
  };
}

const succeeds = (...[program = '', ...args]: string[]): boolean => spawnSync(program, args).status === 0;
