import { randomBytes } from 'node:crypto';
import { mkdir, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childrenSeconds, familySeconds } from './core.js';
import { Program, type ProgramOptions, ROOT } from './program.js';

export interface BenchOptions {
  /** How long each measurement of the server and of its peer lasts. */
  seconds: number;
  /** How often the two take turns. */
  rounds: number;
  /** How often a measurement that other programs disturbed is made again; never when absent. */
  repeats?: number;
  /** Versions of Node.js, or paths of one, on which the server is measured too. */
  nodes?: readonly string[];
  /** Where processor profiles of the server are left; none are taken without it. */
  cpuProfiles?: string;
  progress: (text: string) => void;
}

/** The `f_type` of a file system that is memory, where an fsync costs nothing [statfs(2)]. */
const TMPFS = 0x01021994;

/** What one row works with: everything it starts and every directory it makes is gone when it is closed. */
export class Bench {
  readonly #endings: (() => Promise<unknown>)[] = [];
  #closing: Promise<void> | undefined;
  #orphanSeconds = 0;

  constructor(readonly options: BenchOptions) {}

  start(command: readonly string[], options: ProgramOptions): Program {
    const program = new Program(command, options);
    this.#endings.push(() => program.stop());
    return program;
  }

  /** A new empty directory on a real disk. */
  async directory(): Promise<string> {
    const { type } = await statfs(tmpdir());
    const parent = type === TMPFS ? join(ROOT, 'data') : tmpdir();
    const directory = join(parent, `twin-bench-${randomBytes(6).toString('hex')}`);
    await mkdir(directory, { recursive: true });
    this.#endings.push(() => rm(directory, { recursive: true, force: true }));
    return directory;
  }

  /** Processor time of this process and of all that it has started, so far. */
  get ownSeconds(): number {
    return familySeconds(process.pid) + this.#orphanSeconds;
  }

  /** Comes before a process is killed at once with its children: it waits for none, so the system forgets their time. */
  countChildren(pid: number): void {
    this.#orphanSeconds += childrenSeconds(pid);
  }

  atClose(ending: () => Promise<unknown>): void {
    this.#endings.push(ending);
  }

  progress(text: string): void {
    this.options.progress(text);
  }

  /** Resolves when all is gone, also for a second caller: an interruption and the end of the row that it breaks. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (let ending = this.#endings.pop(); ending !== undefined; ending = this.#endings.pop()) await ending();
  }
}
