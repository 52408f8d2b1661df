/** How often in a row something ended the program: an exception, a full memory, a watchdog, a brown-out … */

import type { Board } from './board.js';
import { readSealed, writeSealed } from './sealed.js';

/** So many in a row are too many. */
const RESTARTS_IN_A_ROW = 5;

const KEY = 'restarts';
const LENGTH = 1;

/**
 * Counted at the start that follows, because most of what ends a program leaves it no time to count. A start by the
 * power or the reset button is not counted, and does not begin the count anew. Flash is written at each start that
 * counts, up to five in a row, and once after a minute without one: 2900 times a day at worst, when every program ends
 * just after its first minute. Spread by the wear levelling of ESP-IDF over 24 KiB, that is 20 years of flash.
 */
export class Restarts {
  private readonly board: Board;
  private count: number;

  constructor(board: Board) {
    this.board = board;
    const stored = readSealed(board.storage, KEY, LENGTH);
    const before = typeof stored === 'string' ? 0 : (stored[0] ?? 0);
    this.count = board.start.wanted ? before : Math.min(before + 1, RESTARTS_IN_A_ROW);
    if (this.count !== before) this.write();
  }

  get tooMany(): boolean {
    return this.count >= RESTARTS_IN_A_ROW;
  }

  /** To be called when the program has run well for a while. */
  forget(): void {
    if (this.count === 0) return;
    this.count = 0;
    this.write();
  }

  private write(): void {
    if (!writeSealed(this.board.storage, KEY, Uint8Array.of(this.count)))
      this.board.trace('flash: cannot count restarts');
  }
}
