/** The door's reed switch, debounced: a level counts when it has stood for a while. */

import type { Board, Input, Timer } from './board.js';

export class Contact {
  private readonly board: Board;
  private readonly input: Input;
  private readonly onChange: () => void;
  /** The level that counts. */
  open: boolean;
  /** The level as it was last seen, and since when, in ticks. */
  private seenOpen: boolean;
  private since = 0;
  private timer: Timer | undefined;

  /** `onChange` is called in the very turn in which a new level comes to count. */
  constructor(board: Board, onChange: () => void) {
    this.board = board;
    this.onChange = onChange;
    this.input = board.door((at) => this.look(at));
    this.open = this.read();
    this.seenOpen = this.open;
  }

  /**
   * Reads the input: at every edge, and now and then in case an edge was lost. `at` is when the edge occurred, in ticks;
   * it may be a while ago, and the level has stood since then.
   */
  look(at = this.board.time.ticks()): void {
    const open = this.read();
    if (open !== this.seenOpen) this.since = Math.max(this.since, Math.min(at, this.board.time.ticks()));
    this.seenOpen = open;
    if (open !== this.open && this.timer === undefined) this.settle();
  }

  /** One timer serves a whole burst of bounces: each wake finds out how long the level has stood by then. */
  private wake(): void {
    this.timer = undefined;
    this.look();
  }

  private settle(): void {
    const board = this.board;
    const remaining = this.since + board.config.debounce - board.time.ticks();
    if (remaining > 0) {
      this.timer = board.timers.set(() => this.wake(), remaining);
    } else {
      this.open = this.seenOpen;
      this.onChange();
    }
  }

  private read(): boolean {
    return (this.input.read() === 1) !== this.board.config.doorInverted;
  }
}
