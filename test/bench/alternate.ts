import type { Bench } from './bench.js';
import { type CoreUse, processSeconds } from './core.js';
import type { Program } from './program.js';
import { spread } from './row.js';

/** One figure, and what it took. */
export interface Sample {
  figure: number;
  core: CoreUse;
  /** The share of its core that the load needed (1: all of it), where it can tell. */
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

/** The share of a core from which on other programs are worth a word. */
const DISTURBED = 0.05;
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
  return { server: one.figures, peer: other.figures, notes: [one.use, other.use] };
}

class Turn {
  readonly #samples: Sample[] = [];

  constructor(private readonly subject: Subject) {}

  get name(): string {
    return this.subject.name;
  }

  get program(): Program {
    return this.subject.program;
  }

  get figures(): number[] {
    return this.#samples.map(({ figure }) => figure);
  }

  async take(): Promise<number> {
    const sample = await this.subject.measure();
    this.#samples.push(sample);
    return sample.figure;
  }

  /** Where the figures are bound: by the subject's core, by the load's, or by what else ran there. */
  get use(): string {
    const own = spread(this.#samples.map(({ core }) => core.subject)).middle;
    const loads = this.#samples.flatMap(({ loadBusy }) => loadBusy ?? []);
    const others = this.#samples.flatMap(({ core }) => core.others ?? []);
    const load = loads.length > 0 ? `, its load ${percent(spread(loads).middle)} of the other` : '';
    const disturbed =
      Math.max(...others) > DISTURBED ? `; DISTURBED by up to ${percent(Math.max(...others))}` : '';
    return `${this.name}: used ${percent(own)} of its core${load}${disturbed}`;
  }
}

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

/**
 * Waits until a program has finished what a load of so many seconds left behind, such as files to be written: until it
 * has done nothing for a while, which is no longer than the load was.
 */
export async function quiet(program: Program, loadSeconds: number): Promise<void> {
  const wanted = (1000 * Math.min(QUIET_SECONDS, loadSeconds)) / QUIET_INTERVAL_MS;
  let before = processSeconds(program.pid);
  let calm = 0;
  for (let tries = 0; tries < QUIET_TRIES && calm < wanted; tries += 1) {
    await new Promise((later) => setTimeout(later, QUIET_INTERVAL_MS));
    const now = processSeconds(program.pid);
    calm = now - before <= (QUIET_SHARE * QUIET_INTERVAL_MS) / 1000 ? calm + 1 : 0;
    before = now;
  }
}
