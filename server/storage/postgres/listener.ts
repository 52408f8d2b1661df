import type pg from 'pg';
import type { DatabaseAddress } from '../../database-address.js';
import type { EngineClock } from './clock.js';
import { type CONNECTION_LIMITS, Connection } from './connection.js';
import { isKnownSchema, SCHEMA_VERSION } from './schema.js';
import { BEAT, BEAT_CHANNEL, type BeatRow } from './statements.js';

/** Times are in milliseconds. */
export const BEAT_LIMITS = {
  /** How often a server sends a beat and hears it itself. */
  everyMs: 500,
  /** When no beat came back for so long, something may have been missed, and nothing is served until it is known. */
  lateMs: 1000,
  /** After this the connection counts as dead, whatever the system says, and is made anew. */
  deadMs: 2000,
};

/** Hears a notification. @param payload the words of it */
type Hear = (payload: readonly string[]) => void;

/**
 * Finds what was missed.
 * @param since what every earlier transaction has changed was heard. Undefined when nothing was heard before.
 */
type FindMissed = (since: string | undefined) => Promise<void>;

interface Parts {
  readonly address: DatabaseAddress;
  readonly limits?: Partial<typeof CONNECTION_LIMITS> | undefined;
  /** The name of this server. */
  readonly server: string;
  readonly clock: EngineClock;
  readonly onError: (error: Error) => void;
}

/**
 * Hears what other servers say. A beat of its own, which must come back, shows that nothing is missed: a socket may be dead
 * for minutes before the system says so.
 */
export class Listener {
  readonly #parts: Parts;
  readonly #connection: Connection;
  readonly #hearers = new Map<string, Hear>();
  /** Each finds out what was missed while nothing was heard. */
  readonly #afterGap: FindMissed[] = [];
  readonly #onCurrent: (() => void)[] = [];
  readonly #onLate: (() => void)[] = [];
  #late: NodeJS.Timeout | undefined;
  #timer: NodeJS.Timeout | undefined;
  #number = 0;
  /** When each beat was sent that has not come back, by `performance.now()`. */
  readonly #sent = new Map<number, number>();
  /** When the last beat was sent that has come back. */
  #heardAt = Number.NEGATIVE_INFINITY;
  /** See FindMissed. */
  #since: string | undefined;
  /** What was missed is not known yet. */
  #hasGap = true;
  /** How often a gap has begun. */
  #gaps = 0;
  #hasStandby = true;
  #schema = SCHEMA_VERSION;
  #isBeating = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#connection = new Connection(parts.address, {
      limits: parts.limits,
      onOpen: (client) => this.#listen(client),
      onLost: () => this.#beginGap(),
    });
    this.on(BEAT_CHANNEL, ([server, number]) => {
      if (server === parts.server) this.#came(Number(number));
    });
  }

  /** For how many milliseconds something may have been missed. */
  get ageMs(): number {
    return performance.now() - this.#heardAt;
  }

  /** Nothing was missed until a moment ago. */
  get isCurrent(): boolean {
    return !this.#hasGap && this.ageMs < BEAT_LIMITS.lateMs;
  }

  /** Whether a commit is answered only when a standby has it, too, as the last beat says. True before the first one. */
  get hasStandby(): boolean {
    return this.#hasStandby;
  }

  /** Whether the database has tables that this program knows, as the last beat says. True before the first one. */
  get knowsTables(): boolean {
    return isKnownSchema(this.#schema);
  }

  /** Calls with each notification of a channel. All channels are added before `begin`. */
  on(channel: string, hear: Hear): void {
    this.#hearers.set(channel, hear);
  }

  /** Is called, and waited for, after each time in which something may have been missed. */
  afterGap(find: FindMissed): void {
    this.#afterGap.push(find);
  }

  /** Calls each time it is current again, or still. */
  onCurrent(then: () => void): void {
    this.#onCurrent.push(then);
  }

  /** Calls when it was not current for so long that what is open may go on no longer. */
  onLate(then: () => void): void {
    this.#onLate.push(then);
  }

  /** Something was not heard in time. Nothing is served until all is compared on a new connection. */
  miss(): void {
    this.#beginGap();
    this.#connection.drop();
  }

  #beginGap(): void {
    this.#hasGap = true;
    this.#gaps += 1;
  }

  begin(): void {
    this.#timer = setInterval(() => this.#beat(), BEAT_LIMITS.everyMs);
    this.#timer.unref();
    this.#beat();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    clearTimeout(this.#late);
    this.#beginGap();
    await this.#connection.close();
  }

  async #listen(client: pg.Client): Promise<void> {
    this.#beginGap();
    const gap = this.#gaps;
    client.once('end', () => {
      if (gap === this.#gaps) this.#beginGap();
    });
    client.on('notification', ({ channel, payload = '' }) =>
      this.#hearers.get(channel)?.(payload.split(' ')),
    );
    for (const channel of this.#hearers.keys()) await client.query(`LISTEN ${channel}`);
    setImmediate(() => this.#findMissed(gap));
  }

  /** @param gap the one that ends when this is known */
  async #findMissed(gap: number): Promise<void> {
    try {
      await Promise.all(this.#afterGap.map((find) => find(this.#since)));
      if (gap === this.#gaps) this.#hasGap = false;
      if (this.isCurrent) this.#tellCurrent();
    } catch (error) {
      this.#parts.onError(error as Error);
      // The next connection tries again.
      if (gap === this.#gaps) this.#connection.drop();
    }
  }

  #came(number: number): void {
    const sentAt = this.#sent.get(number);
    if (sentAt === undefined) return;
    for (const old of this.#sent.keys()) if (old <= number) this.#sent.delete(old);
    this.#heardAt = Math.max(this.#heardAt, sentAt);
    if (this.isCurrent) this.#tellCurrent();
  }

  #tellCurrent(): void {
    clearTimeout(this.#late);
    this.#late = setTimeout(() => this.#tellLate(), BEAT_LIMITS.lateMs - this.ageMs).unref();
    for (const then of this.#onCurrent) then();
  }

  #tellLate(): void {
    for (const then of this.#onLate) then();
  }

  async #beat(): Promise<void> {
    if (this.#isBeating) return;
    this.#isBeating = true;
    if (this.ageMs > BEAT_LIMITS.deadMs) this.#connection.drop();
    const { server, clock } = this.#parts;
    const asked = performance.now();
    this.#number += 1;
    const number = this.#number;
    this.#sent.set(number, asked);
    try {
      const values = [`${server} ${number}`];
      const [row] = await this.#connection.run<BeatRow>(BEAT, values, asked + BEAT_LIMITS.deadMs);
      if (row === undefined) return;
      clock.hear(row.now, asked);
      this.#hasStandby = row.standby;
      this.#schema = row.schema;
      // While there is a gap, the changes before this beat are not all known. Before the first one nothing was heard.
      const isKnown = !this.#hasGap || this.#since === undefined;
      if (isKnown && !this.#sent.has(number)) this.#since = row.since;
    } catch {
      // The age says it.
    } finally {
      this.#isBeating = false;
    }
  }
}
