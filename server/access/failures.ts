import { LRUCache } from 'lru-cache';

/** Times are in milliseconds. */
export const FAILURE_LIMITS = {
  /** Wrong tokens and passwords of one source before it is blocked. */
  authFailuresPerMinute: 10,
  /** How long the first block lasts. Each further block lasts twice as long as the one before. */
  authBlockMs: 60_000,
  /** How long a block lasts at most. */
  authBlockCeilingMs: 3_600_000,
};

export type FailureLimits = Readonly<typeof FAILURE_LIMITS>;

interface Failures {
  /** When the last ones were, oldest first, in milliseconds. */
  times: number[];
  blockedUntil: number;
  /** How long the last block was. */
  blockMs: number;
}

const MINUTE = 60_000;
// An attacker with more sources than that is not stopped by any number.
const SOURCES = 10_000;
const KNOWN = 10_000;

/**
 * Failed authentications by source. So many a minute are free; then the source is blocked, and after that each further
 * failure blocks it twice as long as the last time, up to a ceiling. Being quiet for as long as the block lasted forgives.
 *
 * Who was let in from a source before is known there: one broken client behind a router must not keep out the alarm
 * beside it. A success forgives nothing else, so nobody buys guesses with a credential of his own.
 */
export class FailedAttempts {
  readonly limits: FailureLimits;
  readonly #now: () => number;
  readonly #sources = new LRUCache<string, Failures>({ max: SOURCES });
  readonly #known = new LRUCache<string, true>({ max: KNOWN });

  /** @param now monotonic milliseconds */
  constructor(limits: Partial<FailureLimits> = {}, now = () => performance.now()) {
    this.limits = { ...FAILURE_LIMITS, ...limits };
    this.#now = now;
  }

  /** Milliseconds until the source may try again, 0 = now. */
  blockedMs(source: string): number {
    if (this.#sources.size === 0) return 0;
    const failures = this.#sources.get(source);
    return failures === undefined ? 0 : Math.max(0, failures.blockedUntil - this.#now());
  }

  /** A credential was wrong. What fails while the source is blocked makes nothing worse. */
  failed(source: string): void {
    const now = this.#now();
    const failures = this.#recall(source, now);
    if (now < failures.blockedUntil) return;
    failures.times = failures.times.filter((time) => time > now - MINUTE);
    failures.times.push(now);
    const again = failures.blockMs > 0;
    if (!again && failures.times.length < this.limits.authFailuresPerMinute) return;
    const { authBlockMs, authBlockCeilingMs } = this.limits;
    failures.blockMs = Math.min(again ? failures.blockMs * 2 : authBlockMs, authBlockCeilingMs);
    failures.blockedUntil = now + failures.blockMs;
    failures.times = [];
  }

  /** @param who a device id or a token id */
  succeeded(source: string, who: string): void {
    this.#known.set(keyOf(source, who), true);
  }

  /** Whether it was let in from there before. */
  knows(source: string, who: string): boolean {
    return this.#known.has(keyOf(source, who));
  }

  #recall(source: string, now: number): Failures {
    const failures = this.#sources.get(source);
    if (failures !== undefined && now < failures.blockedUntil + failures.blockMs) return failures;
    const fresh = { times: failures?.times ?? [], blockedUntil: 0, blockMs: 0 };
    this.#sources.set(source, fresh);
    return fresh;
  }
}

const keyOf = (source: string, who: string): string => `${source} ${who}`;
