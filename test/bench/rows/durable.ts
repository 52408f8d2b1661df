import { alternate, type Subject } from '../alternate.js';
import type { Bench } from '../bench.js';
import { CLIENTS, putters, throughput } from '../load/mqtt.js';
import type { DurablePeer } from '../peers/durable.js';
import { startEtcd } from '../peers/etcd.js';
import { startJetstream } from '../peers/jetstream.js';
import { startPostgresql } from '../peers/postgresql.js';
import { startRedis } from '../peers/redis.js';
import { type Row, spread } from '../row.js';
import { createDevices, startServer } from '../server.js';

const UNIT = 'puts/s';
const QOS = 1;
const MICROSECONDS = 1e6;

interface Peer {
  row: string;
  name: string;
  needs: string[];
  start(bench: Bench): Promise<DurablePeer>;
  /** The least ratio. */
  limit: number;
}

/** Redis asks for no rights, and keeps no versions and no history. */
const PEERS: Peer[] = [
  {
    row: 'durable-postgresql',
    name: 'PostgreSQL',
    needs: ['postgres', 'psql', 'pgbench'],
    start: startPostgresql,
    limit: 1,
  },
  { row: 'durable-redis', name: 'Redis', needs: ['redis-server'], start: startRedis, limit: 0.6 },
  { row: 'durable-jetstream', name: 'JetStream', needs: ['nats-server'], start: startJetstream, limit: 1 },
  { row: 'durable-etcd', name: 'etcd', needs: ['etcd'], start: startEtcd, limit: 1 },
];

/** Stores that could hold these documents: each answer of the server and of its peer comes after an fsync. */
export const durable: readonly Row[] = PEERS.map(({ row, name, needs, start, limit }) => ({
  name: row,
  needs,
  async run(bench) {
    const server = await startServer(bench);
    const putting = putters(await createDevices(server, CLIENTS));
    const { isSynced, note, ...peer } = await start(bench);
    const measure = () => throughput(bench, server.mqtt, QOS, putting);
    const subjects = [
      withCosts({ name: 'server', program: server.program, measure }),
      withCosts({ name, ...peer }),
    ] as const;
    const turns = await alternate(bench, ...subjects, UNIT);
    const costs = subjects.map((subject) => `${subject.name} ${spread(subject.costs).middle.toFixed(0)} µs`);
    return [
      {
        row,
        what: `in-band put, QoS ${QOS}, ${CLIENTS} connections, durable`,
        unit: UNIT,
        server: turns.server,
        peer: { name, figures: turns.peer },
        ...(isSynced && { bar: { relation: '>=', limit, on: 'ratio' } }),
        repeats: turns.repeats,
        notes: [`${name}: ${note}`, `processor time of a put: ${costs.join(', ')}`, ...turns.notes],
      },
    ];
  },
}));

/** Remembers the processor time of a put in each round, in µs: other programs disturb it less than the rate. */
function withCosts(subject: Subject): Subject & { costs: number[] } {
  const costs: number[] = [];
  return {
    ...subject,
    costs,
    async measure() {
      const sample = await subject.measure();
      costs.push((MICROSECONDS * sample.core.subject) / sample.figure);
      return sample;
    },
  };
}
