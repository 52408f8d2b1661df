/** A row of the table: what is measured, beside which peer, and what it must reach. */

import type { Bench } from './bench.js';
import type { Repeats } from './disturbance.js';

export interface Bar {
  relation: '>=' | '<=';
  limit: number;
  /** The bar is on the ratio to the peer, or on the server's own figure. */
  on: 'ratio' | 'server';
}

export interface Measurement {
  row: string;
  what: string;
  /** Of the figures, such as `req/s`. */
  unit: string;
  /** One figure a round. */
  server: number[];
  peer?: { name: string; figures: number[] };
  /** The figure that counts: the median of the rounds, or the greatest. */
  counts?: 'median' | 'greatest';
  /** A row without one is shown for comparison. */
  bar?: Bar;
  /** What else was not as it must be. */
  faults?: string[];
  repeats?: Repeats;
  notes: string[];
}

export interface Row {
  name: string;
  /** Programs without which it cannot run. */
  needs: string[];
  run(bench: Bench): Promise<Measurement[]>;
}

export interface Spread {
  middle: number;
  least: number;
  greatest: number;
}

export interface Verdict {
  server: Spread;
  peer?: Spread;
  /** Of the server to the peer, each round by itself. */
  ratio?: Spread;
  met?: boolean;
}

/** @throws RangeError for no figures */
export function spread(figures: readonly number[]): Spread {
  const sorted = [...figures].sort((one, other) => one - other);
  const half = (sorted.length - 1) / 2;
  const [least, greatest] = [sorted[0], sorted.at(-1)];
  const [below, above] = [sorted[Math.floor(half)], sorted[Math.ceil(half)]];
  if (least === undefined || greatest === undefined || below === undefined || above === undefined) {
    throw new RangeError('no figures');
  }
  return { middle: (below + above) / 2, least, greatest };
}

/** `100,000` */
export const thousands = (count: number): string => count.toLocaleString('en');

/** The least figure that so great a share of them does not exceed. @throws RangeError for no figures */
export function percentile(figures: readonly number[], share: number): number {
  const figure = [...figures].sort((one, other) => one - other)[Math.ceil(share * figures.length) - 1];
  if (figure === undefined) throw new RangeError('no figures');
  return figure;
}

/** Of the spread of a measurement, the figure that counts. */
export const figureThatCounts = (
  { counts }: Pick<Measurement, 'counts'>,
  { middle, greatest }: Spread,
): number => (counts === 'greatest' ? greatest : middle);

export function judge(measurement: Measurement): Verdict {
  const { server, peer, bar, faults = [] } = measurement;
  const own = spread(server);
  const verdict: Verdict = { server: own };
  if (peer) {
    verdict.peer = spread(peer.figures);
    verdict.ratio = spread(server.map((figure, round) => figure / (peer.figures[round] ?? Number.NaN)));
  }
  const judged = bar?.on === 'ratio' ? verdict.ratio : own;
  if (bar && judged) {
    const figure = figureThatCounts(measurement, judged);
    verdict.met = (bar.relation === '>=' ? figure >= bar.limit : figure <= bar.limit) && faults.length === 0;
  }
  return verdict;
}
