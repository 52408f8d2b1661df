import { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { DatabaseAddress, Host } from '../../database-address.js';
import { DatabaseUnusable } from './schema.js';

/** Times are in milliseconds. */
export const CONNECTION_LIMITS = {
  /** How long a host may take until it can be asked. */
  connectMs: 1500,
  /** How long an answer may take. A socket that is silent for longer is given up: its other end may be gone. */
  answerMs: 1500,
  /** The pause between two attempts to connect. */
  retryMs: 100,
};

export interface Statement {
  /** It is prepared under this name. */
  readonly name: string;
  readonly text: string;
}

/** The statement did not reach a database that takes writes. */
export class NotSent extends Error {
  override name = 'NotSent';
}

/** The statement was sent, and its answer is lost. It may have been carried out, or may yet be. */
export class AnswerLost extends Error {
  override name = 'AnswerLost';
}

/** The host is a standby, or takes no writes for another reason. */
class ReadOnly extends Error {
  override name = 'ReadOnly';
}

type Query = { rows: object[] };

interface Open {
  readonly client: pg.Client;
  readonly socket: Socket;
  /** The database has said that it did not wait for its standby. */
  isAlone: boolean;
  isOver: boolean;
}

/**
 * A commit that did not wait for the standby succeeds with a notice of this routine of PostgreSQL. It may be lost with the
 * primary. The text of the notice is in the language of the database.
 */
const NOT_REPLICATED = 'SyncRepWaitForLSN';

const WRITABLE = {
  name: 'writable',
  text: "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS read_only",
};

/** SQLSTATE of a write on a standby. */
const READ_ONLY = '25006';

/** SQLSTATE classes after which the connection ends, so that the outcome of a commit is open. */
const ENDS_CONNECTION = /^(57P|08)/;

/**
 * One connection to whichever host takes writes. It is made when it is needed, and again when it was lost. Statements are
 * carried out one after the other.
 */
export class Connection {
  readonly #address: DatabaseAddress;
  readonly #limits: typeof CONNECTION_LIMITS;
  readonly #onOpen: ((client: pg.Client) => Promise<void>) | undefined;
  readonly #onLost: (() => void) | undefined;
  #open: Open | undefined;
  #opening: Promise<Open> | undefined;
  /** Why the last attempt to connect failed. */
  #fault: Error | undefined;
  #isClosed = false;

  constructor(
    address: DatabaseAddress,
    {
      limits,
      onOpen,
      onLost,
    }: {
      readonly limits?: Partial<typeof CONNECTION_LIMITS> | undefined;
      /** Is waited for before the first statement of each new connection. */
      readonly onOpen?: (client: pg.Client) => Promise<void>;
      readonly onLost?: () => void;
    } = {},
  ) {
    this.#address = address;
    this.#limits = { ...CONNECTION_LIMITS, ...limits };
    this.#onOpen = onOpen;
    this.#onLost = onLost;
  }

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /**
   * Carries a statement out.
   * @param until when it must have been sent, by `performance.now()`
   * @throws NotSent, AnswerLost, and DatabaseError of `pg` when the database refuses it, which changes nothing
   */
  async run<Row>({ name, text }: Statement, values: readonly unknown[], until: number): Promise<Row[]> {
    const open = await this.#connected(until);
    const limit = setTimeout(() => this.#drop(open), this.#limits.answerMs);
    open.isAlone = false;
    try {
      const { rows } = (await open.client.query({ name, text, values: [...values] })) as Query;
      if (open.isAlone) throw new AnswerLost('the commit did not wait for a standby');
      return rows as Row[];
    } catch (error) {
      if (isRefusal(error) && error.code !== READ_ONLY) throw error;
      this.#drop(open);
      // The host was deposed, and another one takes writes.
      if (isRefusal(error)) return await this.run<Row>({ name, text }, values, until);
      throw error instanceof AnswerLost ? error : new AnswerLost((error as Error).message);
    } finally {
      clearTimeout(limit);
    }
  }

  /** The connection as it is now, or a new one. @throws NotSent */
  async connect(until: number): Promise<void> {
    await this.#connected(until);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const open = this.#open;
    this.#open = undefined;
    if (open !== undefined) await open.client.end().catch(() => undefined);
  }

  /** Gives the connection up, as when its other end is silent. */
  drop(): void {
    if (this.#open !== undefined) this.#drop(this.#open);
  }

  async #connected(until: number): Promise<Open> {
    for (;;) {
      if (this.#isClosed) throw new NotSent('the storage is closed');
      if (this.#open !== undefined) return this.#open;
      this.#opening ??= this.#connect().finally(() => {
        this.#opening = undefined;
      });
      try {
        return await withinTime(this.#opening, until);
      } catch (error) {
        const left = until - performance.now() - this.#limits.retryMs;
        const fault = this.#fault ?? (error as Error);
        if (left <= 0 || this.#isClosed) throw new NotSent(fault.message, { cause: fault });
        await delay(this.#limits.retryMs);
      }
    }
  }

  /** Asks all hosts at the same time, because one that is cut off takes long to say nothing. */
  async #connect(): Promise<Open> {
    const attempts = this.#address.hosts.map((host) => this.#try(host));
    try {
      const first = await Promise.any(attempts);
      for (const attempt of attempts)
        attempt.then(
          (other) => leave(other, first),
          () => undefined,
        );
      if (this.#isClosed) {
        await first.client.end();
        throw new NotSent('the storage is closed');
      }
      // It may have ended before this is known here.
      if (first.isOver) throw new NotSent('the host has ended the connection');
      this.#open = first;
      this.#fault = undefined;
      return first;
    } catch (error) {
      this.#fault = error instanceof AggregateError ? mostTelling(error.errors) : (error as Error);
      throw this.#fault;
    }
  }

  async #try({ host, port }: Host): Promise<Open> {
    const { user, password, database, tls } = this.#address;
    const socket = new Socket();
    const client = new pg.Client({
      ...{ host, port, user, password, database, ssl: tls },
      application_name: 'alarm-twin',
      connectionTimeoutMillis: this.#limits.connectMs,
      keepAlive: true,
      stream: () => socket,
      options: '-c synchronous_commit=on -c client_min_messages=warning',
    });
    const open: Open = { client, socket, isAlone: false, isOver: false };
    client.on('error', () => this.#drop(open));
    client.on('end', () => this.#drop(open));
    client.on('notice', ({ routine }) => {
      if (routine === NOT_REPLICATED) open.isAlone = true;
    });
    const limit = setTimeout(() => socket.destroy(), this.#limits.connectMs);
    try {
      await client.connect();
      const { rows } = await client.query<{ read_only: boolean }>(WRITABLE);
      if (rows[0]?.read_only !== false) throw new ReadOnly(`${host}:${port} takes no writes`);
      await this.#onOpen?.(client);
      return open;
    } catch (error) {
      open.isOver = true;
      socket.destroy();
      throw error;
    } finally {
      clearTimeout(limit);
    }
  }

  #drop(open: Open): void {
    if (open.isOver) return;
    open.isOver = true;
    open.socket.destroy();
    if (this.#open !== open) return;
    this.#open = undefined;
    if (!this.#isClosed) this.#onLost?.();
  }
}

/** The database has refused a statement, and has changed nothing. */
const isRefusal = (error: unknown): error is pg.DatabaseError =>
  error instanceof pg.DatabaseError && !ENDS_CONNECTION.test(error.code ?? '');

/** Only one host takes writes, unless one was deposed and does not know it. */
async function leave(other: Open, first: Open): Promise<void> {
  if (other !== first) await other.client.end().catch(() => undefined);
}

/** What a host says is worth more than that another is not there. */
const mostTelling = (errors: readonly Error[]): Error =>
  errors.find((error) => error instanceof DatabaseUnusable) ??
  errors.find((error) => error instanceof pg.DatabaseError) ??
  errors.find((error) => error instanceof ReadOnly) ??
  (errors[0] as Error);

/** Rejects when the time is over. What it waits for goes on. */
function withinTime<T>(promise: Promise<T>, until: number): Promise<T> {
  return new Promise((done, failed) => {
    const timer = setTimeout(
      () => failed(new NotSent('the database does not answer')),
      Math.max(0, until - performance.now()),
    );
    promise.then(done, failed).finally(() => clearTimeout(timer));
  });
}
