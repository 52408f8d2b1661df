/** How often exceptions restarted the panel of late. */

import type { Board } from './board.js';
import { readSealed, viewOf, writeSealed } from './sealed.js';

/** So many restarts within the configured window are too many. */
export const RESTARTS_IN_A_ROW = 5;

const KEY = 'restarts';
/** The milliseconds from one of the latest restarts to the next, the last one last; this one stands for none. */
const LONG_AGO = 0xffffffff;
const INTERVALS = RESTARTS_IN_A_ROW - 1;
const INTERVAL_LENGTH = 4;
const LENGTH = INTERVALS * INTERVAL_LENGTH;

/** Kept in flash, which is written at these restarts and when they are forgotten, and at no other time. */
export class Restarts {
  readonly #board: Board;
  readonly #intervals: Uint8Array;
  readonly #isFirst: boolean;
  readonly #startedAt: number;

  constructor(board: Board) {
    const stored = readSealed(board.storage, KEY, LENGTH);
    this.#board = board;
    this.#isFirst = typeof stored === 'string';
    this.#intervals = typeof stored === 'string' ? new Uint8Array(LENGTH).fill(0xff) : stored;
    this.#startedAt = board.time.ticks();
  }

  /** Whether the last five came within the window. */
  get tooMany(): boolean {
    let duration = 0;
    for (let at = 0; at < LENGTH; at += INTERVAL_LENGTH)
      duration += viewOf(this.#intervals).getUint32(at, true);
    return duration <= this.#board.config.restartWindow;
  }

  /** To be called just before one. */
  add(): void {
    const uptime = Math.floor(this.#board.time.ticks() - this.#startedAt);
    this.#intervals.copyWithin(0, INTERVAL_LENGTH);
    const interval = this.#isFirst ? LONG_AGO : Math.min(uptime, LONG_AGO);
    viewOf(this.#intervals).setUint32(LENGTH - INTERVAL_LENGTH, interval, true);
    this.write();
  }

  forget(): void {
    this.#intervals.fill(0xff);
    this.write();
  }

  private write(): void {
    if (!writeSealed(this.#board.storage, KEY, this.#intervals))
      this.#board.trace('flash: cannot count restarts');
  }
}
