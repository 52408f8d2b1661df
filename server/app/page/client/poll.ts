import { BackOff, type Waits } from '../../../../shared/backoff.js';

/** Looks again and again, one look at a time. After a look without an answer the back-off says when to look again. */
export class Poll {
  readonly #look: () => Promise<boolean>;
  readonly #pause: () => number;
  readonly #backOff: BackOff;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isLooking = false;
  #isOver = false;

  /**
   * @param look resolves with whether there was an answer
   * @param pause how long to wait after an answer, in milliseconds
   */
  constructor(look: () => Promise<boolean>, pause: () => number, waits: Waits) {
    this.#look = look;
    this.#pause = pause;
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
    this.#timer = setTimeout(() => this.now(), isAnswered ? this.#pause() : this.#backOff.next());
  }
}
