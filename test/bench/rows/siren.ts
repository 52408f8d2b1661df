import { join } from 'node:path';
import { DEFAULTS } from '../../../firmware/config.js';
import type { Bench } from '../bench.js';
import { steadyRounds } from '../disturbance.js';
import type { SirenJob } from '../load/job.js';
import { typescript } from '../program.js';
import { percentile, type Row } from '../row.js';
import { createDevices, startServer } from '../server.js';

const UNIT = 'ms';

/** From the edge at the contact's pin to the level at the siren's pin. */
export const siren: Row = {
  name: 'siren',
  needs: [],
  async run(bench) {
    const server = await startServer(bench);
    const [device] = await createDevices(server, 1);
    if (device === undefined) throw new Error('no device was made');
    const flash = join(await bench.directory(), 'flash.json');
    const { seconds } = bench.options;
    const job: SirenJob = {
      http: server.http.address,
      mqtt: server.mqtt.address,
      token: server.token,
      device,
      flash,
      seconds,
    };
    const { results, repeats } = await steadyRounds(
      bench,
      () => open(bench, job),
      (times) => `p99 of ${times.length} ${beyondDebounce(times).toFixed(1)} ${UNIT}`,
    );
    return [
      {
        row: 'siren',
        what: `door edge → siren output on desktop XS, p99, beyond the debounce of ${DEFAULTS.debounce} ms`,
        unit: UNIT,
        server: results.map(beyondDebounce),
        bar: { relation: '<=', limit: 5, on: 'server' },
        repeats,
        notes: [],
      },
    ];
  },
};

/** The p99. */
const beyondDebounce = (times: number[]): number => percentile(times, 0.99) - DEFAULTS.debounce;

async function open(bench: Bench, job: SirenJob): Promise<number[]> {
  const load = bench.start(typescript('test/bench/load/siren.ts'), {
    role: 'load',
    input: JSON.stringify(job),
  });
  return JSON.parse(await load.output());
}
