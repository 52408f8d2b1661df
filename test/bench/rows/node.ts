import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { alternate, type Subject } from '../alternate.js';
import type { Bench } from '../bench.js';
import { CLIENTS, PAYLOAD, putters, throughput } from '../load/mqtt.js';
import { runWrk } from '../load/wrk.js';
import type { Measurement, Row } from '../row.js';
import { createDevices, documentPath, startServer } from '../server.js';

const UNIT = 'req/s';
const INBAND = `in-band put, QoS 0, ${CLIENTS} connections, durable`;
const REST = 'REST PUT document, durable, 32 connections';

/** The same server on another Node.js, in turns with the one that runs the bench. */
export const node: Row = {
  name: 'node',
  needs: ['npm', 'wrk'],
  async run(bench) {
    const { nodes = [] } = bench.options;
    if (nodes.length === 0) bench.progress('left out, because no --node is given');
    const measurements: Measurement[] = [];
    for (const versionOrPath of nodes) measurements.push(...(await measure(bench, versionOrPath)));
    return measurements;
  },
};

async function measure(bench: Bench, versionOrPath: string): Promise<Measurement[]> {
  const program = isAbsolute(versionOrPath) ? versionOrPath : await install(bench, versionOrPath);
  const [one, other] = [await loadsOn(bench, program), await loadsOn(bench, process.execPath)];
  const measured = async (load: 'inband' | 'rest', what: string): Promise<Measurement> => {
    const turns = await alternate(bench, one[load], other[load], UNIT);
    return {
      row: `node-${one.version.split('.')[0]}-${load}-put`,
      what: `${what}; the server on Node ${one.version}`,
      unit: UNIT,
      server: turns.server,
      peer: { name: `the server on Node ${other.version}`, figures: turns.peer },
      repeats: turns.repeats,
      notes: turns.notes,
    };
  };
  const measurements = [await measured('inband', INBAND), await measured('rest', REST)];
  for (const { server } of [one, other]) await server.program.stop();
  return measurements;
}

/** A server on a Node.js, and what is measured of it. */
async function loadsOn(bench: Bench, program: string) {
  const version = (await bench.start([program, '--version'], { role: 'load' }).output()).trim().slice(1);
  const server = await startServer(bench, { node: program });
  const devices = await createDevices(server, CLIENTS);
  const clients = putters(devices);
  const paths = devices.map(({ id }) => documentPath(id, 'current'));
  const subject = { name: `Node ${version}`, program: server.program };
  return {
    version,
    server,
    inband: { ...subject, measure: () => throughput(bench, server.mqtt, 0, clients) } satisfies Subject,
    rest: {
      ...subject,
      measure: () => runWrk(bench, server.http, { method: 'PUT', token: server.token, body: PAYLOAD, paths }),
    } satisfies Subject,
  };
}

/** Installs a Node.js outside the project, until the row ends. The package of the platform holds nothing but the program. */
async function install(bench: Bench, version: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'twin-bench-node-'));
  bench.atClose(() => rm(directory, { recursive: true, force: true }));
  const name = `node-${process.platform}-${process.arch}`;
  const options = ['--prefix', directory, '--no-save', '--no-audit', '--no-fund', '--ignore-scripts'];
  bench.progress(`installs ${name}@${version}`);
  await bench.start(['npm', 'install', ...options, `${name}@${version}`], { role: 'load' }).output();
  return join(directory, 'node_modules', name, 'bin', 'node');
}
