import { quiet } from '../alternate.js';
import type { Bench } from '../bench.js';
import { seedCertified } from '../certificates.js';
import { steadyRounds } from '../disturbance.js';
import type { Credentials, IdleJob } from '../load/job.js';
import { startHandshakes } from '../peers/handshaking.js';
import { type Target, typescript } from '../program.js';
import { type Row, thousands } from '../row.js';
import { seed } from '../seed.js';
import { startServer } from '../server.js';

const DEVICES = 10_000;
const UNIT = 'KiB';
const KIB = 1024;

const said = (figure: number): string => `${figure.toFixed(1)} ${UNIT} a device`;

/** Resident memory per connection: what the process gained by them, garbage of their coming included. */
export const memory: Row = {
  name: 'memory',
  needs: [],
  async run(bench) {
    const directory = await bench.directory();
    const devices = await seed(bench, directory, DEVICES);
    const { results, repeats } = await steadyRounds(
      bench,
      async () => perDevice(bench, (await startServer(bench, { directory })).mqtt, devices),
      said,
    );
    return [
      {
        row: 'memory',
        what: `resident memory per idle connected device, ${thousands(DEVICES)} devices`,
        unit: UNIT,
        server: results,
        bar: { relation: '<=', limit: 12, on: 'server' },
        repeats,
        notes: [],
      },
    ];
  },
};

/** The same by TLS with a certificate of each device. Its peer shows how much of it is Node's and OpenSSL's. */
export const tlsMemory: Row = {
  name: 'tls-memory',
  needs: [],
  async run(bench) {
    const directory = await bench.directory();
    const devices = await seedCertified(bench, directory);
    const { results, repeats } = await steadyRounds(
      bench,
      async () => ({
        bare: await perDevice(bench, await startHandshakes(bench, directory), devices),
        own: await perDevice(bench, (await startServer(bench, { directory })).mqtts, devices),
      }),
      ({ own }) => said(own),
    );
    return [
      {
        row: 'tls-memory',
        what: `the same by TLS, each with a certificate, ${thousands(devices.length)} devices`,
        unit: UNIT,
        server: results.map(({ own }) => own),
        peer: { name: 'bare TLS of Node', figures: results.map(({ bare }) => bare) },
        bar: { relation: '<=', limit: 40, on: 'server' },
        repeats,
        notes: [],
      },
    ];
  },
};

async function perDevice(
  bench: Bench,
  { program, address, byTls = false }: Target,
  devices: Credentials[],
): Promise<number> {
  await quiet(program, bench.options.seconds);
  const before = program.residentBytes;
  const job: IdleJob = { ...address, byTls, devices };
  const idle = bench.start(typescript('test/bench/load/idle.ts'), {
    role: 'load',
    input: JSON.stringify(job),
  });
  await idle.line((line) => line === 'connected' || undefined);
  await quiet(program, bench.options.seconds);
  const figure = (program.residentBytes - before) / KIB / devices.length;
  await idle.stop();
  await program.stop();
  return figure;
}
