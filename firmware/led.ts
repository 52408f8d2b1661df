/** The status LED: off when disarmed and online, a slow blink when offline, on when armed, a fast blink when ringing. */

import type { Board, PanelStatus, Timer } from './board.js';

/** How long the LED is on and off, in turns, in milliseconds; 0: never. */
export interface Pattern {
  readonly on: number;
  readonly off: number;
}

export const PATTERNS = {
  off: { on: 0, off: 1 },
  on: { on: 1, off: 0 },
  /** Offline and disarmed: the LED is mostly off. */
  slow: { on: 200, off: 1800 },
  /** Offline and armed: it blinks as slowly and is mostly on. */
  slowArmed: { on: 1800, off: 200 },
  fast: { on: 100, off: 100 },
} as const satisfies Record<string, Pattern>;

export function patternFor(status: PanelStatus): Pattern {
  if (status.sirenRinging) return PATTERNS.fast;
  if (!status.online) return status.armed ? PATTERNS.slowArmed : PATTERNS.slow;
  return status.armed ? PATTERNS.on : PATTERNS.off;
}

export class Led {
  readonly #board: Board;
  #pattern: Pattern | undefined;
  #timer: Timer | undefined;

  constructor(board: Board) {
    this.#board = board;
  }

  show(status: PanelStatus): void {
    const pattern = patternFor(status);
    if (pattern === this.#pattern) return;
    this.#pattern = pattern;
    this.#board.timers.clear(this.#timer);
    this.#timer = undefined;
    this.turn(pattern, pattern.on > 0);
  }

  private turn(pattern: Pattern, on: boolean): void {
    this.#board.led.write(on);
    if (pattern.on === 0 || pattern.off === 0) return;
    this.#timer = this.#board.timers.set(() => this.turn(pattern, !on), on ? pattern.on : pattern.off);
  }
}
