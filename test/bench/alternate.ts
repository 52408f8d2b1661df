import type { Bench } from './bench.js';
import type { Program } from './program.js';

/** One figure, and how much of its core the load needed for it (1: all of it). */
export interface Sample {
  figure: number;
  loadBusy?: number;
}

/** One of the two that take turns. */
export interface Subject {
  name: string;
  program: Program;
  measure(): Promise<Sample>;
}

export interface Turns {
  server: number[];
  peer: number[];
  notes: string[];
}

const QUIET_INTERVAL_MS = 200;
const QUIET_SHARE = 0.03;
/** Longer than the server waits before it writes a changed file. */
const QUIET_SECONDS = 1.2;
const QUIET_TRIES = 60;

/** Measures the server and its peer in turn, A B A B …; the one that waits does nothing meanwhile. */
export async function alternate(bench: Bench, server: Subject, peer: Subject, unit: string): Promise<Turns> {
  const subjects = [new Turn(server), new Turn(peer)] as const;
  for (let round = 1; round <= bench.options.rounds; round += 1) {
    for (const subject of subjects) {
      const figure = await subject.take();
      await quiet(subject.program, bench.options.seconds);
      bench.progress(
        `round ${round} of ${bench.options.rounds}: ${subject.name} ${figure.toFixed(0)} ${unit}`,
      );
    }
  }
  const [one, other] = subjects;
  return { server: one.figures, peer: other.figures, notes: [one.busy, other.busy] };
}

class Turn {
  readonly figures: number[] = [];
  readonly #loads: number[] = [];
  #cpuSeconds = 0;
  #seconds = 0;

  constructor(private readonly subject: Subject) {}

  get name(): string {
    return this.subject.name;
  }

  get program(): Program {
    return this.subject.program;
  }

  async take(): Promise<number> {
    const { program } = this.subject;
    const [began, cpuBegan] = [performance.now(), program.cpuSeconds];
    const { figure, loadBusy } = await this.subject.measure();
    this.#seconds += (performance.now() - began) / 1000;
    this.#cpuSeconds += program.cpuSeconds - cpuBegan;
    this.figures.push(figure);
    if (loadBusy !== undefined) this.#loads.push(loadBusy);
    return figure;
  }

  /** The load's start is in the time, so even a saturated subject stays a little below 100 %. */
  get busy(): string {
    const load = this.#loads.length > 0 ? `, its load ${percent(Math.max(...this.#loads))} at most` : '';
    return `${this.name} used ${percent(this.#cpuSeconds / this.#seconds)} of its core${load}`;
  }
}

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

/**
 * Waits until a program has finished what a load of so many seconds left behind, such as files to be written: until it
 * has done nothing for a while, which is no longer than the load was.
 */
export async function quiet(program: Program, loadSeconds: number): Promise<void> {
  const wanted = (1000 * Math.min(QUIET_SECONDS, loadSeconds)) / QUIET_INTERVAL_MS;
  let before = program.cpuSeconds;
  let calm = 0;
  for (let tries = 0; tries < QUIET_TRIES && calm < wanted; tries += 1) {
    await new Promise((later) => setTimeout(later, QUIET_INTERVAL_MS));
    const now = program.cpuSeconds;
    calm = now - before <= (QUIET_SHARE * QUIET_INTERVAL_MS) / 1000 ? calm + 1 : 0;
    before = now;
  }
}
