import { LRUCache } from 'lru-cache';
import { memo } from '../memo.js';

/**
 * Limits how often something may be done, by the generic cell rate algorithm of ITU-T I.371. It needs no timer and no
 * promise, so a request within its rate costs a comparison.
 */
export class Allowance {
  /** Milliseconds that one event takes at this rate. */
  readonly #interval: number;
  /** Milliseconds that events may run ahead of the rate. */
  readonly #ahead: number;
  /** When all events so far would be over if they had kept to the rate. */
  #due = Number.NEGATIVE_INFINITY;

  /** @param burst how many events may come at once after a pause, at least 1 */
  constructor(perSecond: number, burst: number) {
    this.#interval = 1000 / perSecond;
    this.#ahead = this.#interval * burst;
  }

  /**
   * Counts one more event if it is allowed.
   * @param now milliseconds of any one clock
   * @returns 0 when the event is allowed, else the milliseconds to wait
   */
  take(now: number): number {
    // Events run further ahead than this only when the clock was set back.
    const ahead = this.#due - now > this.#ahead ? 0 : Math.max(0, this.#due - now);
    const excess = ahead + this.#interval - this.#ahead;
    if (excess > ROUNDING_MS) return excess;
    this.#due = now + ahead + this.#interval;
    return 0;
  }
}

// Far below any interval, and far above the error of the arithmetic.
const ROUNDING_MS = 1e-6;

/** An allowance for each key. The keys that were used least recently are forgotten and begin anew. */
export class Allowances {
  /** The same object as long as the key is remembered. A session keeps the one that it got. */
  readonly of: (key: string) => Allowance;

  /** @param keys how many are remembered at most */
  constructor(perSecond: number, burst: number, keys: number) {
    const kept = new LRUCache<string, Allowance>({ max: keys });
    this.of = memo<string, Allowance>(() => new Allowance(perSecond, burst), kept);
  }
}
