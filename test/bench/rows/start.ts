import { join } from 'node:path';
import { buildPackage } from '../../package.js';
import type { Bench } from '../bench.js';
import { steadyRounds } from '../disturbance.js';
import { CLIENTS, type Credentials, putters, runLoad } from '../load/mqtt.js';
import { type Row, thousands } from '../row.js';
import { seed } from '../seed.js';
import { BASE, call, documentPath, startServer } from '../server.js';

const TWINS = 100_000;
const UNIT = 's';

/** Each from the start of the process to its first answer, in seconds. */
interface Starts {
  full: number;
  crashed: number;
  empty: number;
}

/** The first answer is a document, where there is one. Besides the row of the bars, a start with a journal to replay. */
export const start: Row = {
  name: 'start',
  needs: [],
  async run(bench) {
    const directory = await bench.directory();
    const devices = await seed(bench, directory, TWINS);
    const empty = await bench.directory();
    const folder = await bench.directory();
    buildPackage(folder);
    const command = [process.execPath, join(folder, 'alarm-twin.js'), 'server'];
    // The first start of all makes certificates, which the bar is not about.
    for (const each of [directory, empty]) await firstAnswer(bench, command, each, `${BASE}/hubs`);
    const path = documentPath(devices[0]?.id ?? '', 'current');
    const measure = async (): Promise<Starts> => {
      const full = await firstAnswer(bench, command, directory, path);
      const none = await firstAnswer(bench, command, empty, `${BASE}/hubs`);
      await crash(bench, directory, devices);
      return { full, empty: none, crashed: await firstAnswer(bench, command, directory, path) };
    };
    const { results, repeats } = await steadyRounds(
      bench,
      measure,
      ({ full, crashed }) => `${full.toFixed(2)} ${UNIT}, after a crash ${crashed.toFixed(2)} ${UNIT}`,
    );
    const peer = { name: 'the same with an empty directory', figures: results.map((each) => each.empty) };
    const twins = `${thousands(TWINS)} twins on disk`;
    return [
      {
        row: 'start',
        what: `start of the installed package with ${twins}, to the first answer`,
        unit: UNIT,
        server: results.map(({ full }) => full),
        peer,
        bar: { relation: '<=', limit: 1, on: 'server' },
        repeats,
        notes: [],
      },
      {
        row: 'start-crashed',
        what: `the same after the end of the process under the put load, the journal to be replayed`,
        unit: UNIT,
        server: results.map(({ crashed }) => crashed),
        peer,
        repeats,
        notes: [],
      },
    ];
  },
};

async function firstAnswer(
  bench: Bench,
  command: string[],
  directory: string,
  path: string,
): Promise<number> {
  const began = performance.now();
  const server = await startServer(bench, { directory, command });
  await call(server, 'GET', path);
  const seconds = (performance.now() - began) / 1000;
  await server.program.stop();
  return seconds;
}

async function crash(bench: Bench, directory: string, devices: Credentials[]): Promise<void> {
  const server = await startServer(bench, { directory });
  await runLoad(bench, server.mqtt, 0, putters(devices.slice(0, CLIENTS)));
  await server.program.kill();
}
