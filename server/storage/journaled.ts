import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Adapter, Low } from 'lowdb';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { makeDirectory } from './directory.js';
import { type Contents, documentFile, oneATurn } from './document-file.js';
import { History } from './history.js';
import { Journal } from './journal.js';
import { takeLock } from './lock.js';
import {
  begin,
  type Change,
  fail,
  newestOf,
  OpenFile,
  Past,
  type PastToSave,
  selectPast,
  succeed,
  type Task,
} from './open-file.js';
import { encodeRecord } from './record.js';
import { changesOf, type Keep, type Replayed, replay } from './replay.js';
import { type Disk, isDiskFull, journalCeiling, Reserve } from './reserve.js';
import { listSegments, type Segment } from './segment.js';
import {
  type PastRange,
  STORAGE_LIMITS,
  type Storage,
  type StorageLimits,
  StorageUnavailable,
  type StoredDocument,
  type Written,
} from './storage.js';
import { WriteBehind } from './write-behind.js';

export interface StorageSettings extends Partial<StorageLimits> {
  /** The data directory. */
  readonly data: string;
  readonly memoryBytes: number;
  /** How many past versions of each document are kept at least, as long as the bytes suffice. 0 keeps none. */
  readonly historyVersions: number;
  /** How many bytes the past versions of all documents of a file take at most. */
  readonly historyBytes: number;
  /** By default the file system of the data directory. */
  readonly disk?: Disk;
}

/** A storage that counts what it does. */
export interface DurableStorage extends Storage {
  readonly counters: {
    /** fdatasync calls of the journal since the start. */
    readonly syncs: number;
    /** Changes that they covered. */
    readonly changes: number;
    /** The length of the journal now. */
    readonly journalBytes: number;
    /** Past versions that were not kept because the disk was short, since the start. */
    readonly droppedVersions: number;
    /** Changes of a twin that were refused because the disk was short, since the start. */
    readonly refusals: number;
  };
  /** Whether little of the disk is free, and how many bytes of it the reserve holds. */
  readonly disk: { readonly isShort: boolean; readonly reserveBytes: number };
}

/**
 * Opens the storage of a directory: files of readable JSON, written behind a journal. It reads only the journal, so it
 * takes as long with 100,000 files as with none.
 * @param keepsPast which files keep the past versions of their documents
 * @throws DirectoryInUse, DamagedJournal, or what the file system throws
 */
export async function openStorage(
  given: StorageSettings,
  log: Logger,
  keepsPast: (file: string) => boolean,
): Promise<DurableStorage> {
  const directory = join(given.data, 'journal');
  await makeDirectory(directory);
  const limits = { ...STORAGE_LIMITS, ...given };
  const journalCeilingBytes = await journalCeiling(directory, limits.journalCeilingBytes, given.disk);
  const settings = { ...limits, journalCeilingBytes };
  const unlock = await takeLock(settings.data);
  try {
    const segments = await listSegments(directory);
    const keep: Keep = (file) => (keepsPast(file) ? settings.historyVersions : 0);
    const { files, seq, dropped } = await replay(segments, keep);
    if (dropped > 0) log.warn({ bytes: dropped }, 'dropped a torn change at the end of the journal');
    const storage = new JournaledStorage(settings, log, keepsPast, segments, files, seq, unlock);
    await storage.begin();
    return storage;
  } catch (error) {
    await unlock();
    throw error;
  }
}

const SHARE_IS_USED_UP = new Error('the disk is nearly full, and the twin has written its share');

class JournaledStorage implements DurableStorage {
  readonly #settings: StorageSettings & StorageLimits;
  readonly #log: Logger;
  readonly #keepsPast: (file: string) => boolean;
  readonly #history: History;
  readonly #reserve: Reserve;
  readonly #journal: Journal<Task>;
  readonly #writeBehind: WriteBehind;
  readonly #unlock: () => Promise<void>;
  /** Files that must stay in memory, because they have changes that are under way or not on disk. */
  readonly #pinned = new Map<string, OpenFile>();
  readonly #clean: LRUCache<string, OpenFile>;
  readonly #loading = new Map<string, Promise<OpenFile>>();
  readonly #replayed: Map<string, Replayed>;
  readonly #turn = oneATurn();
  #seq: number;
  /** The segment that took the last change. */
  #last: Segment | undefined;
  #isDiskShort = false;
  #changes = 0;
  #refusals = 0;
  #droppedVersions = 0;

  constructor(
    settings: StorageSettings & StorageLimits,
    log: Logger,
    keepsPast: (file: string) => boolean,
    segments: Segment[],
    replayed: Map<string, Replayed>,
    seq: number,
    unlock: () => Promise<void>,
  ) {
    this.#settings = settings;
    this.#log = log;
    this.#keepsPast = keepsPast;
    const limits = { versions: settings.historyVersions, bytes: settings.historyBytes };
    this.#history = new History(join(settings.data, 'history'), limits, (error) =>
      log.error({ err: error }, 'a part of the history cannot be read'),
    );
    this.#replayed = replayed;
    this.#seq = seq;
    this.#unlock = unlock;
    this.#clean = new LRUCache({ maxSize: settings.memoryBytes, sizeCalculation: (file) => file.bytes });
    this.#writeBehind = new WriteBehind(settings, {
      save: (name) => this.#save(name),
      saved: (name, segment) => this.#saved(name, segment),
      onError: (file, error) => {
        log.error({ file, err: error }, 'a file could not be written and stays in the journal');
        this.#reserve.hear(error);
        this.#journal.giveUp(error);
      },
    });
    this.#journal = new Journal(join(settings.data, 'journal'), segments, settings, {
      settle: (tasks, result) => this.#settle(tasks, result),
      onFull: () => this.#writeBehind.hurry(),
      onHealth: (error) => {
        if (error === undefined) log.info('storage takes writes again');
        else log.error({ err: error }, 'storage takes no writes');
        this.#reserve.hear(error);
      },
    });
    this.#reserve = new Reserve(settings.data, settings, (short) => {
      this.#isDiskShort = short;
      if (short) log.warn('the disk is nearly full: no history is kept, and a twin may write little');
      else log.info('the disk has room again');
      this.#writeBehind.hurry();
    });
  }

  async begin(): Promise<void> {
    // On a full disk the journal begins with what the reserve gives.
    await this.#reserve.begin();
    try {
      await this.#journal.begin();
    } catch (error) {
      await this.#reserve.close();
      throw error;
    }
    for (const [name, { segment }] of this.#replayed) this.#writeBehind.add(name, segment);
  }

  get counters(): DurableStorage['counters'] {
    const { syncs, bytes } = this.#journal;
    return {
      syncs,
      changes: this.#changes,
      journalBytes: bytes,
      droppedVersions: this.#droppedVersions,
      refusals: this.#refusals,
    };
  }

  get disk(): DurableStorage['disk'] {
    return { isShort: this.#isDiskShort, reserveBytes: this.#reserve.bytes };
  }

  get healthy(): boolean {
    return this.#journal.healthy;
  }

  peek(name: string): OpenFile | undefined {
    return this.#pinned.get(name) ?? this.#clean.get(name);
  }

  async open(name: string): Promise<OpenFile> {
    const file = this.peek(name);
    if (file !== undefined) return file;
    const loading = this.#loading.get(name) ?? this.#load(name);
    this.#loading.set(name, loading);
    return loading;
  }

  put(file: OpenFile, key: string, document: StoredDocument, written: Written): void {
    this.#change(file, { seq: ++this.#seq, key, document }, written);
  }

  remove(file: OpenFile, key: string | undefined, written: Written): void {
    this.#change(file, { seq: ++this.#seq, key, document: undefined }, written);
  }

  settled(file: OpenFile, then: () => void): void {
    if (file.underWay === 0) return then();
    const task = { file, change: undefined, done: then };
    begin(task);
    this.#journal.append('', task);
  }

  async past(file: OpenFile, key: string, range: PastRange): Promise<StoredDocument[]> {
    try {
      return await selectPast(this.#newestFirst(file, key, range), range);
    } catch (error) {
      this.#log.error({ file: file.name, err: error }, 'a history cannot be read');
      throw new StorageUnavailable(error);
    }
  }

  async *#newestFirst(file: OpenFile, key: string, range: PastRange): AsyncGenerator<StoredDocument> {
    const present = file.documents.get(key);
    if (present !== undefined) yield present;
    const recent = file.past?.recent(key);
    if (recent === undefined) return;
    yield* newestOf(recent.versions, range);
    if (!recent.whole) yield* this.#history.read(file.name, key, range);
  }

  async list(prefix: string): Promise<string[]> {
    const directory = prefix.slice(0, prefix.lastIndexOf('/'));
    const entries = await readdir(join(this.#settings.data, directory), { recursive: true }).catch(() => []);
    const onDisk = entries
      .filter((entry) => entry.endsWith('.json'))
      .map((entry) => `${directory}/${entry.slice(0, -'.json'.length)}`);
    const names = new Set([...onDisk, ...this.#pinned.keys(), ...this.#replayed.keys()]);
    return [...names].filter((name) => name.startsWith(prefix));
  }

  async close(): Promise<void> {
    await this.#journal.seal();
    await this.#writeBehind.drain(this.#settings.drainMs);
    await this.#journal.close();
    await this.#reserve.close();
    await this.#unlock();
  }

  #change(file: OpenFile, change: Change, written: Written): void {
    const record = encodeRecord(file.name, change);
    if (this.#isDiskShort && change.document !== undefined && !this.#admits(file, record))
      return this.settled(file, () => written(new StorageUnavailable(SHARE_IS_USED_UP)));
    this.#pin(file);
    const task = { file, change, done: written };
    begin(task);
    this.#journal.append(record, task);
  }

  /** Devices and tokens are not in twins, and are always written. */
  #admits({ name }: OpenFile, record: string): boolean {
    if (!this.#keepsPast(name) || this.#reserve.admits(name, record.length)) return true;
    this.#refusals += 1;
    return false;
  }

  #settle(tasks: readonly Task[], result: Segment | Error): void {
    if (result instanceof Error) {
      fail(tasks, result);
    } else {
      for (const { file, change } of tasks) {
        if (change === undefined) continue;
        this.#changes += 1;
        this.#writeBehind.add(file.name, result);
      }
      if (result !== this.#last) this.#reserve.look();
      this.#last = result;
      succeed(tasks);
    }
    for (const { file } of tasks) this.#unpin(file);
  }

  async #save(name: string): Promise<void> {
    const { seq, documents, past } = await this.open(name);
    const contents = { seq, documents: new Map(documents) };
    const toSave = past?.toSave();
    // The past is saved first, because the journal may go when the file is written.
    const dropped = toSave === undefined ? 0 : await this.#savePast(name, toSave);
    await new Low<Contents>(this.#fileOf(name), contents).write();
    this.#droppedVersions += dropped;
    if (toSave !== undefined) past?.saved(toSave);
  }

  /** When the disk is short, only what was removed is removed. @returns how many versions are not kept */
  async #savePast(name: string, past: PastToSave): Promise<number> {
    try {
      if (!this.#isDiskShort) {
        await this.#history.save(name, past);
        return 0;
      }
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      this.#reserve.hear(error);
    }
    const documents = past.documents.map((document) => ({ ...document, versions: [] }));
    await this.#history.save(name, { ...past, documents });
    return past.documents.reduce((sum, { versions }) => sum + versions.length, 0);
  }

  async #saved(name: string, segment: Segment): Promise<void> {
    const file = this.#pinned.get(name);
    if (file !== undefined) this.#unpin(file);
    await this.#journal.release(segment);
  }

  async #load(name: string): Promise<OpenFile> {
    try {
      const low = new Low<Contents>(this.#fileOf(name), { seq: 0, documents: new Map() });
      await low.read();
      const keep = this.#keepsPast(name) ? this.#settings.historyVersions : 0;
      const past = keep > 0 ? new Past(keep, this.#settings.historyBytes) : undefined;
      const file = new OpenFile(name, low.data.seq, low.data.documents, past);
      const replayed = this.#replayed.get(name);
      if (replayed !== undefined) for (const change of changesOf(replayed)) file.accept(change);
      file.forget();
      this.#seq = Math.max(this.#seq, file.seq);
      this.#pin(file);
      this.#replayed.delete(name);
      // The callers that wait for the file use it before it may be forgotten.
      setImmediate(() => this.#unpin(file));
      return file;
    } catch (error) {
      this.#log.error({ file: name, err: error }, 'a file cannot be read');
      throw new StorageUnavailable(error);
    } finally {
      this.#loading.delete(name);
    }
  }

  #pin(file: OpenFile): void {
    if (file.underWay > 0) return;
    this.#pinned.set(file.name, file);
    this.#clean.delete(file.name);
  }

  #unpin(file: OpenFile): void {
    if (file.underWay > 0 || this.#writeBehind.has(file.name)) return;
    if (this.#pinned.delete(file.name)) this.#clean.set(file.name, file);
  }

  #fileOf(name: string): Adapter<Contents> {
    return documentFile(join(this.#settings.data, `${name}.json`), this.#turn);
  }
}
