/** Programs that a benchmark starts: each on its own core, each ended by its process id. */

import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Address } from '../../server/config.js';
import { pathOf } from '../programs.js';

/**
 * The server and its peers share one core in turn; the load has another. Where several servers and databases are measured,
 * there are more of them than cores, and each runs where the system puts it.
 */
export type Role = 'subject' | 'load' | 'anywhere';

export const OPEN = Symbol('open');

export interface ProgramOptions {
  role: Role;
  environment?: Record<string, string>;
  /** Written to its standard input, which is then closed; OPEN leaves it open for {@link Program.type}. */
  input?: string | typeof OPEN;
  /** Opens a message channel; see `probe.ts`. */
  channel?: boolean;
}

/** A program that ended before it did what was expected of it. The message holds what it wrote. */
export class ProgramFailed extends Error {
  override name = 'ProgramFailed';
}

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The command line that runs one of this project's TypeScript files. */
export const typescript = (path: string, ...args: string[]): string[] => [
  process.execPath,
  '--import',
  'tsx',
  path,
  ...args,
];

const STOP_LIMIT_MS = 15_000;
/** The core of each role, or undefined where processes cannot be kept apart. */
export const CORES = twoCores();

function twoCores(): Record<'subject' | 'load', number> | undefined {
  if (pathOf('taskset') === undefined) return undefined;
  const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  const [subject, load] = allowed.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
  return subject === undefined || load === undefined ? undefined : { subject, load };
}

function pinned(role: Role, command: readonly string[]): string[] {
  if (CORES === undefined || role === 'anywhere') return [...command];
  return ['taskset', '-c', String(CORES[role]), ...command];
}

/** A program under load, and where it listens. */
export interface Target {
  program: Program;
  address: Address;
  byTls?: boolean;
}

export class Program {
  readonly role: Role;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #output = '';
  /** How much of the output `line` has passed over. */
  #passed = 0;
  #errors = '';

  constructor(
    private readonly command: readonly string[],
    { role, environment = {}, input, channel = false }: ProgramOptions,
  ) {
    this.role = role;
    const [program = '', ...args] = pinned(role, command);
    const child = spawn(program, args, {
      cwd: ROOT,
      env: { ...process.env, ...environment },
      stdio: ['pipe', 'pipe', 'pipe', ...(channel ? (['ipc'] as const) : [])],
    });
    this.#child = child;
    this.#ended = new Promise((ended) => {
      child.once('close', () => ended());
      child.once('error', (error) => {
        this.#errors += error.message;
        ended();
      });
    });
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text;
    });
    child.stdin?.on('error', () => {});
    if (input !== OPEN) child.stdin?.end(input);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /**
   * The next line of its standard output of which `find` makes something; those before it are passed over for good.
   * @throws ProgramFailed
   */
  async line<T>(find: (line: string) => T | undefined): Promise<T> {
    for (;;) {
      const end = this.#output.indexOf('\n', this.#passed);
      if (end !== -1) {
        const found = find(this.#output.slice(this.#passed, end));
        this.#passed = end + 1;
        if (found !== undefined) return found;
      } else if (this.isRunning) {
        await Promise.race([this.#ended, new Promise((more) => this.#child.stdout?.once('data', more))]);
      } else {
        throw this.#failure();
      }
    }
  }

  /** Writes a line to the standard input of a program that was started with it open. */
  type(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** Its whole standard output when it has ended well. @throws ProgramFailed */
  async output(): Promise<string> {
    await this.#ended;
    if (this.#child.exitCode !== 0) throw this.#failure();
    return this.#output;
  }

  /** All that it wrote by its end, well or not. */
  async words(): Promise<string> {
    await this.#ended;
    return this.#output + this.#errors;
  }

  /** Sends a message and gives the answer. @throws ProgramFailed */
  async ask(message: string): Promise<unknown> {
    const answer = new Promise((answered) => this.#child.once('message', answered));
    this.#child.send(message);
    const first = await Promise.race([answer, this.#ended.then(() => undefined)]);
    if (first === undefined) throw this.#failure();
    return first;
  }

  /** Resident memory in bytes. */
  get residentBytes(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
  }

  /** Asks it to end, and ends it when it does not. */
  async stop(): Promise<void> {
    if (!this.isRunning) return;
    this.#child.kill('SIGTERM');
    const limit = setTimeout(() => this.#child.kill('SIGKILL'), STOP_LIMIT_MS);
    await this.#ended;
    clearTimeout(limit);
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  #failure(): ProgramFailed {
    const how = this.isRunning ? 'failed' : `ended (${this.#child.signalCode ?? this.#child.exitCode})`;
    return new ProgramFailed(
      `${this.command.join(' ')}: ${how}\n${this.#output.slice(-2000)}${this.#errors}`,
    );
  }
}
