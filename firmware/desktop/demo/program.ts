import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** A program that does not end when asked is ended after this many milliseconds. */
const PATIENCE = 8000;

/** One of the project's own programs as a process, which the terminal's Ctrl-C does not reach. */
export interface Program {
  /** Resolves with the exit code when it has ended, however that came. */
  readonly ended: Promise<number>;
  /** Writes one line to its stdin. */
  type(word: string): void;
  /** Asks it to end in its own way and waits until it has. */
  stop(): Promise<void>;
}

export interface ProgramOptions {
  /** The TypeScript file, from the project's top. */
  file: string;
  args?: string[];
  env?: Record<string, string>;
  /** The word on stdin that ends it; SIGTERM does where there is none. */
  quitWord?: string;
  /** Every line of stdout and stderr. */
  onLine: (line: string) => void;
}

export function startProgram({ file, args = [], env = {}, quitWord, onLine }: ProgramOptions): Program {
  const child = spawn(process.execPath, ['--import', 'tsx', file, ...args], {
    cwd: ROOT,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  createInterface(child.stdout).on('line', onLine);
  createInterface(child.stderr).on('line', onLine);
  // A word to a program that has just ended is lost; `ended` tells.
  child.stdin.on('error', () => {});
  const ended = new Promise<number>((resolve) => {
    child.on('error', () => resolve(1));
    child.on('close', (code) => resolve(code ?? 1));
  });
  const type = (word: string): unknown => child.stdin.write(`${word}\n`);
  return {
    ended,
    type,
    async stop() {
      if (quitWord === undefined) child.kill('SIGTERM');
      else type(quitWord);
      const impatience = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
      await ended;
      clearTimeout(impatience);
    },
  };
}
