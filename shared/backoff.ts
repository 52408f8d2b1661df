/** How long to wait before the next attempt: exponential back-off with full jitter. */

/** In milliseconds. */
export interface Waits {
  /** The first wait is up to this, each next one up to twice as long, up to `backOffMax`. */
  readonly backOffMin: number;
  readonly backOffMax: number;
}

export class BackOff {
  readonly #min: number;
  readonly #max: number;
  readonly #random: () => number;
  #ceiling: number;

  /** `random` is uniform in [0, 1). */
  constructor({ backOffMin, backOffMax }: Waits, random: () => number) {
    this.#min = backOffMin;
    this.#max = backOffMax;
    this.#random = random;
    this.#ceiling = backOffMin;
  }

  /** Milliseconds, evenly from none to a ceiling that doubles each time. */
  next(): number {
    const delay = Math.floor(this.#random() * this.#ceiling);
    this.#ceiling = Math.min(2 * this.#ceiling, this.#max);
    return delay;
  }

  reset(): void {
    this.#ceiling = this.#min;
  }

  /**
   * A connection lasted for so long. Only one that outlived the longest wait proves the server well; one that is
   * dropped as soon as it stands, as by a second panel with the same id, goes on to be tried ever more seldom.
   */
  stood(duration: number): void {
    if (duration >= this.#max) this.reset();
  }
}
