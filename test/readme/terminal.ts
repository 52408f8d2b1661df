/** A terminal in a copy of the project: what is typed there runs in bash, and variables stay for the next command. */

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

const COPIED = [
  ...['firmware', 'server', 'shared', 'manifests', 'test'],
  ...['package.json', 'package-lock.json', 'tsconfig.json'],
];
/** What a person builds for a board holds secrets, and stays where it is. */
const PRIVATE = resolve('manifests/local');

/** A net for a line that never comes. */
const PATIENCE_MS = 60_000;

/** A command that runs. */
export interface Running {
  /** Every line so far, of stdout and stderr. */
  readonly lines: string[];
  /** Resolves when `found` is true of the lines so far. Rejects when the program ends before, or says nothing of the kind. */
  until(found: (lines: string[]) => boolean): Promise<void>;
  readonly ended: Promise<number | null>;
  type(line: string): void;
  /** Ctrl-C, for the program and all that it started. */
  interrupt(): Promise<void>;
}

export interface Terminal {
  readonly directory: string;
  /** @param env what the command gets beside the variables that were set before */
  run(command: string, env?: Record<string, string>): Running;
  /** Ends what still runs, and removes the copy. */
  close(): Promise<void>;
}

export function openTerminal(): Terminal {
  const directory = mkdtempSync(join(tmpdir(), 'twin-readme-'));
  for (const name of COPIED)
    cpSync(name, join(directory, name), { recursive: true, filter: (path) => resolve(path) !== PRIVATE });
  symlinkSync(resolve('node_modules'), join(directory, 'node_modules'));
  const variables = `${directory}-variables`;
  const running = new Set<Running>();
  return {
    directory,
    run(command, env = {}) {
      const given = Object.entries(env).map(([name, value]) => `${name}='${value}'`);
      const program = start(
        `set -a -o pipefail
[[ -e ${variables} ]] && . ${variables}
${given.join(' ')}
trap 'declare -px > ${variables}' EXIT
${command}`,
        directory,
      );
      running.add(program);
      program.ended.then(() => running.delete(program));
      return program;
    },
    async close() {
      for (const program of [...running].reverse()) await program.interrupt();
      rmSync(directory, { recursive: true, force: true });
      rmSync(variables, { force: true });
    },
  };
}

const groups = new Set<number>();
process.on('exit', () => {
  for (const pid of groups) process.kill(-pid, 'SIGKILL');
});

function start(script: string, cwd: string): Running {
  const child: ChildProcessByStdio<Writable, Readable, Readable> = spawn('bash', ['-c', script], {
    cwd,
    detached: true,
    stdio: 'pipe',
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('bash does not start');
  groups.add(pid);
  child.stdin.on('error', () => {});
  const lines: string[] = [];
  const listeners = new Set<() => void>();
  let over = false;
  const hear = () => {
    for (const listener of listeners) listener();
  };
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream).on('line', (line) => {
      lines.push(line);
      hear();
    });
  }
  const ended = new Promise<number | null>((resolve) => {
    child.on('close', (code) => {
      groups.delete(pid);
      over = true;
      hear();
      resolve(code);
    });
  });
  return {
    lines,
    ended,
    until: (found) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (found(lines)) end(resolve);
          else if (over) give('ended');
        };
        const give = (what: string) =>
          end(() => reject(new Error(`it ${what}, and had printed:\n${lines.join('\n')}`)));
        const net = setTimeout(give, PATIENCE_MS, 'goes on');
        const end = (then: () => void) => {
          clearTimeout(net);
          listeners.delete(look);
          then();
        };
        listeners.add(look);
        look();
      }),
    type: (line) => child.stdin.write(`${line}\n`),
    async interrupt() {
      if (!over) process.kill(-pid, 'SIGINT');
      await ended;
    },
  };
}
