/**
 * `npm run fuzz -- [name …] [--seed N] [--count N] [--seconds N] [--index N]`: bad input without end. Each kind is put to
 * a server of its own; what does harm is made smaller and printed, and ends the run with exit code 1.
 */

import { parseArgs } from 'node:util';
import { type CampaignReport, Harm } from './campaign.js';
import { FUZZES } from './fuzzes.js';

const SECONDS = '60';
const PROGRESS_MS = 5000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    count: { type: 'string' },
    seconds: { type: 'string' },
    index: { type: 'string', default: '0' },
  },
});

function wholeNumber(option: string, given: string): number {
  if (!/^\d+$/.test(given)) throw new Error(`--${option} ${given}: expected a whole number`);
  return Number(given);
}

const show = ({ units, rounds, slowestMs }: CampaignReport, unit: string): string =>
  `${units} ${unit}; honest client: ${rounds} rounds, slowest answer ${slowestMs.toFixed(1)} ms`;

async function run(): Promise<void> {
  const seed = wholeNumber('seed', values.seed);
  const seconds = values.seconds ?? (values.count === undefined ? SECONDS : undefined);
  for (const name of positionals.length > 0 ? positionals : FUZZES.keys()) {
    const found = FUZZES.get(name);
    if (found === undefined) throw new Error(`no ${name}; there are ${[...FUZZES.keys()].join(', ')}`);
    let told = performance.now();
    console.log(`${name}: seed ${seed}`);
    const report = await found.run({
      seed,
      index: wholeNumber('index', values.index),
      count: values.count === undefined ? Number.POSITIVE_INFINITY : wholeNumber('count', values.count),
      seconds: seconds === undefined ? Number.POSITIVE_INFINITY : wholeNumber('seconds', seconds),
      alarm: ({ message }) => console.log(`${message}\nlooking for the input that does it …`),
      progress(so_far) {
        if (performance.now() - told < PROGRESS_MS) return;
        told = performance.now();
        console.log(`  ${show(so_far, found.unit)}`);
      },
    });
    console.log(`${name}: ${show(report, found.unit)}`);
  }
}

run().catch((error: Error) => {
  console.error(error instanceof Harm ? error.message : error);
  process.exitCode = 1;
});
