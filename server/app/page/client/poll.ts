import { BackOff, type Waits } from '../../../../shared/backoff.js';

export interface PollOptions extends Waits {
  /** Looks; whether there was an answer. */
  readonly look: () => Promise<boolean>;
  /** How long to wait after an answer, in milliseconds. */
  readonly pause: () => number;
}

/** Looks again and again, one look at a time; after a look without an answer as the back-off says. */
export class Poll {
  readonly #options: PollOptions;
  readonly #backOff: BackOff;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isLooking = false;
  #isOver = false;

  constructor(options: PollOptions) {
    this.#options = options;
    this.#backOff = new BackOff(options, Math.random);
    this.now();
  }

  /** Looks at once, unless it does so already. */
  now(): void {
    clearTimeout(this.#timer);
    if (!this.#isLooking && !this.#isOver) this.#look();
  }

  end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    const isAnswered = await this.#options.look();
    this.#isLooking = false;
    if (isAnswered) this.#backOff.reset();
    if (this.#isOver) return;
    this.#timer = setTimeout(() => this.now(), isAnswered ? this.#options.pause() : this.#backOff.next());
  }
}
