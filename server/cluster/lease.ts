import { randomUUID } from 'node:crypto';
import type { Leadership } from '../leadership.js';
import type { Connection } from '../storage/postgres/connection.js';
import { ENTER, EXIT, RENEW, type RenewRow } from './statements.js';

/** Times are in milliseconds. */
export const LEASE_LIMITS = {
  /** How often a server renews its lease. */
  everyMs: 500,
  /** A server whose lease is so old ends its own sessions, before the others declare it dead. */
  endMs: 4000,
  /** The others declare a server dead that did not renew its lease for so long, by the clock of the database. */
  deadMs: 6000,
};

/**
 * `entering`: it has no lease yet. `live`: it has one. `ended`: its lease is over, it has ended its sessions, and it must
 * get a new one. `left`: it has given its lease back.
 */
type Phase = 'entering' | 'live' | 'ended' | 'left';

interface Parts {
  readonly connection: Connection;
  /** The id of this server. */
  readonly id: string;
  /** The lease is over: every session must end now. */
  readonly onEnd: () => void;
  readonly onError: (error: Error) => void;
  readonly limits?: Partial<typeof LEASE_LIMITS> | undefined;
  /** Monotonic milliseconds. Only tests change them. */
  readonly now?: () => number;
}

/**
 * The proof that this server is alive, which all servers on a database have. Time runs by a monotonic clock here and by
 * the clock of the database there, so no machine's clock matters. One of the servers leads.
 */
export class Lease implements Leadership {
  readonly isShared = true;
  readonly #parts: Parts;
  readonly #limits: typeof LEASE_LIMITS;
  readonly #now: () => number;
  readonly #watchers = new Set<(leads: boolean) => void>();
  #phase: Phase = 'entering';
  #epoch = randomUUID();
  /** When it was renewed last, by the monotonic clock, as far as this server can prove. */
  #renewedAt = Number.NEGATIVE_INFINITY;
  #leads = false;
  #liveNodes = 1;
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> = Promise.resolve();
  #isBusy = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#limits = { ...LEASE_LIMITS, ...parts.limits };
    this.#now = parts.now ?? (() => performance.now());
  }

  /** @throws what the connection throws */
  async begin(): Promise<void> {
    await this.#enter();
    await this.#renew();
    this.#timer = setInterval(() => this.#tick(), this.#limits.everyMs);
  }

  /** Whether the others know that this server is alive. After a pause of the process it is known at once that they do not. */
  get isLive(): boolean {
    return this.#phase === 'live' && this.#now() - this.#renewedAt < this.#limits.endMs;
  }

  get liveNodes(): number {
    return this.#liveNodes;
  }

  leads(): boolean {
    return this.#leads && this.isLive;
  }

  watch(watcher: (leads: boolean) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Gives the lease back, with what this server has. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#working;
    this.#lead(false);
    this.#phase = 'left';
    await this.#parts.connection.run(EXIT, [this.#parts.id], this.#until()).catch(this.#parts.onError);
  }

  #until(): number {
    return performance.now() + this.#limits.everyMs * 2;
  }

  #tick(): void {
    if (this.#phase === 'live' && !this.isLive) this.#end();
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#working = this.#next()
      .catch(this.#parts.onError)
      .finally(() => {
        this.#isBusy = false;
      });
  }

  async #next(): Promise<void> {
    if (this.#phase === 'ended') await this.#enter();
    if (this.#phase !== 'left') await this.#renew();
  }

  async #enter(): Promise<void> {
    const { connection, id } = this.#parts;
    this.#epoch = randomUUID();
    // What this server had before has ended, and goes with its row.
    await connection.run(EXIT, [id], this.#until());
    await connection.run(ENTER, [id, this.#epoch], this.#until());
    this.#phase = 'entering';
  }

  async #renew(): Promise<void> {
    const { connection, id } = this.#parts;
    const asked = this.#now();
    const values = [id, this.#epoch, this.#limits.deadMs];
    const [row] = await connection.run<RenewRow>(RENEW, values, this.#until());
    if (row?.is_mine !== true) return this.#end();
    this.#renewedAt = asked;
    this.#liveNodes = Math.max(1, row.live);
    if (this.#phase === 'entering') this.#phase = 'live';
    this.#lead(row.leads && this.isLive);
  }

  #end(): void {
    const isNews = this.#phase === 'live';
    // Without the first renewal it had no sessions. It enters again all the same.
    if (isNews || this.#phase === 'entering') this.#phase = 'ended';
    if (!isNews) return;
    this.#lead(false);
    this.#parts.onEnd();
  }

  #lead(leads: boolean): void {
    if (this.#leads === leads) return;
    this.#leads = leads;
    for (const watcher of [...this.#watchers]) watcher(leads);
  }
}
