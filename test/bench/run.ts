/** `npm run bench`: the goals, side by side with the peers. */

import { readFile, writeFile } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { closestMatch } from 'leven';
import { ABOUT_OPTIONS, aboutText, EXIT, failureText, UsageError, understood } from '../../shared/usage.js';
import { pathOf } from '../programs.js';
import { Bench, type BenchOptions } from './bench.js';
import { compare, comparison, type Run } from './compare.js';
import { judge, type Measurement, type Row } from './row.js';
import { ROWS, rowsNamed } from './rows.js';
import { table } from './table.js';
import { environment } from './versions.js';

const SECONDS = '5';
const ROUNDS = '5';
const REPEATS = '2';
const NOT_MET = 1;
const FAILED = 2;

const HELP = `Measures the server beside its peers, and prints a table of ratios and goals.

  npm run bench -- [ROW …] [OPTIONS]

  --seconds N     how long each figure is measured (default ${SECONDS})
  --rounds N      how often; the median counts (default ${ROUNDS})
  --repeats N     how often a figure that other programs disturbed is measured again (default ${REPEATS})
  --json FILE     writes all figures to a file
  --compare FILE  compares the figures with an earlier run's, which --json wrote
  --from FILE     shows the figures that --json wrote, and measures nothing
  --node VERSION  for the row node: measures the server on this Node.js beside the one that runs the bench. npm installs
                  it into a temporary directory. An absolute path does too. May be given several times
  --cpu-prof DIR  writes CPU profiles of the server to a directory
  --help, --version

  npm run bench -- --json before.json rest
  npm run bench -- --compare before.json rest
  npm run bench -- --compare before.json --from after.json

Without a name all rows are measured, which takes many minutes. A name such as fair stands for all rows that begin with
it. The rows:

${ROWS.map(({ name }) => `  ${name}`).join('\n')}

The command ends with status 1 when a goal is missed, or with --compare when a row lost more than its noise, whatever
the goals. It ends with 2 when a row could not be measured or the command line is wrong.`;

const OPTIONS = {
  seconds: { type: 'string', default: SECONDS },
  rounds: { type: 'string', default: ROUNDS },
  repeats: { type: 'string', default: REPEATS },
  json: { type: 'string' },
  compare: { type: 'string' },
  from: { type: 'string' },
  node: { type: 'string', multiple: true, default: [] as string[] },
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

function whole(option: string, given: string): number {
  if (!/^\d+$/.test(given)) throw new UsageError(`--${option} ${given}: expected a whole number, 0 or more`);
  return Number(given);
}

function versionOrPath(given: string): string {
  if (/^\d+(\.\d+){0,2}$/.test(given) || isAbsolute(given)) return given;
  throw new UsageError(`--node ${given}: expected a version such as 22, or an absolute path`);
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
  if (values.from !== undefined && positionals.length > 0) throw new UsageError('--from takes no rows');
  const before = values.compare === undefined ? undefined : await readRun('compare', values.compare);
  const made =
    values.from === undefined
      ? await measureRows(chosenRows(positionals), {
          seconds: positive('seconds', values.seconds),
          rounds: Math.ceil(positive('rounds', values.rounds)),
          repeats: whole('repeats', values.repeats),
          nodes: values.node.map(versionOrPath),
          ...(values['cpu-prof'] !== undefined && { cpuProfiles: resolve(values['cpu-prof']) }),
        })
      : await readRun('from', values.from);
  console.log(table(made.measurements, made));
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(made, null, 2)}\n`);
  if (before !== undefined) console.log(`\n${comparison(before, made)}`);
  const isBad =
    before === undefined
      ? made.measurements.some((measurement) => judge(measurement).met === false)
      : compare(before, made).some(({ result }) => result === 'lost');
  if (isBad) process.exitCode ??= NOT_MET;
}

async function measureRows(rows: readonly Row[], options: Omit<BenchOptions, 'progress'>): Promise<Run> {
  const measurements: Measurement[] = [];
  for (const row of rows) {
    try {
      measurements.push(...(await measure(row, options)));
    } catch (error) {
      console.error(`${row.name} failed: ${(error as Error).message}`);
      process.exitCode = FAILED;
    }
  }
  const judged = measurements.map((measurement) => ({ ...measurement, verdict: judge(measurement) }));
  return { ...(await environment()), ...options, measurements: judged };
}

/** @throws UsageError for a file that is not there, or that `--json` did not write */
async function readRun(option: string, file: string): Promise<Run> {
  try {
    const run = JSON.parse(await readFile(file, 'utf8'));
    if (Array.isArray(run.measurements)) return run;
  } catch {}
  throw new UsageError(`--${option} ${file}: expected a file that --json wrote`);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupted);
try {
  await run();
} catch (error) {
  console.error(failureText('bench', error));
  process.exitCode = error instanceof UsageError ? EXIT.usage : FAILED;
}
