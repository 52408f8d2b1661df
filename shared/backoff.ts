/** How long to wait before the next attempt: exponential back-off with full jitter. */

/** In milliseconds. */
export interface Waits {
  /** The first wait is up to this, each next one up to twice as long, up to `backOffMax`. */
  readonly backOffMin: number;
  readonly backOffMax: number;
  /** The least that the first wait after a connection that stood is up to; `backOffMin` when absent. */
  readonly backOffLost?: number;
}

export class BackOff {
  private readonly min: number;
  private readonly max: number;
  private readonly lost: number;
  private readonly random: () => number;
  private ceiling: number;

  /** `random` is uniform in [0, 1). */
  constructor({ backOffMin, backOffMax, backOffLost = backOffMin }: Waits, random: () => number) {
    this.min = backOffMin;
    this.max = backOffMax;
    this.lost = Math.min(backOffLost, backOffMax);
    this.random = random;
    this.ceiling = backOffMin;
  }

  /** Milliseconds, evenly from none to a ceiling that doubles each time. */
  next(): number {
    const delay = Math.floor(this.random() * this.ceiling);
    this.ceiling = Math.min(2 * this.ceiling, this.max);
    return delay;
  }

  reset(): void {
    this.ceiling = this.min;
  }

  /**
   * A connection lasted for so long. Only one that outlived the longest wait proves the server well; one that is
   * dropped as soon as it stands, as by a second panel with the same id, goes on to be tried ever more seldom. A server
   * that restarts drops everybody in the same moment, and must not have them all back in the next.
   */
  stood(duration: number): void {
    if (duration >= this.max) this.reset();
    this.ceiling = Math.max(this.ceiling, this.lost);
  }
}
