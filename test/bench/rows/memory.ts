import { quiet } from '../alternate.js';
import type { Bench } from '../bench.js';
import type { IdleJob } from '../load/job.js';
import type { Credentials } from '../load/mqtt.js';
import { typescript } from '../program.js';
import type { Row } from '../row.js';
import { seed } from '../seed.js';
import { type Server, startServer } from '../server.js';

const DEVICES = 10_000;
const UNIT = 'KiB';
const KIB = 1024;

/** Resident memory per connection: what the process gained by them, garbage of their coming included. */
export const memory: Row = {
  name: 'memory',
  needs: [],
  async run(bench) {
    const directory = await bench.directory();
    const devices = await seed(bench, directory, DEVICES);
    const figures: number[] = [];
    for (let round = 1; round <= bench.options.rounds; round += 1) {
      const server = await startServer(bench, { directory });
      const figure = await perDevice(bench, server, devices);
      await server.program.stop();
      figures.push(figure);
      bench.progress(`round ${round} of ${bench.options.rounds}: ${figure.toFixed(1)} ${UNIT} a device`);
    }
    return [
      {
        row: 'memory',
        what: `resident memory per idle connected device, ${DEVICES.toLocaleString('en')} devices`,
        unit: UNIT,
        server: figures,
        bar: { relation: '<=', limit: 12, on: 'server' },
        notes: [],
      },
    ];
  },
};

async function perDevice(bench: Bench, server: Server, devices: Credentials[]): Promise<number> {
  await quiet(server.program, bench.options.seconds);
  const before = server.program.residentBytes;
  const job: IdleJob = { ...server.mqtt.address, devices };
  const idle = bench.start(typescript('test/bench/load/idle.ts'), {
    role: 'load',
    input: JSON.stringify(job),
  });
  await idle.line((line) => line === 'connected' || undefined);
  await quiet(server.program, bench.options.seconds);
  const figure = (server.program.residentBytes - before) / KIB / devices.length;
  await idle.stop();
  return figure;
}
