import { freePort } from '../../free-port.js';
import { pathOf } from '../../programs.js';
import type { Bench } from '../bench.js';
import { storeThroughput } from '../load/store.js';
import type { DurablePeer } from './durable.js';

/** A Redis that appends each write to its file, and syncs the file before it answers. */
export async function startRedis(bench: Bench): Promise<DurablePeer> {
  const address = { host: '127.0.0.1', port: await freePort() };
  const settings = {
    bind: address.host,
    port: address.port,
    dir: await bench.directory(),
    appendonly: 'yes',
    appendfsync: 'always',
    save: '',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, `${value}`]);
  const program = bench.start([pathOf('redis-server') ?? 'redis-server', ...options], { role: 'subject' });
  await program.line((line) => /Ready to accept connections/.test(line) || undefined);
  return {
    program,
    isSynced: true,
    note: 'SET; appendfsync always',
    measure: () => storeThroughput(bench, { program, address }, 'redis'),
  };
}
