import { quiet } from '../alternate.js';
import type { Bench } from '../bench.js';
import { seedCertified } from '../certificates.js';
import type { Credentials, IdleJob } from '../load/job.js';
import { startHandshakes } from '../peers/handshaking.js';
import { type Target, typescript } from '../program.js';
import { type Row, thousands } from '../row.js';
import { seed } from '../seed.js';
import { startServer } from '../server.js';

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
    const figures = await inRounds(bench, async () => {
      const { mqtt } = await startServer(bench, { directory });
      return perDevice(bench, mqtt, devices);
    });
    return [
      {
        row: 'memory',
        what: `resident memory per idle connected device, ${thousands(DEVICES)} devices`,
        unit: UNIT,
        server: figures,
        bar: { relation: '<=', limit: 12, on: 'server' },
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
    const peers: number[] = [];
    const figures = await inRounds(bench, async () => {
      peers.push(await perDevice(bench, await startHandshakes(bench, directory), devices));
      const { mqtts } = await startServer(bench, { directory });
      return perDevice(bench, mqtts, devices);
    });
    return [
      {
        row: 'tls-memory',
        what: `the same by TLS, each with a certificate, ${thousands(devices.length)} devices`,
        unit: UNIT,
        server: figures,
        peer: { name: 'bare TLS of Node', figures: peers },
        bar: { relation: '<=', limit: 40, on: 'server' },
        notes: [],
      },
    ];
  },
};

async function inRounds(bench: Bench, measure: () => Promise<number>): Promise<number[]> {
  const figures: number[] = [];
  for (let round = 1; round <= bench.options.rounds; round += 1) {
    const figure = await measure();
    figures.push(figure);
    bench.progress(`round ${round} of ${bench.options.rounds}: ${figure.toFixed(1)} ${UNIT} a device`);
  }
  return figures;
}

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
