import { type ChildProcess, spawn } from 'node:child_process';
import type { Ending } from './summary.js';

const running = new Set<ChildProcess>();

/** How long a program may print nothing from here on, in seconds, by what it has printed so far. */
export type Patience = (output: string) => number;

/**
 * Runs a program to its end, or kills it when it has been silent for too long. It leads a process group of its own, so
 * that everything it started ends with it.
 */
export function runProcess(command: string[], patience: Patience): Promise<Ending> {
  const [program = '', ...args] = command;
  const { FORCE_COLOR: _, ...environment } = process.env;
  const child = spawn(program, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...environment, NO_COLOR: '1' },
  });
  running.add(child);

  let output = '';
  let silence: NodeJS.Timeout;
  let silentSeconds: number | undefined;
  const waitAnew = () => {
    clearTimeout(silence);
    const seconds = patience(output);
    silence = setTimeout(() => {
      silentSeconds = seconds;
      killGroup(child);
    }, seconds * 1000);
  };
  waitAnew();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      waitAnew();
    });
  }

  return new Promise((resolve) => {
    const end = (code: number | null, signal: NodeJS.Signals | null) => {
      clearTimeout(silence);
      running.delete(child);
      resolve({ code, signal, output, ...(silentSeconds !== undefined && { silentSeconds }) });
    };
    child.on('error', (error) => {
      output += `${error.message}\n`;
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
