/**
 * Intervals of alerts run by elapsed time: a clock that is set neither sends a repeat early nor holds it up. Stored and
 * shown times are wall times. All are in milliseconds.
 */

export interface Clock {
  /** Since 1970. It may be set. */
  readonly now: () => number;
  /** Since any moment. It is never set. */
  readonly elapsed: () => number;
}

export const CLOCK: Clock = { now: () => Date.now(), elapsed: () => performance.now() };

/** The wall time, by the clock as it is set now, of a moment of elapsed time. */
export const wallTimeOf = (moment: number, { now, elapsed }: Clock): number =>
  Math.floor(now() - (elapsed() - moment));

/** The moment of elapsed time of a wall time, by the clock as it is set now. */
export const momentOf = (wallTime: number, { now, elapsed }: Clock): number => elapsed() - (now() - wallTime);

/** Stored times as moments of elapsed time. What was seen once keeps its moment when the clock is set. */
export class DueTimes {
  readonly #clock: Clock;
  #known = new Map<string, { readonly text: string; readonly moment: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param text RFC 3339 @param longestMs a time that is further away is of another clock */
  of(id: string, text: string, longestMs: number): number {
    const known = this.#known.get(id);
    if (known?.text === text) return known.moment;
    const wait = Math.min(Math.max(0, Date.parse(text) - this.#clock.now()), longestMs);
    const moment = this.#clock.elapsed() + wait;
    this.#known.set(id, { text, moment });
    return moment;
  }

  /** Forgets all others. */
  keep(ids: ReadonlySet<string>): void {
    this.#known = new Map([...this.#known].filter(([id]) => ids.has(id)));
  }
}
