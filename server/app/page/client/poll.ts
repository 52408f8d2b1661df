import { BackOff, type Waits } from '../../../../shared/backoff.js';

export interface PollWaits extends Waits {
  /** The longest wait after a look without an answer, as it is now; milliseconds. */
  readonly longestWait: () => number;
  /** There was no answer; the next look is then, by this phone's clock. */
  readonly onAway: (retryAt: number) => void;
}

/** Looks again and again, one look at a time. After a look without an answer the back-off says when to look again. */
export class Poll {
  readonly #look: () => Promise<boolean>;
  readonly #pause: () => number;
  readonly #waits: PollWaits;
  readonly #backOff: BackOff;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isLooking = false;
  #isOver = false;

  /**
   * @param look resolves with whether there was an answer
   * @param pause how long to wait after an answer, in milliseconds
   */
  constructor(look: () => Promise<boolean>, pause: () => number, waits: PollWaits) {
    this.#look = look;
    this.#pause = pause;
    this.#waits = waits;
    this.#backOff = new BackOff(waits, Math.random);
    this.now();
  }

  /** Looks at once, unless a look is under way. */
  now(): void {
    clearTimeout(this.#timer);
    if (!this.#isLooking && !this.#isOver) this.#run();
  }

  end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    this.#isLooking = true;
    const isAnswered = await this.#look();
    this.#isLooking = false;
    if (isAnswered) this.#backOff.reset();
    if (this.#isOver) return;
    const wait = isAnswered ? this.#pause() : Math.min(this.#backOff.next(), this.#waits.longestWait());
    if (!isAnswered) this.#waits.onAway(Date.now() + wait);
    this.#timer = setTimeout(() => this.now(), wait);
  }
}
