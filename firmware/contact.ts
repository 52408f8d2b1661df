/** The door's reed switch, debounced: a level counts when it has stood for a while. */

import type { Board, Input, Timer } from './board.js';

export class Contact {
  readonly #board: Board;
  readonly #input: Input;
  readonly #onChange: () => void;
  /** The level that counts. */
  #open: boolean;
  /** The level as it was last seen, and since when, in ticks. */
  #seenOpen: boolean;
  #since = 0;
  #timer: Timer | undefined;

  /** `onChange` is called in the very turn in which a new level comes to count. */
  constructor(board: Board, onChange: () => void) {
    this.#board = board;
    this.#onChange = onChange;
    this.#input = board.door((at) => this.look(at));
    this.#open = this.read();
    this.#seenOpen = this.#open;
  }

  get open(): boolean {
    return this.#open;
  }

  /**
   * Reads the input: at every edge, and now and then in case an edge was lost. `at` is when the edge occurred, in ticks;
   * it may be a while ago, and the level has stood since then.
   */
  look(at = this.#board.time.ticks()): void {
    this.sample(at);
    if (this.#timer === undefined) this.settle();
  }

  private sample(at: number): void {
    const open = this.read();
    if (open === this.#seenOpen) return;
    this.#seenOpen = open;
    this.#since = Math.max(this.#since, Math.min(at, this.#board.time.ticks()));
  }

  private wakeIn(delay: number): void {
    this.#timer = this.#board.timers.set(() => this.wake(), delay);
  }

  /** One timer serves a whole burst of bounces: each wake finds out how long the level has stood by then. */
  private wake(): void {
    this.#timer = undefined;
    this.sample(this.#board.time.ticks());
    this.settle();
  }

  private settle(): void {
    if (this.#seenOpen === this.#open) return;
    const remaining = this.#since + this.#board.config.debounce - this.#board.time.ticks();
    if (remaining > 0) return this.wakeIn(remaining);
    this.#open = this.#seenOpen;
    this.#onChange();
  }

  private read(): boolean {
    return (this.#input.read() === 1) !== this.#board.config.doorInverted;
  }
}
