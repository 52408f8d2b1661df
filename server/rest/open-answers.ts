import { ConnectionLimit } from '../access/connection-limit.js';
import type { Token, Tokens } from '../access/tokens.js';
import type { Devices } from '../devices/devices.js';
import { tooManyRequests } from './errors.js';

/** The part of the total that is kept for owners. */
const RESERVED_PART = 1 / 8;

interface OpenLimits {
  /** What they are, as the refusal of one too many names them. */
  readonly what: string;
  readonly perToken: number;
  readonly total: number;
}

interface OpenAnswer {
  readonly token: Token;
  readonly deviceId: string;
  readonly end: () => void;
}

/**
 * Answers that stay open for a while. Their number is bounded. One ends when its token loses the right to it, when its
 * device is deleted and when the server stops.
 */
export class OpenAnswers {
  readonly #tokens: Pick<Tokens, 'watch' | 'leftMs'>;
  readonly #limits: OpenLimits;
  readonly #count: ConnectionLimit;
  readonly #open = new Set<OpenAnswer>();
  #closed = false;

  constructor(tokens: Pick<Tokens, 'watch' | 'leftMs'>, devices: Pick<Devices, 'watch'>, limits: OpenLimits) {
    this.#tokens = tokens;
    this.#limits = limits;
    this.#count = new ConnectionLimit({ perSource: limits.perToken, total: limits.total });
    tokens.watch((tokenId) => this.#endThose(({ token }) => token.id === tokenId));
    devices.watch((id, why) => {
      if (why === 'deleted') this.#endThose(({ deviceId }) => deviceId === id);
    });
  }

  /** The number of open ones. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Counts one more.
   * @param end asks for its end, perhaps more than once
   * @returns what must be called when it has ended, for whatever reason
   * @throws HttpError when there are too many
   */
  hold(token: Token, deviceId: string, end: () => void): () => void {
    if (!this.#hasRoom(token) || !this.#count.take(token.id)) {
      const { what, perToken, total } = this.#limits;
      throw tooManyRequests(`too many ${what} at the same time`, {
        quota: Math.min(perToken, total),
        windowSeconds: 0,
        resetSeconds: RETRY_SECONDS,
        tokenId: token.id,
      });
    }
    const answer = { token, deviceId, end };
    this.#open.add(answer);
    if (this.#closed) setImmediate(end);
    const cancelExpiry = this.#whenExpired(token, end);
    return () => {
      if (!this.#open.delete(answer)) return;
      this.#count.release(token.id);
      cancelExpiry();
    };
  }

  #whenExpired(token: Token, then: () => void): () => void {
    if (token.expires_at === null) return () => undefined;
    const left = (): number => Math.max(0, Math.min(this.#tokens.leftMs(token), LONGEST_LOOK_MS));
    let timer = setTimeout(function look() {
      if (left() === 0) then();
      else timer = setTimeout(look, left());
    }, left());
    return () => clearTimeout(timer);
  }

  #hasRoom({ role }: Token): boolean {
    const { total } = this.#limits;
    return this.#open.size < (role === 'owner' ? total : total - Math.floor(total * RESERVED_PART));
  }

  /** Ends all of them, and all that begin later. */
  close(): void {
    this.#closed = true;
    this.endAll();
  }

  endAll(): void {
    this.#endThose(() => true);
  }

  #endThose(those: (answer: OpenAnswer) => boolean): void {
    for (const answer of [...this.#open].filter(those)) answer.end();
  }
}

// It is not known when an open answer ends. A second keeps waiting clients from asking in a loop.
const RETRY_SECONDS = 1;

// The clock may be set meanwhile, and no timer takes more than 2^31 milliseconds.
const LONGEST_LOOK_MS = 60_000;
