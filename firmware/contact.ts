/** A contact, debounced: a level counts when it has stood for a while. */

import type { Board, ContactLevel, Timer } from './board.js';
import type { ContactConfig } from './config.js';

/**
 * A line with a resistor of 4.7 kΩ in series with the contact, another one across it and 10 kΩ to 3.3 V has 32 % of the
 * voltage when it is closed, 48 % open, nothing shorted, and all of it when it is cut. The converter's range is 2.45 V: of it
 * these are 43 %, 65 %, 0 and more than there is. The bounds lie in the middle between them.
 */
const SHORTED_BELOW = 0.22;
const OPEN_ABOVE = 0.54;
const CUT_FROM = 0.82;
/** How often the voltage is measured: a converter tells of no edges. */
const MEASURE_INTERVAL = 20;

/** @param reading as an input of the board has it; no number counts as a cut line */
export function levelOf(reading: number, { inverted, line }: ContactConfig): ContactLevel {
  if (line && reading < SHORTED_BELOW) return 'shorted';
  if (line && !(reading < CUT_FROM)) return 'cut';
  return reading > OPEN_ABOVE === !inverted;
}

export class Contact {
  private readonly board: Board;
  private readonly onChange: () => void;
  private readonly read: () => ContactLevel;
  /** What counts. */
  level: ContactLevel;
  /** The level as it was last seen, and since when, in ticks. */
  private seen: ContactLevel;
  private since = 0;
  private timer: Timer | undefined;

  /**
   * `index` is that of the contact in the board's config. `onChange` is called in the very turn in which a new level
   * comes to count.
   */
  constructor(board: Board, index: number, onChange: () => void) {
    this.board = board;
    this.onChange = onChange;
    const config = board.config.contacts[index] as ContactConfig;
    const input = board.contact(index, (at) => this.look(at));
    this.read = () => levelOf(input.read(), config);
    this.level = this.read();
    this.seen = this.level;
    if (config.line) board.timers.repeat(() => this.look(), MEASURE_INTERVAL);
  }

  /** Also while there is a fault: a contact that cannot be seen does not count as closed. */
  get open(): boolean {
    return this.level !== false;
  }

  /**
   * Reads the input: at every edge, and now and then in case an edge was lost. `at` is when the edge occurred, in ticks;
   * it may be a while ago, and the level has stood since then.
   */
  look(at = this.board.time.ticks()): void {
    const level = this.read();
    if (level !== this.seen) this.since = Math.max(this.since, Math.min(at, this.board.time.ticks()));
    this.seen = level;
    if (level !== this.level && this.timer === undefined) this.settle();
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
      this.level = this.seen;
      this.onChange();
    }
  }
}
