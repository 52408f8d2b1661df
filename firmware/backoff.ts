/** How long to wait before the next attempt: exponential back-off with full jitter. */

import type { PanelConfig } from './config.js';

export class BackOff {
  readonly #min: number;
  readonly #max: number;
  readonly #random: () => number;
  #ceiling: number;

  /** `random` is uniform in [0, 1). */
  constructor(
    { backOffMin, backOffMax }: Pick<PanelConfig, 'backOffMin' | 'backOffMax'>,
    random: () => number,
  ) {
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
