import type pg from 'pg';
import type { DatabaseAddress } from '../../database-address.js';
import type { EngineClock } from './clock.js';
import { type CONNECTION_LIMITS, Connection } from './connection.js';
import { BEAT, BEAT_CHANNEL, CHANGED } from './statements.js';

/** Times are in milliseconds. */
export const BEAT_LIMITS = {
  /** How often a server sends a beat and hears it itself. */
  everyMs: 500,
  /** A beat that is so late means that the connection is dead, whatever the system says. It is made anew. */
  lateMs: 2000,
};

interface Parts {
  readonly address: DatabaseAddress;
  readonly limits?: Partial<typeof CONNECTION_LIMITS> | undefined;
  readonly server: string;
  readonly clock: EngineClock;
  /** Another server has written the file. */
  readonly onChange: (name: string, rev: number) => void;
  /** Notifications may be missing: everything of interest is to be compared. */
  readonly onGap: () => void;
}

/** Hears what other servers change. A beat of its own, which must come back, shows that nothing is missed. */
export class Listener {
  readonly #parts: Parts;
  readonly #connection: Connection;
  readonly #timer: NodeJS.Timeout;
  #beat = 0;
  #heard = 0;
  /** When the last beat that was heard was sent, by `performance.now()`. */
  #sentAt = performance.now();
  readonly #sent = new Map<number, number>();
  #isBeating = false;
  #isClosed = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#connection = new Connection(parts.address, {
      limits: parts.limits,
      onOpen: (client) => this.#listen(client),
    });
    this.#timer = setInterval(() => this.#next(), BEAT_LIMITS.everyMs);
    this.#timer.unref();
    this.#next();
  }

  /** For how many milliseconds something may have been missed: the age of the last beat that came back. */
  get ageMs(): number {
    return performance.now() - this.#sentAt;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#connection.close();
  }

  async #listen(client: pg.Client): Promise<void> {
    client.on('notification', ({ channel, payload = '' }) => this.#hear(channel, payload));
    await client.query(`LISTEN ${CHANGED}`);
    await client.query(`LISTEN ${BEAT_CHANNEL}`);
    setImmediate(() => this.#parts.onGap());
  }

  #hear(channel: string, payload: string): void {
    const [server, ...rest] = payload.split(' ');
    if (channel === BEAT_CHANNEL) {
      const number = Number(rest[0]);
      if (server !== this.#parts.server || number <= this.#heard) return;
      this.#heard = number;
      this.#sentAt = this.#sent.get(number) ?? this.#sentAt;
      for (const old of this.#sent.keys()) if (old <= number) this.#sent.delete(old);
    } else if (server !== this.#parts.server) {
      for (const entry of rest) {
        const [name = '', rev = ''] = entry.split(':');
        this.#parts.onChange(name, Number(rev));
      }
    }
  }

  async #next(): Promise<void> {
    if (this.#isBeating || this.#isClosed) return;
    this.#isBeating = true;
    if (this.ageMs > BEAT_LIMITS.lateMs) this.#connection.drop();
    const { server, clock } = this.#parts;
    const asked = performance.now();
    this.#beat += 1;
    this.#sent.set(this.#beat, asked);
    try {
      const until = asked + BEAT_LIMITS.lateMs;
      const rows = await this.#connection.run<{ now: number }>(BEAT, [`${server} ${this.#beat}`], until);
      const [row] = rows;
      if (row !== undefined) clock.hear(row.now, asked);
    } catch {
      // The age says it.
      this.#sent.delete(this.#beat);
    } finally {
      this.#isBeating = false;
    }
  }
}
