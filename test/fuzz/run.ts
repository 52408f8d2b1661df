/** `npm run fuzz`: bad input without end. Each kind is put to a server of its own. */

import { parseArgs } from 'node:util';
import { closestMatch } from 'leven';
import {
  ABOUT_OPTIONS,
  aboutText,
  exitStatus,
  failureText,
  matching,
  UsageError,
  understood,
} from '../../shared/usage.js';
import { type CampaignReport, Harm } from './campaign.js';
import { FUZZES, type Runnable } from './fuzzes.js';

const SECONDS = '60';
const PROGRESS_MS = 5000;
const SEEDS = 1_000_000;

const HELP = `Sends random bad input to a server, while an honest client checks its own answers.

  npm run fuzz -- [KIND …] [OPTIONS]

  --seconds N  how long each kind runs (default ${SECONDS})
  --count N    how many inputs of each kind, instead of a time
  --seed N     the same number makes the same inputs; a new one by default, which is printed
  --index N    begins with the input of this number
  --help, --version

Without a name all kinds run. The kinds: ${[...FUZZES.keys()].join(', ')}

When the server answers wrongly, grows or stops, the command prints a small input that shows the fault, and ends with
status 1.`;

const OPTIONS = {
  seed: { type: 'string' },
  count: { type: 'string' },
  seconds: { type: 'string' },
  index: { type: 'string', default: '0' },
  ...ABOUT_OPTIONS,
} as const;

const wholeNumber = (option: string, given: string): number =>
  Number(matching(option, given, /^\d+$/, 'a whole number'));

function chosen(names: string[]): [string, Runnable][] {
  const unknown = names.find((name) => !FUZZES.has(name));
  if (unknown !== undefined)
    throw new UsageError(`no kind ${unknown}; there are ${[...FUZZES.keys()].join(', ')}`);
  return [...FUZZES].filter(([name]) => names.length === 0 || names.includes(name));
}

const show = ({ units, rounds, slowestMs }: CampaignReport, unit: string): string =>
  `${units} ${unit}; honest client: ${rounds} rounds, slowest answer ${slowestMs.toFixed(1)} ms`;

async function run(): Promise<void> {
  const { values, positionals } = understood(
    () => parseArgs({ allowPositionals: true, options: OPTIONS }),
    OPTIONS,
    closestMatch,
  );
  const about = aboutText(values, HELP);
  if (about !== undefined) return console.log(about);
  const seed = wholeNumber('seed', values.seed ?? String(Date.now() % SEEDS));
  const index = wholeNumber('index', values.index);
  const limit = (option: 'count' | 'seconds', given: string | undefined): number =>
    given === undefined ? Number.POSITIVE_INFINITY : wholeNumber(option, given);
  const count = limit('count', values.count);
  const seconds = limit('seconds', values.seconds ?? (values.count === undefined ? SECONDS : undefined));
  for (const [name, { unit, run }] of chosen(positionals)) {
    let told = performance.now();
    console.log(`${name}: seed ${seed}`);
    const report = await run({
      seed,
      index,
      count,
      seconds,
      alarm: ({ message }) => console.log(`${message}\nlooking for a small input that does it …`),
      progress(so_far) {
        if (performance.now() - told < PROGRESS_MS) return;
        told = performance.now();
        console.log(`  ${show(so_far, unit)}`);
      },
    });
    console.log(`${name}: ${show(report, unit)}`);
  }
}

run().catch((error: Error) => {
  console.error(error instanceof Harm ? error.message : failureText('fuzz', error));
  process.exitCode = exitStatus(error);
});
