/** What a process asks of the kernel and of the processor, counted by strace and perf while it is under load. */

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench } from './bench.js';
import { OPEN, type Program } from './program.js';

/** How often each kind of event happened. */
export type Counts = Record<string, number>;

/** Begins to count in a process, all its threads; the function that it gives ends that, and tells what there was. */
export type Counter = (bench: Bench, program: Program) => Promise<() => Promise<Counts>>;

const INSTRUCTIONS = 'instructions:u';
const LOOK_EVERY_MS = 20;
const LONGEST_ATTACHING_MS = 10_000;

/** By system call. */
export const countCalls: Counter = async (bench, program) => {
  const file = join(await bench.directory(), 'calls');
  const command = ['strace', '-c', '-f', '-U', 'calls,name', '-o', file, '-p', String(program.pid)];
  const strace = bench.start(command, { role: 'anywhere' });
  const latest = performance.now() + LONGEST_ATTACHING_MS;
  while (!isTraced(program.pid)) {
    if (!strace.isRunning || performance.now() > latest) throw new Error(await strace.words());
    await new Promise((later) => setTimeout(later, LOOK_EVERY_MS));
  }
  return async () => {
    await strace.stop();
    return parseCalls(await readFile(file, 'utf8'));
  };
};

/** Whether a tracer has all threads of a process. */
const isTraced = (pid: number): boolean =>
  readdirSync(`/proc/${pid}/task`).every(
    (thread) => !/^TracerPid:\s+0$/m.test(readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8')),
  );

/** Reads the summary of `strace -c -U calls,name`. */
export const parseCalls = (summary: string): Counts =>
  Object.fromEntries(
    [...summary.matchAll(/^ *(\d+) (\w+)$/gm)]
      .map(([, calls, name = '']) => [name, Number(calls)] as const)
      .filter(([name]) => name !== 'total'),
  );

/** Why perf cannot count instructions here, or undefined where it can. */
export function whyNoInstructions(): string | undefined {
  const { error, stderr } = spawnSync('perf', ['stat', '-x,', '-e', INSTRUCTIONS, 'true'], {
    encoding: 'utf8',
  });
  if (error !== undefined) return 'perf is missing';
  return parseInstructions(stderr) === undefined ? 'perf cannot count them on this machine' : undefined;
}

/** Instructions outside the kernel. */
export const countInstructions: Counter = async (bench, program) => {
  const file = join(await bench.directory(), 'instructions');
  const events = ['-x,', '-e', INSTRUCTIONS, '-o', file, '-p', String(program.pid)];
  // perf counts for as long as this command runs.
  const perf = bench.start(['perf', 'stat', ...events, 'sh', '-c', 'echo counting; read end'], {
    role: 'anywhere',
    input: OPEN,
  });
  await perf.line((line) => line === 'counting' || undefined);
  return async () => {
    perf.type('end');
    await perf.words();
    const instructions = parseInstructions(await readFile(file, 'utf8'));
    if (instructions === undefined) throw new Error('perf counted no instructions');
    return { instructions };
  };
};

/** Reads what `perf stat -x,` writes; undefined where the event is not supported. */
export function parseInstructions(csv: string): number | undefined {
  const [, count] = /^(\d+),[^,]*,instructions:u/m.exec(csv) ?? [];
  return count === undefined ? undefined : Number(count);
}

/** What a load made, and what happened meanwhile. */
export interface Counted {
  requests: number;
  counts: Counts;
}

/** What happened for each request, from a load and a longer one. What both do when they begin and end cancels out. */
export function perRequest(short: Counted, long: Counted): Counts {
  const requests = long.requests - short.requests;
  return Object.fromEntries(
    Object.entries(long.counts).map(([kind, count]) => [
      kind,
      (count - (short.counts[kind] ?? 0)) / requests,
    ]),
  );
}
