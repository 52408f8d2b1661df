/** A program under test as a process: its lines as they come, and its end. */

import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface Program {
  readonly pid: number;
  /** Every line of stdout and stderr so far, in the order they came. */
  readonly lines: string[];
  readonly ended: Promise<Ended>;
  /** The first line, past or future, that gives something. Rejects when the program ends before. */
  line<T>(find: (line: string) => T | undefined): Promise<T>;
  /** Writes one line to the program's stdin. */
  type(line: string): void;
  /** Nothing more is written to its stdin. */
  endInput(): void;
  /** Sends the signal, to the program or a process that it runs, then waits for the program's end. */
  stop(signal?: NodeJS.Signals, pid?: number): Promise<Ended>;
}

/** What a process holds in memory. */
export const residentBytes = (pid: number): number =>
  Number(execFileSync('ps', ['-o', 'rss=', '-p', `${pid}`])) * 1024;

const running = new Set<number>();

process.on('exit', () => {
  for (const pid of running) process.kill(pid, 'SIGKILL');
});

// A program with an end of its own comes to it, and exits.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (process.listenerCount(signal) === 1) process.exit(1);
  });
}

export function startProgram(command: string[], env: Record<string, string> = {}): Program {
  const [file = '', ...args] = command;
  const child: ChildProcessByStdio<Writable, Readable, Readable> = spawn(file, args, {
    stdio: 'pipe',
    env: { ...process.env, ...env },
  });
  // A program that has ended takes no more words; its end is reported by `ended`.
  child.stdin.on('error', () => {});
  const { pid } = child;
  if (pid === undefined) throw new Error(`cannot start ${file}`);
  running.add(pid);

  const lines: string[] = [];
  const listeners = new Set<() => void>();
  const tell = () => {
    for (const listener of listeners) listener();
  };
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream).on('line', (line) => {
      lines.push(line);
      tell();
    });
  }

  let over = false;
  const ended = new Promise<Ended>((resolve) => {
    child.on('exit', () => running.delete(pid));
    child.on('close', (code, signal) => {
      over = true;
      tell();
      resolve({ code, signal });
    });
  });

  return {
    pid,
    lines,
    ended,
    line: <T>(find: (line: string) => T | undefined) =>
      new Promise<T>((resolve, reject) => {
        let next = 0;
        const look = () => {
          for (; next < lines.length; next += 1) {
            const found = find(lines[next] ?? '');
            if (found === undefined) continue;
            listeners.delete(look);
            return resolve(found);
          }
          if (over) reject(new Error(`${file} ended before it said that:\n${lines.join('\n')}`));
        };
        listeners.add(look);
        look();
      }),
    type: (line) => child.stdin.write(`${line}\n`),
    endInput: () => child.stdin.end(),
    stop: (signal = 'SIGTERM', target = pid) => {
      if (child.exitCode === null && child.signalCode === null) process.kill(target, signal);
      return ended;
    },
  };
}
