/** A contact, debounced: a level counts when it has stood for a while. */

import type { Board, ContactLevel, Input, Timer } from './board.js';
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
export function levelOf(reading: number, contact: ContactConfig): ContactLevel {
  if (contact.line) {
    if (reading < SHORTED_BELOW) return 'shorted';
    if (!(reading < CUT_FROM)) return 'cut';
  }
  return reading > OPEN_ABOVE === !contact.inverted;
}

export class Contact {
  private readonly board: Board;
  private readonly onChange: () => void;
  private readonly config: ContactConfig;
  private readonly input: Input;
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
    this.config = board.config.contacts[index] as ContactConfig;
    this.input = board.contact(index, (at) => this.look(at));
    this.seen = levelOf(this.input.read(), this.config);
    this.level = this.seen;
    if (this.config.line) board.timers.repeat(() => this.look(), MEASURE_INTERVAL);
  }

  /** Also while there is a fault: a contact that cannot be seen does not count as closed. */
  get open(): boolean {
    return this.level !== false;
  }

  /**
   * Reads the input: at every edge, and now and then in case an edge was lost. `at` is when the edge occurred, in ticks;
   * it may be a while ago, and the level has stood since then.
   */
  look(at = Infinity): void {
    const board = this.board;
    const level = levelOf(this.input.read(), this.config);
    const now = board.time.ticks();
    if (level !== this.seen) this.since = Math.max(this.since, Math.min(at, now));
    this.seen = level;
    if (level === this.level || this.timer) return;
    const remaining = this.since + board.config.debounce - now;
    if (remaining > 0) {
      // One timer serves a whole burst of bounces: at its end it is seen how long the level has stood by then.
      this.timer = board.timers.set(() => {
        this.timer = undefined;
        this.look();
      }, remaining);
    } else {
      this.level = level;
      this.onChange();
    }
  }
}
