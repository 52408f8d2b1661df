/** The terminal, or what stands in its place: output that may be lost, and questions. */

import { spawn } from 'node:child_process';
import { fstatSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';

/** What was printed has not arrived: its reader has gone, or a file took no more. */
export class OutputLost extends Error {
  override name = 'OutputLost';
  /** The reader had read enough, as `head` does, or has gone. */
  readonly isClosed: boolean;
  constructor(cause: NodeJS.ErrnoException) {
    super(`the output could not be written: ${cause.message}`, { cause });
    this.isClosed = cause.code === 'EPIPE';
  }
}

/** Writes a text and a line feed to stdout. Rejects with OutputLost. */
export const print = (text: string): Promise<void> =>
  new Promise((resolve, reject) => {
    process.stdout.write(`${text}\n`, (error) => {
      if (error) reject(new OutputLost(error));
      else resolve();
    });
  });

/** Asks the person for a line. Undefined where there is no terminal to ask at. */
export const questioner = (): ((question: string) => Promise<string>) | undefined =>
  process.stdin.isTTY && process.stderr.isTTY ? ask : undefined;

/** The question goes to stderr, because stdout may go to another program. */
async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const interrupted = new Promise<never>((_, reject) => {
    terminal.on('close', () => reject(new Error('no answer')));
  });
  try {
    return (await Promise.race([terminal.question(question), interrupted])).trim();
  } finally {
    terminal.close();
  }
}

/**
 * Calls back when the program that reads stdout through a pipe has ended. Otherwise only the next write would show it. Node
 * cannot ask a pipe for that, but the `tail` of GNU can: it ends by SIGPIPE then. Where there is no such `tail`, it is not seen.
 */
export function whenReaderGoes(gone: () => void): void {
  if (!fstatSync(1).isFIFO()) return;
  const tail = spawn('tail', ['-f', `--pid=${process.pid}`, '/dev/null'], { stdio: ['ignore', 1, 'ignore'] });
  tail.on('error', () => undefined);
  tail.on('exit', (_code, signal) => signal === 'SIGPIPE' && gone());
  tail.unref();
  process.on('exit', () => tail.kill());
}
