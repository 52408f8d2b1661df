import { type ChildProcess, spawn } from 'node:child_process';
import type { Ending } from './summary.js';

const running = new Set<ChildProcess>();

/**
 * Runs a program to its end, or kills it at the limit. It leads a process group of its own, so that whatever it
 * started and left behind ends with it.
 */
export function runProcess(command: string[], limitSeconds: number): Promise<Ending> {
  const [program = '', ...args] = command;
  const { FORCE_COLOR: _, ...environment } = process.env;
  const child = spawn(program, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...environment, NO_COLOR: '1' },
  });
  running.add(child);

  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  let timedOut = false;
  const limit = setTimeout(() => {
    timedOut = true;
    killGroup(child);
  }, limitSeconds * 1000);

  return new Promise((resolve) => {
    const end = (code: number | null, signal: NodeJS.Signals | null) => {
      clearTimeout(limit);
      running.delete(child);
      resolve({ code, signal, timedOut, output: Buffer.concat(chunks).toString() });
    };
    child.on('error', (error) => {
      chunks.push(Buffer.from(`${error.message}\n`));
      end(1, null);
    });
    child.on('exit', () => killGroup(child));
    child.on('close', end);
  });
}

/** For a runner that is interrupted: its test processes do not get the terminal's Ctrl-C. */
export function killAll(): void {
  for (const child of running) killGroup(child);
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group is empty: nothing was left behind.
  }
}
