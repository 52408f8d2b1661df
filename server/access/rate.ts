import { LRUCache } from 'lru-cache';

/**
 * How often something may be done, by arithmetic alone: the generic cell rate algorithm of ITU-T I.371. It needs no timer
 * and no promise, so a request that is within its rate costs a comparison.
 */
export class Allowance {
  /** Milliseconds that one event takes at the rate. */
  readonly #interval: number;
  /** Milliseconds that events may run ahead of the rate. */
  readonly #ahead: number;
  /** When all events so far would be over, had they kept to the rate. */
  #due = Number.NEGATIVE_INFINITY;

  /** @param burst how many may come at once after a pause, at least 1 */
  constructor(perSecond: number, burst: number) {
    this.#interval = 1000 / perSecond;
    this.#ahead = this.#interval * burst;
  }

  /**
   * One more event.
   * @param now milliseconds, monotonic or by the wall
   * @returns 0 when it may go on, else the milliseconds after which it might; then it is not counted
   */
  take(now: number): number {
    // Nothing can run further ahead than that, unless the clock was set back.
    const ahead = this.#due - now > this.#ahead ? 0 : Math.max(0, this.#due - now);
    const excess = ahead + this.#interval - this.#ahead;
    if (excess > ROUNDING_MS) return excess;
    this.#due = now + ahead + this.#interval;
    return 0;
  }
}

// Far below any interval, far above what the arithmetic loses.
const ROUNDING_MS = 1e-6;

/** An allowance for each key. The keys that were asked for least recently are forgotten, and begin anew. */
export class Allowances {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #kept: LRUCache<string, Allowance>;

  /** @param keys how many are remembered at most */
  constructor(perSecond: number, burst: number, keys: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#kept = new LRUCache({ max: keys });
  }

  /** The same object as long as the key is remembered; a session keeps what it got. */
  of(key: string): Allowance {
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const allowance = new Allowance(this.#perSecond, this.#burst);
    this.#kept.set(key, allowance);
    return allowance;
  }
}
