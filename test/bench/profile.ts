/**
 * Where the time of a processor profile goes: `node --import tsx test/bench/profile.ts FILE.cpuprofile …` after
 * `npm run bench -- --cpu-prof DIR inband-put`. Time in which the processor had nothing to do is left out.
 */

import { readFileSync } from 'node:fs';

interface Profile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples: number[];
  /** Microseconds before each sample. */
  timeDeltas: number[];
}

const LINES = 30;
const IDLE = '(idle)';

function timeByFunction({ nodes, samples, timeDeltas }: Profile): Map<string, number> {
  const names = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => {
      const place = url === '' ? '' : `  ${url.split('/').slice(-2).join('/')}:${lineNumber + 1}`;
      return [id, `${functionName || '(anonymous)'}${place}`];
    }),
  );
  const times = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    const name = names.get(id) ?? '';
    if (name !== IDLE) times.set(name, (times.get(name) ?? 0) + (timeDeltas[index] ?? 0));
  }
  return times;
}

for (const file of process.argv.slice(2)) {
  const times = timeByFunction(JSON.parse(readFileSync(file, 'utf8')));
  const total = [...times.values()].reduce((sum, time) => sum + time, 0);
  const longest = [...times].sort(([, one], [, other]) => other - one).slice(0, LINES);
  console.log(`${file}: ${(total / 1e6).toFixed(1)} s busy`);
  for (const [name, time] of longest)
    console.log(`${((100 * time) / total).toFixed(1).padStart(6)} %  ${name}`);
}
