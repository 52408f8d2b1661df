import type { Bench } from '../bench.js';
import { countedBy, NEEDS, type Scene, SHARING, startScene } from '../cluster/scene.js';
import { familySeconds, processSeconds } from '../core.js';
import { type Contender, takeTurns } from '../disturbance.js';
import type { GroupedJob, GroupedResult } from '../load/job.js';
import { CLIENTS, type Credentials, PAYLOAD, putters, runLoad } from '../load/mqtt.js';
import { preparePgbench } from '../peers/pgbench.js';
import { typescript } from '../program.js';
import { type Bar, type Measurement, type Row, spread } from '../row.js';
import { createDevices, type Server } from '../server.js';

const UNIT = 'puts/s';
const MOST_SERVERS = 3;
const QOS = 1;
const MICROSECONDS = 1e6;

/** One turn. */
interface Figure {
  readonly rate: number;
  /** How it came about, for the notes. */
  readonly note: string;
}

interface Named extends Contender<Figure> {
  readonly name: string;
}

const contender = (name: string, measure: () => Promise<Figure>): Named => ({
  name,
  measure,
  said: ({ rate, note }) => `${name} ${rate.toFixed(0)} ${UNIT}; ${note}`,
  results: [],
});

/** One server beside the statement alone and pgbench, then two and three servers beside the statement alone. */
export const clusterPuts: Row = {
  name: 'cluster-puts',
  needs: [...NEEDS, 'pgbench'],
  async run(bench) {
    const scene = await startScene(bench, 1);
    const servers = [await scene.startServer()];
    const devices = await createDevices(servers[0] as Server, CLIENTS);
    const peers = await preparePeers(bench, scene);
    const measurements: Measurement[] = [];
    for (;;) {
      measurements.push(...(await measureServers(bench, scene, { servers, devices, peers })));
      if (servers.length === MOST_SERVERS) return measurements;
      servers.push(await scene.startServer());
    }
  },
};

interface Peers {
  readonly grouped: (size: number) => Promise<Figure>;
  readonly pgbench: () => Promise<Figure>;
}

/** They have a database of their own in the same PostgreSQL, so that no server hears of what they write. */
async function preparePeers(bench: Bench, { databases, createDatabase }: Scene): Promise<Peers> {
  const database = await createDatabase();
  const pgbench = await preparePgbench(bench, database, CLIENTS);
  const used = () => databases.pids.reduce((sum, pid) => sum + familySeconds(pid), 0);
  return {
    async grouped(group) {
      const { seconds } = bench.options;
      const job: GroupedJob = {
        ...{ database, documents: CLIENTS, group, payload: PAYLOAD },
        ...{ warmUpSeconds: Math.min(1, seconds / 2), seconds },
      };
      const command = typescript('test/bench/peers/grouped.ts');
      const program = bench.start(command, { role: 'anywhere', input: JSON.stringify(job) });
      const { rate, p50, p99 }: GroupedResult = JSON.parse(await program.output());
      return { rate, note: `groups of ${group}, each in ${milliseconds(p50)} (p99 ${milliseconds(p99)})` };
    },
    async pgbench() {
      const before = used();
      const { rate, updates } = await pgbench();
      const each = (MICROSECONDS * (used() - before)) / updates;
      return { rate, note: `the databases took ${each.toFixed(0)} µs of processor time for each` };
    },
  };
}

interface Parts {
  readonly servers: readonly Server[];
  readonly devices: readonly Credentials[];
  readonly peers: Peers;
}

async function measureServers(bench: Bench, scene: Scene, parts: Parts): Promise<Measurement[]> {
  const { servers, devices, peers } = parts;
  const count = servers.length;
  let group = CLIENTS;
  const putting = contender(count === 1 ? 'one server' : `${count} servers`, async () => {
    const { size, ...figure } = await putThrough(bench, scene, servers, devices);
    group = Math.min(CLIENTS, Math.max(1, Math.round(size)));
    return figure;
  });
  const grouped = contender('the grouped statement alone, in groups as the server has them', () =>
    peers.grouped(group),
  );
  const full = contender(`the grouped statement alone, in groups of ${CLIENTS}`, () =>
    peers.grouped(CLIENTS),
  );
  const single = contender('pgbench, a statement a put', () => peers.pgbench());
  const repeats = await takeTurns(bench, count === 1 ? [putting, grouped, full, single] : [putting, full]);

  const beside = (name: string, peer: Named, bar?: Bar): Measurement => ({
    row: name,
    what: `in-band put, QoS ${QOS}, ${CLIENTS} connections, ${putting.name} on PostgreSQL`,
    unit: UNIT,
    server: putting.results.map(({ rate }) => rate),
    peer: { name: peer.name, figures: peer.results.map(({ rate }) => rate) },
    ...(bar && { bar }),
    repeats,
    notes: [],
  });
  const notes = [SHARING, middleNote(putting)];
  if (count > 1) return [{ ...beside(`cluster-puts-${count}`, full), notes: [...notes, middleNote(full)] }];
  const bar: Bar = { relation: '>=', limit: 0.6, on: 'ratio' };
  return [
    { ...beside('cluster-puts', grouped, bar), notes: [...notes, middleNote(grouped)] },
    { ...beside('cluster-puts-full', full), notes: [middleNote(full)] },
    { ...beside('cluster-puts-pgbench', single), notes: [middleNote(single)] },
  ];
}

/** How the figure in the middle came about. */
function middleNote({ name, results }: Named): string {
  const { middle } = spread(results.map(({ rate }) => rate));
  const [nearest] = [...results].sort((a, b) => Math.abs(a.rate - middle) - Math.abs(b.rate - middle));
  return `${name}: ${nearest?.note}`;
}

/** @returns also how many puts a commit covered, on average */
async function putThrough(
  bench: Bench,
  { databases }: Scene,
  servers: readonly Server[],
  devices: readonly Credentials[],
): Promise<Figure & { readonly size: number }> {
  const clients = putters(devices).map((client, index) => {
    const address = servers[index % servers.length]?.mqtt.address;
    return { ...client, ...(address && { address }) };
  });
  const used = () => ({
    servers: servers.reduce((sum, { program }) => sum + processSeconds(program.pid), 0),
    databases: databases.pids.reduce((sum, pid) => sum + familySeconds(pid), 0),
  });
  const [first] = servers as readonly [Server];
  const countedBefore = await Promise.all(servers.map(countedBy));
  const before = used();
  const { rate, total, p50, p99, busy } = await runLoad(bench, first.mqtt, QOS, clients);
  const after = used();
  const counted = await Promise.all(servers.map(countedBy));
  const grown = (of: 'groups' | 'changes') =>
    counted.reduce((sum, each, index) => sum + each[of] - (countedBefore[index]?.[of] ?? 0), 0);
  const size = grown('changes') / grown('groups');
  const each = (of: 'servers' | 'databases') =>
    ((MICROSECONDS * (after[of] - before[of])) / total).toFixed(0);
  const note =
    `groups of ${size.toFixed(0)}, p50 ${milliseconds(p50)}, p99 ${milliseconds(p99)}; processor time for each put: ` +
    `servers ${each('servers')} µs, databases ${each('databases')} µs, load ${((MICROSECONDS * busy) / rate).toFixed(0)} µs`;
  return { rate, size, note };
}

const milliseconds = (microseconds: number): string => `${(microseconds / 1000).toFixed(1)} ms`;
