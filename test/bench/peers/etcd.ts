import { freePort } from '../../free-port.js';
import { pathOf } from '../../programs.js';
import type { Bench } from '../bench.js';
import { storeThroughput } from '../load/store.js';
import type { DurablePeer } from './durable.js';
import { answering } from './listening.js';

const HOST = '127.0.0.1';

/** An etcd of one member. It syncs its log before it answers, unless `--unsafe-no-fsync` is given. */
export async function startEtcd(bench: Bench): Promise<DurablePeer> {
  const address = { host: HOST, port: await freePort() };
  const clients = `http://${HOST}:${address.port}`;
  const members = `http://${HOST}:${await freePort()}`;
  const options = {
    'data-dir': await bench.directory(),
    'listen-client-urls': clients,
    'advertise-client-urls': clients,
    'listen-peer-urls': members,
    'initial-advertise-peer-urls': members,
    'initial-cluster': `default=${members}`,
    'log-level': 'error',
  };
  const command = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const program = bench.start([pathOf('etcd') ?? 'etcd', ...command], { role: 'subject' });
  await answering(program, async () => (await fetch(`${clients}/health`)).ok);
  return {
    program,
    isSynced: true,
    note: 'Put by gRPC, 64 connections; one member, whose log is synced before each answer',
    measure: () => storeThroughput(bench, { program, address }, 'etcd'),
  };
}
