import { STORAGE_LIMITS } from '../../server/storage/storage.js';
import type { Bench } from './bench.js';
import { type CoreUse, processSeconds } from './core.js';
import { type Attempt, againText, type Repeats, repeatsOf, steadily } from './disturbance.js';
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
  repeats: Repeats;
  notes: string[];
}

const QUIET_INTERVAL_MS = 200;
const QUIET_SHARE = 0.03;
/** Longer than the server waits before it writes a changed file. */
const SERVER_QUIET_SECONDS = (1.1 * STORAGE_LIMITS.writeBehindMs) / 1000;
/** Peers write at once. */
const PEER_QUIET_SECONDS = 1.2;
const QUIET_TRIES = 60;

/**
 * Measures the server and its peer in turn, A B A B …; the one that waits does nothing meanwhile. A measurement that
 * other programs disturbed is made again.
 */
export async function alternate(bench: Bench, server: Subject, peer: Subject, unit: string): Promise<Turns> {
  const { rounds } = bench.options;
  const turns = [
    { subject: server, quietSeconds: SERVER_QUIET_SECONDS, attempts: [] as Attempt<Sample>[] },
    { subject: peer, quietSeconds: PEER_QUIET_SECONDS, attempts: [] as Attempt<Sample>[] },
  ];
  for (let round = 1; round <= rounds; round += 1) {
    for (const { subject, quietSeconds, attempts } of turns) {
      const attempt = await steadily(bench, subject.measure, () =>
        quiet(subject.program, bench.options.seconds, quietSeconds),
      );
      attempts.push(attempt);
      bench.progress(
        `round ${round} of ${rounds}: ${subject.name} ${attempt.result.figure.toFixed(0)} ${unit}${againText(attempt)}`,
      );
    }
  }
  const [one = [], other = []] = turns.map(({ attempts }) => attempts);
  return {
    server: one.map(({ result }) => result.figure),
    peer: other.map(({ result }) => result.figure),
    repeats: repeatsOf([...one, ...other]),
    notes: turns.map(({ subject, attempts }) => useOf(subject.name, attempts)),
  };
}

/** Where the figures are bound: by the subject's core, or by the load's. */
function useOf(name: string, attempts: readonly Attempt<Sample>[]): string {
  const own = spread(attempts.map(({ result }) => result.core.subject)).middle;
  const loads = attempts.flatMap(({ result }) => result.loadBusy ?? []);
  const load = loads.length > 0 ? `, its load ${percent(spread(loads).middle)} of the other` : '';
  return `${name}: used ${percent(own)} of its core${load}`;
}

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

/**
 * Waits until a program has finished what a load of so many seconds left behind, such as files to be written: until it
 * has done nothing for a while, which is hardly longer than the load was.
 */
export async function quiet(
  program: Program,
  loadSeconds: number,
  quietSeconds = SERVER_QUIET_SECONDS,
): Promise<void> {
  const wanted = (1000 * Math.min(quietSeconds, 1.1 * loadSeconds)) / QUIET_INTERVAL_MS;
  let before = processSeconds(program.pid);
  let calm = 0;
  for (let tries = 0; tries < QUIET_TRIES && calm < wanted; tries += 1) {
    await new Promise((later) => setTimeout(later, QUIET_INTERVAL_MS));
    const now = processSeconds(program.pid);
    calm = now - before <= (QUIET_SHARE * QUIET_INTERVAL_MS) / 1000 ? calm + 1 : 0;
    before = now;
  }
}
