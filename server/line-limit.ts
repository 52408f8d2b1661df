import { LRUCache } from 'lru-cache';
import { Allowances } from './access/rate.js';

// A person can read so many lines, and a disk can hold them for years.
const LINES_AT_ONCE = 60;
const LINES_PER_SECOND = 1;
const KEYS = 1000;

/**
 * Limits the log lines that clients cause, so that they do not fill the disk. Above a rate lines are left out, and the
 * next line says how many, as `unlogged`.
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
   * Counts one more line.
   * @param key what the limit is for, such as one source
   * @returns fields to add to the line, or undefined when the line must be left out
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
