import type { Bench } from '../bench.js';
import type { StreamsJob, StreamsResult } from '../load/job.js';
import { typescript } from '../program.js';
import { percentile, type Row, thousands } from '../row.js';
import { seed } from '../seed.js';
import { type Server, startServer } from '../server.js';

const STREAMS = 1000;
const MANY = 100_000;
const UNIT = 'ms';
/** So great a part of the changes must have come; the last ones may be on their way. */
const ENOUGH = 0.99;

interface Holding {
  readonly server: Server;
  readonly ids: string[];
}

/** From a put to the event that tells it, p99. The server has as many twins as streams, or many more. */
export const streams: Row = {
  name: 'streams',
  needs: [],
  async run(bench) {
    const [few, many] = [await holding(bench, STREAMS), await holding(bench, MANY)];
    const [server, peer]: [number[], number[]] = [[], []];
    const faults: string[] = [];
    for (let round = 1; round <= bench.options.rounds; round += 1) {
      server.push(await slowest(bench, many, faults));
      peer.push(await slowest(bench, few, faults));
      bench.progress(`round ${round} of ${bench.options.rounds}: p99 ${server.at(-1)?.toFixed(1)} ${UNIT}`);
    }
    return [
      {
        row: 'streams',
        what: `${thousands(STREAMS)} event streams, each with a change a second, p99, ${thousands(MANY)} twins`,
        unit: UNIT,
        server,
        peer: { name: `${thousands(STREAMS)} twins`, figures: peer },
        faults,
        notes: [],
      },
    ];
  },
};

async function holding(bench: Bench, count: number): Promise<Holding> {
  const directory = await bench.directory();
  const devices = await seed(bench, directory, count);
  return {
    server: await startServer(bench, { directory }),
    ids: devices.slice(0, STREAMS).map(({ id }) => id),
  };
}

async function slowest(bench: Bench, { server, ids }: Holding, faults: string[]): Promise<number> {
  const job: StreamsJob = {
    ...server.http.address,
    token: server.token,
    ids,
    seconds: bench.options.seconds,
  };
  const load = bench.start(typescript('test/bench/load/streams.ts'), {
    role: 'load',
    input: JSON.stringify(job),
  });
  const { delays, expected } = await load.line((line) => JSON.parse(line) as StreamsResult);
  await load.stop();
  if (delays.length < expected * ENOUGH) faults.push(`only ${delays.length} of ${expected} changes came`);
  return percentile(delays, 0.99);
}
