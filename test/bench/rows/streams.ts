import type { Bench } from '../bench.js';
import { steadyRounds } from '../disturbance.js';
import type { StreamsJob, StreamsResult } from '../load/job.js';
import { typescript } from '../program.js';
import { percentile, type Row, thousands } from '../row.js';
import { type Holding, startHolding } from '../seed.js';

const STREAMS = 1000;
const MANY = 100_000;
const UNIT = 'ms';
/** So great a part of the changes must have come; the last ones may be on their way. */
const ENOUGH = 0.99;

/** From a put to the event that tells it, p99. The server has as many twins as streams, or many more. */
export const streams: Row = {
  name: 'streams',
  needs: [],
  async run(bench) {
    const [few, many] = [await startHolding(bench, STREAMS), await startHolding(bench, MANY)];
    const faults: string[] = [];
    const { results, repeats } = await steadyRounds(
      bench,
      async () => ({
        beside: await slowest(bench, many, faults),
        alone: await slowest(bench, few, faults),
      }),
      ({ beside }) => `p99 ${beside.toFixed(1)} ${UNIT}`,
    );
    return [
      {
        row: 'streams',
        what: `${thousands(STREAMS)} event streams, each with a change a second, p99, ${thousands(MANY)} twins`,
        unit: UNIT,
        server: results.map(({ beside }) => beside),
        peer: { name: `${thousands(STREAMS)} twins`, figures: results.map(({ alone }) => alone) },
        faults,
        repeats,
        notes: [],
      },
    ];
  },
};

async function slowest(bench: Bench, { server, devices }: Holding, faults: string[]): Promise<number> {
  const job: StreamsJob = {
    ...server.http.address,
    token: server.token,
    ids: devices.slice(0, STREAMS).map(({ id }) => id),
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
