import type { Bench } from '../bench.js';
import type { Row } from '../row.js';
import { seed } from '../seed.js';
import { BASE, call, documentPath, startServer } from '../server.js';

const TWINS = 100_000;
const UNIT = 's';

/** From the start of the process to the first answer to a request, which is for a document where there is one. */
export const start: Row = {
  name: 'start',
  needs: [],
  async run(bench) {
    const full = await bench.directory();
    const [device] = await seed(bench, full, TWINS);
    const path = documentPath(device?.id ?? '', 'current');
    const figures: { full: number[]; empty: number[] } = { full: [], empty: [] };
    for (let round = 1; round <= bench.options.rounds; round += 1) {
      figures.full.push(await firstAnswer(bench, full, path));
      figures.empty.push(await firstAnswer(bench, await bench.directory(), `${BASE}/hubs`));
      bench.progress(`round ${round} of ${bench.options.rounds}: ${figures.full.at(-1)?.toFixed(2)} ${UNIT}`);
    }
    return [
      {
        row: 'start',
        what: `start with ${TWINS.toLocaleString('en')} twins on disk, to the first answer`,
        unit: UNIT,
        server: figures.full,
        peer: { name: 'the server with an empty directory', figures: figures.empty },
        bar: { relation: '<=', limit: 1, on: 'server' },
        notes: [],
      },
    ];
  },
};

async function firstAnswer(bench: Bench, directory: string, path: string): Promise<number> {
  const began = performance.now();
  const server = await startServer(bench, { directory });
  await call(server, 'GET', path);
  const seconds = (performance.now() - began) / 1000;
  await server.program.stop();
  return seconds;
}
