import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, sep } from 'node:path';
import { runProcess } from './run-process.js';
import { judge, parseCounts, type Verdict } from './summary.js';

export interface TestRun {
  /** Every `*.test.ts` below it is a test file. */
  directory: string;
  /** Parts of paths; a file that contains one of them runs. All files run when there is none. */
  filters: string[];
  /** A skipped test counts as a failed one. */
  skipsFail: boolean;
  /** How long a file may print nothing while its tests run: uvu prints a dot after each. */
  silenceSeconds: number;
  /** How long its process may stay when all its tests have ended. */
  closingSeconds: number;
  print: (line: string) => void;
}

export interface Outcome {
  passed: number;
  failed: number;
}

/** Runs each test file as its own process, as many at a time as there are cores. */
export async function runTests(run: TestRun): Promise<Outcome> {
  const all = testFiles(run.directory);
  // Every path contains the empty part.
  const parts = run.filters.length === 0 ? [''] : run.filters;
  const unknown = parts.filter((part) => !all.some((path) => path.includes(part)));
  if (unknown.length > 0) {
    run.print(`no test file matches ${unknown.join(' ')}`);
    return { passed: 0, failed: 1 };
  }
  const paths = all.filter((path) => parts.some((part) => path.includes(part)));
  const verdicts = await inParallel(paths, (path) => runFile(run, path));
  const { passed, failed, skipped } = sum(verdicts);
  if (skipped > 0) run.print(`${skipped} skipped`);
  return { passed, failed };
}

function testFiles(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts') && !file.split(sep).includes('node_modules'))
    .map((file) => relative('.', join(directory, file)))
    .sort();
}

async function runFile(run: TestRun, path: string): Promise<Verdict> {
  const began = performance.now();
  const ending = await runProcess([process.execPath, '--import', 'tsx', path], (output) =>
    parseCounts(output) === undefined ? run.silenceSeconds : run.closingSeconds,
  );
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const verdict = judge(ending, run.skipsFail);
  const { passed, failed, skipped, faults } = verdict;
  const counts = [`${passed} passed`, failed > 0 && `${failed} failed`, skipped > 0 && `${skipped} skipped`];
  const mark = failed > 0 ? 'FAIL' : 'ok  ';
  run.print(`${mark} ${path}  ${counts.filter(Boolean).join(', ')}  ${seconds} s`);
  if (failed > 0) run.print(`${indent(ending.output)}\n${indent(faults.join('\n'))}`);
  else for (const [line] of ending.output.matchAll(NOT_RUN)) run.print(indent(line));
  return verdict;
}

/** What a test file says of a test that needs what is not there. */
const NOT_RUN = /^(skipped|not run): .*$/gm;

const indent = (text: string): string => text.trimEnd().replace(/^/gm, '    ');

async function inParallel<T, R>(items: T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const waiting = items.values();
  const results: R[] = [];
  const worker = async () => {
    for (const item of waiting) results.push(await work(item));
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return results;
}

function sum(verdicts: Verdict[]): Omit<Verdict, 'faults'> {
  const add = (key: 'passed' | 'failed' | 'skipped') =>
    verdicts.reduce((total, verdict) => total + verdict[key], 0);
  return { passed: add('passed'), failed: add('failed'), skipped: add('skipped') };
}
