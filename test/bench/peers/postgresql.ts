import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { ask, handOver, initialize, unprivileged } from '../../cluster/postgres.js';
import { freePort } from '../../free-port.js';
import { until } from '../../until.js';
import type { Bench } from '../bench.js';
import { childrenOf, watchCore } from '../core.js';
import { CLIENTS } from '../load/mqtt.js';
import { CORES } from '../program.js';
import type { DurablePeer } from './durable.js';
import { answering } from './listening.js';
import { preparePgbench } from './pgbench.js';

/** All others are those it comes with. */
const SETTINGS = { synchronous_commit: 'on', listen_addresses: '127.0.0.1', unix_socket_directories: '' };

/** A PostgreSQL by itself, without a standby. */
export async function startPostgresql(bench: Bench): Promise<DurablePeer> {
  const directory = await bench.directory();
  handOver(directory);
  const data = join(directory, 'data');
  const password = randomUUID();
  initialize(data, password);
  const port = await freePort();
  const options = Object.entries({ ...SETTINGS, port }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
  const [file, args] = unprivileged('postgres', ['-D', data, ...options]);
  const program = bench.start([file, ...args], { role: 'subject' });
  const database = `postgres://twin:${password}@127.0.0.1:${port}/postgres`;
  await answering(program, () => ask(database, 'SELECT 1'));
  const pgbench = await preparePgbench(bench, database, CLIENTS, 'load');
  return {
    program,
    isSynced: true,
    note: 'UPDATE … jsonb by primary key, prepared, by pgbench; synchronous_commit = on',
    async measure() {
      const watched = watchCore(program.pid, CORES?.subject);
      const before = childrenOf(program.pid).length;
      const { rate } = await pgbench();
      // While the processes of the connections end, no reading would have the time of all of them.
      await until(() => childrenOf(program.pid).length <= before);
      return { figure: rate, core: watched() };
    },
  };
}
