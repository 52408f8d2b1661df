/** The door's reed switch, debounced. */

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
    this.#input = board.door(() => this.look());
    this.#open = this.read();
    this.#seenOpen = this.#open;
  }

  get open(): boolean {
    return this.#open;
  }

  /** Reads the input, as every edge does; to be called now and then, lest a lost edge leave the door in doubt. */
  look(): void {
    this.sample();
    if (this.#seenOpen !== this.#open && this.#timer === undefined) this.wakeIn(this.#board.config.debounce);
  }

  private sample(): void {
    const open = this.read();
    if (open === this.#seenOpen) return;
    this.#seenOpen = open;
    this.#since = this.#board.time.ticks();
  }

  private wakeIn(delay: number): void {
    this.#timer = this.#board.timers.set(() => this.wake(), delay);
  }

  /** One timer serves a whole burst of bounces: each wake finds out how long the level has stood by then. */
  private wake(): void {
    this.#timer = undefined;
    this.sample();
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
