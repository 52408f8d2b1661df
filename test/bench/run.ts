/** `npm run bench`: the goals, side by side with the peers. */

import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { closestMatch } from 'leven';
import { ABOUT_OPTIONS, aboutText, EXIT, failureText, UsageError, understood } from '../../shared/usage.js';
import { pathOf } from '../programs.js';
import { Bench, type BenchOptions } from './bench.js';
import { judge, type Measurement, type Row } from './row.js';
import { ROWS, rowsNamed } from './rows.js';
import { table } from './table.js';
import { environment } from './versions.js';

const SECONDS = '5';
const ROUNDS = '5';
const NOT_MET = 1;
const FAILED = 2;

const HELP = `Measures the server beside its peers, and prints a table of ratios and goals.

  npm run bench -- [ROW …] [OPTIONS]

  --seconds N     how long each figure is measured (default ${SECONDS})
  --rounds N      how often; the median counts (default ${ROUNDS})
  --json FILE     writes all figures to a file
  --cpu-prof DIR  writes CPU profiles of the server to a directory
  --help, --version

Without a name all rows are measured, which takes many minutes. A name such as fair stands for all rows that begin with
it. The rows:

${ROWS.map(({ name }) => `  ${name}`).join('\n')}

The command ends with status 1 when a goal is missed, and with 2 when a row could not be measured or the command line
is wrong.`;

const OPTIONS = {
  seconds: { type: 'string', default: SECONDS },
  rounds: { type: 'string', default: ROUNDS },
  json: { type: 'string' },
  'cpu-prof': { type: 'string' },
  ...ABOUT_OPTIONS,
} as const;

const began = performance.now();
let open: Bench | undefined;

const progress = (row: string) => (text: string) => {
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  console.error(`${seconds.padStart(5)} s  ${row}: ${text}`);
};

function positive(option: string, given: string): number {
  const number = Number(given);
  if (!(number > 0)) throw new UsageError(`--${option} ${given}: expected a number above 0`);
  return number;
}

function chosenRows(names: readonly string[]): readonly Row[] {
  const chosen = names.flatMap((name) => {
    const rows = rowsNamed(name);
    if (rows.length > 0) return rows;
    throw new UsageError(`no row ${name}; there are ${ROWS.map((row) => row.name).join(', ')}`);
  });
  return chosen.length > 0 ? chosen : ROWS;
}

async function measure(row: Row, options: Omit<BenchOptions, 'progress'>): Promise<Measurement[]> {
  const missing = row.needs.filter((program) => pathOf(program) === undefined);
  if (missing.length > 0) {
    console.error(`${row.name} is left out: ${missing.join(', ')} missing`);
    return [];
  }
  const bench = new Bench({ ...options, progress: progress(row.name) });
  open = bench;
  try {
    return await row.run(bench);
  } finally {
    await bench.close();
  }
}

async function interrupted(): Promise<void> {
  await open?.close();
  process.exit(1);
}

async function run(): Promise<void> {
  const { values, positionals } = understood(
    () => parseArgs({ allowPositionals: true, options: OPTIONS }),
    OPTIONS,
    closestMatch,
  );
  const about = aboutText(values, HELP);
  if (about !== undefined) return console.log(about);
  const cpuProfiles = values['cpu-prof'];
  const options = {
    seconds: positive('seconds', values.seconds),
    rounds: Math.ceil(positive('rounds', values.rounds)),
    ...(cpuProfiles !== undefined && { cpuProfiles: resolve(cpuProfiles) }),
  };
  const measurements: Measurement[] = [];
  for (const row of chosenRows(positionals)) {
    try {
      measurements.push(...(await measure(row, options)));
    } catch (error) {
      console.error(`${row.name} failed: ${(error as Error).message}`);
      process.exitCode = FAILED;
    }
  }
  const made = await environment();
  console.log(table(measurements, made));
  const judged = measurements.map((measurement) => ({ ...measurement, verdict: judge(measurement) }));
  if (values.json !== undefined) {
    await writeFile(
      values.json,
      `${JSON.stringify({ ...made, ...options, measurements: judged }, null, 2)}\n`,
    );
  }
  if (judged.some(({ verdict }) => verdict.met === false)) process.exitCode ??= NOT_MET;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupted);
try {
  await run();
} catch (error) {
  console.error(failureText('bench', error));
  process.exitCode = error instanceof UsageError ? EXIT.usage : FAILED;
}
