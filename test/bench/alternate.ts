import { STORAGE_LIMITS } from '../../server/storage/storage.js';
import type { Bench } from './bench.js';
import { type CoreUse, processSeconds } from './core.js';
import { type Contender, type Repeats, takeTurns } from './disturbance.js';
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
  const contender = (subject: Subject, quietSeconds: number): Contender<Sample> => ({
    measure: subject.measure,
    settle: () => quiet(subject.program, bench.options.seconds, quietSeconds),
    said: ({ figure }) => `${subject.name} ${figure.toFixed(0)} ${unit}`,
    results: [],
  });
  const one = contender(server, SERVER_QUIET_SECONDS);
  const other = contender(peer, PEER_QUIET_SECONDS);
  const repeats = await takeTurns(bench, [one, other]);
  return {
    server: one.results.map(({ figure }) => figure),
    peer: other.results.map(({ figure }) => figure),
    repeats,
    notes: [useOf(server.name, one.results), useOf(peer.name, other.results)],
  };
}

/** Where the figures are bound: by the subject's core, or by the load's. */
function useOf(name: string, samples: readonly Sample[]): string {
  const own = spread(samples.map(({ core }) => core.subject)).middle;
  const loads = samples.flatMap(({ loadBusy }) => loadBusy ?? []);
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
