import { LRUCache } from 'lru-cache';
import { Allowances } from './access/rate.js';

// No more than a person reads, and a disk takes for years.
const LINES_AT_ONCE = 60;
const LINES_PER_SECOND = 1;
const KEYS = 1000;

/**
 * Bounds the lines of the log that clients cause, so that nobody fills the disk with them: above a rate they are only
 * for who debugs, and the next line tells how many they were, as `unlogged`.
 */
export class LineLimit {
  readonly #now: () => number;
  readonly #allowances = new Allowances(LINES_PER_SECOND, LINES_AT_ONCE, KEYS);
  readonly #unlogged = new LRUCache<string, number>({ max: KEYS });

  /** @param now monotonic milliseconds */
  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /**
   * One more line.
   * @param key what is bounded by itself, such as one source
   * @returns what the line says besides, or undefined when there must be none
   */
  take(key: string): { unlogged?: number } | undefined {
    const unlogged = this.#unlogged.get(key) ?? 0;
    if (this.#allowances.of(key).take(this.#now()) > 0) {
      this.#unlogged.set(key, unlogged + 1);
      return undefined;
    }
    this.#unlogged.delete(key);
    return unlogged > 0 ? { unlogged } : {};
  }
}
