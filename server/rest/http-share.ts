import type { Share } from '../access/shares.js';
import type { RestLimits } from './limits.js';

interface Waiting {
  /** There may be room now. */
  goOn(): void;
}

/** What the HTTP connections of one share keep in memory. */
export class HttpShare {
  /** Its requests that are parked, over all connections. */
  parked = 0;
  /** Whether its clients have so many answers to take that further requests wait. */
  isFull = false;
  /** Connections whose next request waits until there is room for its answer. */
  readonly waiting = new Set<Waiting>();
  #unread = 0;
  readonly #limits: Pick<RestLimits, 'parkedRequests' | 'unreadBytes'>;

  constructor(
    readonly work: Share,
    limits: Pick<RestLimits, 'parkedRequests' | 'unreadBytes'>,
  ) {
    this.#limits = limits;
  }

  get hasRoomToPark(): boolean {
    return this.parked < this.#limits.parkedRequests;
  }

  /** Counts the bytes of an answer that a client has not taken. */
  hold(bytes: number): void {
    this.#unread += bytes;
    this.isFull = this.#unread >= this.#limits.unreadBytes;
  }

  /** The client has taken them, or is gone. */
  release(bytes: number): void {
    this.hold(-bytes);
    if (this.isFull || this.waiting.size === 0) return;
    const waiting = [...this.waiting];
    this.waiting.clear();
    for (const each of waiting) each.goOn();
  }
}
