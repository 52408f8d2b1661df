import { LRUCache } from 'lru-cache';
import { KnownClients } from './known-clients.js';
import { ALONE, type OtherServers } from './other-servers.js';

/** Times are in milliseconds. */
const FAILURE_LIMITS = {
  /** How many wrong tokens and passwords of one source in a minute block it. */
  authFailuresPerMinute: 10,
  /** How long the first block lasts. Each further block lasts twice as long as the one before. */
  authBlockMs: 60_000,
  /** How long a block lasts at most. */
  authBlockCeilingMs: 3_600_000,
};

export type FailureLimits = Readonly<typeof FAILURE_LIMITS>;

interface Failures {
  /** The times of the last failures, oldest first, in milliseconds. */
  times: number[];
  blockedUntil: number;
  /** The length of the last block. */
  blockMs: number;
}

const MINUTE = 60_000;
// A limit by source does not stop an attacker with more sources than this.
const SOURCES = 10_000;

/**
 * Failed authentications by source. After too many in a minute the source is blocked. Each further failure blocks it
 * twice as long, up to a ceiling. The failures are forgotten when the source is quiet for as long as its last block.
 *
 * A device or token that was admitted from a source before is known there and is not blocked, because one broken client
 * behind a router must not keep out the alarm beside it. The failures of a device that is known there count for itself
 * only. A success does not reset the failures, because an attacker could use a valid credential to get more guesses.
 *
 * Servers that share their clients share the blocks, and each of them allows its part of the failures.
 */
export class FailedAttempts {
  readonly limits: FailureLimits;
  readonly #now: () => number;
  readonly #sources = new LRUCache<string, Failures>({ max: SOURCES });
  readonly #known: KnownClients;
  readonly #others: OtherServers;

  /** @param now monotonic milliseconds */
  constructor(
    limits: Partial<FailureLimits> = {},
    now = () => performance.now(),
    known: KnownClients = new KnownClients(),
    others: OtherServers = ALONE,
  ) {
    this.limits = { ...FAILURE_LIMITS, ...limits };
    this.#now = now;
    this.#known = known;
    this.#others = others;
    others.onBlock((blocked, ms) => this.#hear(blocked, ms));
  }

  /** The milliseconds until the source, or the device that is known there, may try again. 0 means now. */
  blockedMs(source: string, id?: string): number {
    if (this.#sources.size === 0) return 0;
    const failures = this.#sources.get(this.#countedFor(source, id));
    return failures === undefined ? 0 : Math.max(0, failures.blockedUntil - this.#now());
  }

  /** A credential was wrong. Failures while the source is blocked do not count. @param id the device that it named */
  failed(source: string, id?: string): void {
    const now = this.#now();
    const counted = this.#countedFor(source, id);
    const failures = this.#recall(counted, now);
    if (now < failures.blockedUntil) return;
    failures.times = failures.times.filter((time) => time > now - MINUTE);
    failures.times.push(now);
    const again = failures.blockMs > 0;
    if (!again && failures.times.length < this.#mostPerMinute) return;
    const { authBlockMs, authBlockCeilingMs } = this.limits;
    failures.blockMs = Math.min(again ? failures.blockMs * 2 : authBlockMs, authBlockCeilingMs);
    failures.blockedUntil = now + failures.blockMs;
    failures.times = [];
    this.#others.tellBlock(counted, failures.blockMs);
  }

  /** @param id of a device or a token */
  succeeded(source: string, id: string): void {
    this.#known.add(source, id);
  }

  /** Whether the device or token was admitted from this source before. */
  knows(source: string, id: string): boolean {
    return this.#known.has(source, id);
  }

  /** Whether any device or token was admitted from this source before. */
  knowsAny(source: string): boolean {
    return this.#known.hasFrom(source);
  }

  get #mostPerMinute(): number {
    return Math.max(1, Math.floor(this.limits.authFailuresPerMinute / this.#others.liveNodes()));
  }

  /** Takes over a block of another server. It never makes one shorter that is known here. */
  #hear(blocked: string, ms: number): void {
    const now = this.#now();
    const failures = this.#recall(blocked, now);
    failures.blockedUntil = Math.max(failures.blockedUntil, now + ms);
    failures.blockMs = Math.max(failures.blockMs, ms);
    failures.times = [];
  }

  #countedFor(source: string, id: string | undefined): string {
    return id !== undefined && this.#known.has(source, id) ? `${source} ${id}` : source;
  }

  #recall(source: string, now: number): Failures {
    const failures = this.#sources.get(source);
    if (failures !== undefined && now < failures.blockedUntil + failures.blockMs) return failures;
    const fresh = { times: failures?.times ?? [], blockedUntil: 0, blockMs: 0 };
    this.#sources.set(source, fresh);
    return fresh;
  }
}
