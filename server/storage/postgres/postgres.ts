import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { DatabaseAddress } from '../../database-address.js';
import { newestOf, selectPast } from '../open-file.js';
import {
  type Changed,
  type Decide,
  type Documents,
  type ForeignChange,
  type PastRange,
  readDocuments,
  type Storage,
  StorageUnavailable,
  type StoredDocument,
} from '../storage.js';
import { Agreement } from './agreement.js';
import { EngineClock } from './clock.js';
import { type CONNECTION_LIMITS, Connection } from './connection.js';
import { Files } from './files.js';
import { type Call, changeCall, type FileRules, type Plan, readCall, type Version } from './group.js';
import { Listener } from './listener.js';
import { refuseMoving } from './moving.js';
import { Reads } from './reads.js';
import { DatabaseUnusable, prepareDatabase } from './schema.js';
import {
  CHANGED,
  type DocumentRow,
  documentIn,
  LIST,
  LIST_SINCE,
  NOW,
  PAST,
  PROVE,
  TRIM,
} from './statements.js';
import { type HistoryBounds, isTrimDue } from './trim.js';
import { Writes } from './writes.js';

/** Times are in milliseconds. */
export const POSTGRES_LIMITS = {
  /** How long a call may take. */
  callMs: 2000,
  /** How many past versions are read at a time. */
  pastRows: 256,
};

export interface PostgresSettings extends HistoryBounds {
  readonly database: DatabaseAddress;
  readonly memoryBytes: number;
  /** `strict`: a read is answered only by a primary that still gets a write through to its standby. */
  readonly reads?: 'fast' | 'strict';
  /** Only tests change them. */
  readonly connection?: Partial<typeof CONNECTION_LIMITS>;
}

/**
 * Opens the storage of a database, which several servers may share. It makes the tables, or migrates them.
 * @param beforeListening adds what else is to be heard
 * @throws DatabaseUnusable
 */
export async function openPostgres(
  settings: PostgresSettings,
  log: Logger,
  rules: FileRules,
  beforeListening: (storage: PostgresStorage) => void = () => undefined,
): Promise<PostgresStorage> {
  const address = settings.database;
  const onOpen = async (client: pg.Client) => {
    await prepareDatabase(client);
    await refuseMoving(client);
  };
  const first = new Connection(address, { limits: settings.connection, onOpen });
  const storage = new PostgresStorage(settings, log, rules);
  try {
    await first.connect(performance.now() + POSTGRES_LIMITS.callMs);
    beforeListening(storage);
    await storage.begin();
    return storage;
  } catch (error) {
    await storage.close();
    const { message } = ((error as Error).cause ?? error) as Error;
    throw new DatabaseUnusable(`the database ${address.shown} cannot be used: ${message}`);
  } finally {
    await first.close();
  }
}

export class PostgresStorage implements Storage {
  /** The name of this server in notifications. */
  readonly server = randomUUID();
  readonly isShared = true;
  readonly #settings: PostgresSettings;
  readonly #rules: FileRules;
  readonly #log: Logger;
  readonly #clock = new EngineClock();
  readonly #files: Files;
  readonly #writing: Connection;
  readonly #reading: Connection;
  /** For what is rare: lists, histories, their trimming. */
  readonly #rare: Connection;
  readonly #writes: Writes;
  readonly #reads: Reads;
  /** What the servers ask each other. */
  readonly agreement: Agreement;
  /** What other servers say. */
  readonly listener: Listener;
  /** The last read of each file that is under way. A later change is answered after it. */
  readonly #readsOf = new Map<string, Promise<void>>();
  /** Of each file that was heard of while a change of it was on its way: reads it after that. */
  readonly #heard = new Map<string, { readonly told: Promise<void>; readonly begin: () => void }>();
  /** Calls that wait until the other servers are heard again. */
  #waiting: { readonly enter: () => void; readonly refuse: (error: Error) => void }[] = [];
  readonly #isStrict: boolean;
  #isClosed = false;

  constructor(settings: PostgresSettings, log: Logger, rules: FileRules) {
    const address = settings.database;
    this.#settings = settings;
    this.#isStrict = settings.reads === 'strict';
    this.#log = log;
    const keepsPast = (file: string) => settings.historyVersions > 0 && rules.keepsPast(file);
    this.#rules = { ...rules, keepsPast };
    this.#files = new Files(settings.memoryBytes);
    const limits = settings.connection;
    this.#writing = new Connection(address, { limits });
    this.#reading = new Connection(address, { limits });
    this.#rare = new Connection(address, { limits });
    this.#reads = new Reads(this.#reading, (name) => this.#files.get(name), this.#isStrict);
    this.#writes = new Writes({
      connection: this.#writing,
      files: this.#files,
      rules: this.#rules,
      server: this.server,
      load: (name, until) => this.#reads.read(name, until),
      isCurrent: () => this.isCurrent,
      whenCurrent: (until) => this.#current(until),
      timeFor: (version) => this.#timeFor(version),
      onWritten: (name, versions) => this.#written(name, versions),
      onDoubt: (name) => this.#refreshSoon(name),
      onIdle: (name) => {
        this.#heard.get(name)?.begin();
        this.#heard.delete(name);
      },
      onHealth(error) {
        if (error === undefined) log.info('storage takes writes again');
        else log.error({ err: error }, 'storage takes no writes');
      },
    });
    this.listener = new Listener({
      address,
      limits,
      server: this.server,
      clock: this.#clock,
      onError: (error) => this.#failed(error),
    });
    this.listener.on(CHANGED, ([server, ...files]) => {
      if (server !== this.server) this.#hear(files);
    });
    this.listener.afterGap((since) => this.#compare(since));
    this.listener.onCurrent(() => this.#admitWaiting());
    this.agreement = new Agreement(
      this.#rare,
      this.listener,
      this.server,
      (file) => this.#refresh(file),
      (error) => this.#failed(error),
    );
  }

  /** Resolves when the database has said the time and is heard. */
  async begin(): Promise<void> {
    const asked = performance.now();
    const [row] = await this.#reading.run<{ now: number }>(NOW, [], this.#until());
    if (row !== undefined) this.#clock.hear(row.now, asked);
    this.listener.begin();
  }

  get healthy(): boolean {
    return !this.#isClosed && this.#writes.healthy;
  }

  get counters(): Writes['counters'] {
    return this.#writes.counters;
  }

  /** For how many milliseconds changes of other servers may have been missed. */
  get heardMs(): number {
    return this.listener.ageMs;
  }

  now(): number {
    return this.#clock.now();
  }

  get isCurrent(): boolean {
    return this.listener.isCurrent;
  }

  whenCurrent(): Promise<void> {
    return this.#current(this.#until());
  }

  #current(until: number): Promise<void> {
    return new Promise((enter, refuse) => this.#admit(until, refuse, enter));
  }

  change(file: string, decide: Decide, done: Changed): void {
    const until = this.#until();
    this.#admit(until, done, () => {
      const reading = this.#readsOf.get(file);
      const answer: Changed = reading === undefined ? done : (...given) => reading.then(() => done(...given));
      this.#writes.add(changeCall(file, decide, answer, until));
    });
  }

  read<T>(
    file: string,
    look: (documents: Documents) => T,
    done: (error: Error | null, value?: T) => void,
  ): void {
    const call = readCall(file, look, done, this.#until());
    this.#admit(call.until, done, () => {
      if (this.#writes.isPending(file)) this.#writes.add(call);
      else this.#read(call);
    });
  }

  #read(call: Call): void {
    const { file } = call;
    const reading = this.#reads.read(file, call.until).then(
      (version) => {
        if (!this.#writes.isPending(file)) this.#files.found(file, version, false);
        call.attempt(version.documents, '').answer();
      },
      (error) => call.refuse(error),
    );
    const ended = reading.finally(() => {
      if (this.#readsOf.get(file) === ended) this.#readsOf.delete(file);
    });
    this.#readsOf.set(file, ended);
  }

  /**
   * Lets a call go on. A server that may have missed what others did serves nothing until it knows: a token may be revoked,
   * or a device be connected elsewhere.
   */
  #admit(until: number, refuse: (error: Error) => void, enter: () => void): void {
    if (this.#isClosed) return refuse(new StorageUnavailable('the storage is closed'));
    if (this.listener.isCurrent && this.#waiting.length === 0) return enter();
    const waiter = { enter, refuse };
    this.#waiting.push(waiter);
    setTimeout(() => {
      const at = this.#waiting.indexOf(waiter);
      if (at === -1) return;
      this.#waiting.splice(at, 1);
      refuse(new StorageUnavailable('nothing is heard of the other servers'));
    }, until - performance.now()).unref();
  }

  #admitWaiting(): void {
    for (const { enter } of this.#waiting.splice(0)) enter();
  }

  async past(file: string, key: string, range: PastRange): Promise<StoredDocument[]> {
    return selectPast(this.#newestFirst(file, key, range), range);
  }

  async list(prefix: string): Promise<string[]> {
    const rows = await this.#runRare<{ name: string }>(LIST, [prefix]);
    return rows.map(({ name }) => name);
  }

  watch(file: string, watcher: (change: ForeignChange) => void): () => void {
    const end = this.#files.watch(file, watcher);
    if (this.#files.get(file) === undefined) this.#refreshSoon(file);
    return end;
  }

  watchAll(prefix: string, watcher: (change: ForeignChange) => void): () => void {
    return this.#files.watchAll(prefix, watcher);
  }

  agree(file: string): Promise<void> {
    return this.agreement.ask(file);
  }

  /** Calls on a file may take the connection's time, never the memory of this server. */
  isWaiting(): boolean {
    return false;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#writes.drain();
    await Promise.all(this.#readsOf.values());
    await this.listener.close();
    await Promise.all([this.#writing.close(), this.#reading.close(), this.#rare.close()]);
  }

  async *#newestFirst(file: string, key: string, range: PastRange): AsyncGenerator<StoredDocument> {
    if (!this.#rules.keepsPast(file)) {
      const present = (await readDocuments(this, file)).get(key);
      yield* newestOf(present === undefined ? [] : [present], range);
      return;
    }
    const { pastRows } = POSTGRES_LIMITS;
    const { before = Number.MAX_SAFE_INTEGER, since = '-infinity', limit } = range;
    for (let below = before; ; ) {
      const values = [file, key, below, since, Math.min(limit, pastRows)];
      const rows = await this.#runRare<DocumentRow>(PAST, values);
      for (const row of rows) yield documentIn({ ...row, born_at: null, born_tag: null });
      const last = rows.at(-1);
      if (last === undefined || rows.length < pastRows) return;
      below = last.version;
    }
  }

  /** Not before the newest document of the file, also when another database with another clock has taken over. */
  #timeFor({ documents }: Version): string {
    let time = new Date(this.#clock.now()).toISOString();
    for (const { updatedAt } of documents.values()) if (updatedAt > time) time = updatedAt;
    return time;
  }

  #until(): number {
    return performance.now() + POSTGRES_LIMITS.callMs;
  }

  /** @param files each as `name:rev` */
  #hear(files: readonly string[]): void {
    for (const file of files) {
      const [name = '', rev = ''] = file.split(':');
      if (this.#files.isOfInterest(name) && (this.#files.get(name)?.rev ?? 0) <= Number(rev))
        this.#refreshSoon(name);
    }
  }

  /** Reads a file that has changed, for its watchers. Resolves when they have heard. */
  async #refresh(name: string): Promise<void> {
    if (this.#writes.isSent(name)) return this.#refreshWhenIdle(name);
    const version = await this.#reads.read(name, this.#until());
    if (this.#writes.isSent(name)) return this.#refreshWhenIdle(name);
    this.#files.found(name, version, true);
  }

  #refreshWhenIdle(name: string): Promise<void> {
    const heard = this.#heard.get(name);
    if (heard !== undefined) return heard.told;
    let begin = (): void => undefined;
    const idle = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const told = idle.then(() => this.#refresh(name));
    this.#heard.set(name, { told, begin });
    return told;
  }

  #refreshSoon(name: string): void {
    if (!this.#isClosed) this.#refresh(name).catch((error) => this.#failed(error));
  }

  /**
   * Compares every file of interest with the database, because something may have been missed. Of the files with a prefix
   * those are of interest that were changed since.
   */
  async #compare(since: string | undefined): Promise<void> {
    const names = new Set(this.#files.watched);
    for (const prefix of since === undefined ? [] : this.#files.prefixes) {
      for (const { name } of await this.#runRare<{ name: string }>(LIST_SINCE, [prefix, since]))
        names.add(name);
    }
    await Promise.all([...names].map((name) => this.#refresh(name)));
  }

  #written(name: string, versions: Plan['puts']): void {
    if (!this.#rules.keepsPast(name)) return;
    if (!versions.some(([, version]) => isTrimDue(version, this.#settings))) return;
    const { historyVersions, historyBytes } = this.#settings;
    this.#runRare(TRIM, [name, historyVersions, historyBytes]).catch((error) => this.#failed(error));
  }

  async #runRare<Row>(
    ...[statement, values]: [Parameters<Connection['run']>[0], readonly unknown[]]
  ): Promise<Row[]> {
    try {
      const rows = await this.#rare.run<Row>(statement, values, this.#until());
      if (this.#isStrict) await this.#rare.run(PROVE, [], this.#until());
      return rows;
    } catch (error) {
      throw new StorageUnavailable(error);
    }
  }

  #failed(error: Error): void {
    if (!this.#isClosed) this.#log.warn({ err: error }, 'the database could not be asked');
  }
}
