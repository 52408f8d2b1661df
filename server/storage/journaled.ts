import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { getHeapStatistics } from 'node:v8';
import { Low } from 'lowdb';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { begin, Calls, fail, succeed, type Task } from './calls.js';
import { makeDirectory } from './directory.js';
import { type Contents, documentFile, oneATurn } from './document-file.js';
import type { DurableStorage, StorageSettings } from './durable-storage.js';
import { History } from './history.js';
import { Journal } from './journal.js';
import { takeLock } from './lock.js';
import { memoryBudget } from './memory-budget.js';
import { newestOf, OpenFile, Past, type PastToSave, Room, selectPast } from './open-file.js';
import { prepareDirectory } from './prepare.js';
import { encodeRecord } from './record.js';
import { type Replay, replay } from './replay.js';
import { isDiskFull, journalCeiling, Reserve, SHARE_IS_USED_UP } from './reserve.js';
import { listSegments, type Segment } from './segment.js';
import {
  type Changed,
  type Edit,
  type PastRange,
  STORAGE_LIMITS,
  type Storage,
  type StorageLimits,
  StorageUnavailable,
  type StoredDocument,
  unshared,
} from './storage.js';
import { WriteBehind } from './write-behind.js';

/**
 * Opens the storage of a directory: files of readable JSON, written behind a journal. It reads only the journal, so it
 * takes as long with 100,000 files as with none.
 * @param keepsPast which files keep the past versions of their documents
 * @throws DirectoryInUse, DirectoryMoved, UnknownFormat, DamagedJournal, or what the file system throws
 */
export async function openStorage(
  given: StorageSettings,
  log: Logger,
  keepsPast: (file: string) => boolean,
): Promise<DurableStorage> {
  await makeDirectory(given.data);
  const unlock = await takeLock(given.data, given.onRestore);
  try {
    await prepareDirectory(given.data, log);
    const directory = join(given.data, 'journal');
    await makeDirectory(directory);
    const settings = { ...STORAGE_LIMITS, ...given };
    settings.journalCeilingBytes = await journalCeiling(directory, settings.journalCeilingBytes, given.disk);
    const segments = await listSegments(directory);
    const replayed = await replay([...segments]);
    const bytes = replayed.dropped;
    if (bytes > 0) log.warn({ bytes }, 'dropped a torn change at the end of the journal');
    const storage = new JournaledStorage(settings, log, keepsPast, segments, replayed, unlock);
    await storage.begin();
    return storage;
  } catch (error) {
    await unlock();
    throw error;
  }
}

class JournaledStorage implements DurableStorage {
  readonly #calls = new Calls({
    peek: (name) => this.#peek(name),
    open: (name) => this.#open(name),
    append: (file, edit, done) => this.#append(file, edit, done),
    now: () => this.now(),
  });
  readonly change: Storage['change'] = (name, decide, done) => this.#calls.change(name, decide, done);
  readonly read: Storage['read'] = (name, look, done) => this.#calls.read(name, look, done);
  readonly isWaiting: Storage['isWaiting'] = (name) => this.#calls.isWaiting(name);
  readonly isShared = unshared.isShared;
  readonly watch = unshared.watch;
  readonly watchAll = unshared.watchAll;
  readonly agree = unshared.agree;
  readonly isCurrent = unshared.isCurrent;
  readonly whenCurrent = unshared.whenCurrent;
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
  readonly #room: Room;
  readonly #loading = new Map<string, Promise<OpenFile>>();
  readonly #replayed: Replay;
  /** While a file is loaded, so many bytes of its past versions are in memory. */
  readonly #loadBytes: number;
  readonly #turn = oneATurn();
  readonly #fileOf = (name: string) => documentFile(join(this.#settings.data, `${name}.json`), this.#turn);
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
    replayed: Replay,
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
    this.#seq = replayed.seq;
    this.#unlock = unlock;
    const budget = memoryBudget(
      settings.memoryBytes,
      settings.heapLimit ?? getHeapStatistics().heap_size_limit,
    );
    this.#loadBytes = budget.changes / 8;
    this.#room = new Room(budget);
    this.#clean = new LRUCache({ maxSize: budget.documents, sizeCalculation: (file) => file.bytes });
    this.#writeBehind = new WriteBehind(settings, {
      save: (name) => this.#save(name),
      saved: (name, segment) => this.#saved(name, segment),
      onError: (file, error) => {
        log.error({ file, err: error }, 'a file could not be written and stays in the journal');
        this.#reserve.hear(error);
        this.#journal.giveUp(error);
        this.#room.refuse(error);
      },
    });
    const journalBatchLength = Math.min(settings.journalBatchLength, budget.batchLength);
    this.#journal = new Journal(
      join(settings.data, 'journal'),
      segments,
      { ...settings, journalBatchLength },
      {
        settle: (tasks, result) => this.#settle(tasks, result),
        onFull: () => this.#writeBehind.hurry(),
        onHealth: (error) => {
          if (error === undefined) log.info('storage takes writes again');
          else log.error({ err: error }, 'storage takes no writes');
          this.#reserve.hear(error);
        },
      },
    );
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
    for (const [name, { segment }] of this.#replayed.files) this.#writeBehind.add(name, segment);
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

  get now(): () => number {
    return this.#settings.now ?? Date.now;
  }

  #peek(name: string): OpenFile | undefined {
    const file = this.#inMemory(name);
    return file !== undefined && this.#room.has(file) ? file : undefined;
  }

  async #open(name: string): Promise<OpenFile> {
    const file = this.#inMemory(name) ?? (await this.#loaded(name));
    if (this.#room.has(file)) return file;
    this.#makeRoom(file);
    return this.#room.wait(file);
  }

  #inMemory(name: string): OpenFile | undefined {
    return this.#pinned.get(name) ?? this.#clean.get(name);
  }

  #loaded(name: string): Promise<OpenFile> {
    const loading = this.#loading.get(name) ?? this.#load(name);
    this.#loading.set(name, loading);
    return loading;
  }

  async past(name: string, key: string, range: PastRange): Promise<StoredDocument[]> {
    const file = this.#inMemory(name) ?? (await this.#loaded(name));
    try {
      return await selectPast(this.#newestFirst(file, key, range), range);
    } catch (error) {
      this.#log.error({ file: name, err: error }, 'a history cannot be read');
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
      .map((entry) => join(directory, entry.slice(0, -'.json'.length)));
    const names = new Set([...onDisk, ...this.#pinned.keys(), ...this.#replayed.files.keys()]);
    return [...names].filter((name) => name.startsWith(prefix));
  }

  async close(): Promise<void> {
    await this.#journal.seal();
    await this.#writeBehind.drain(this.#settings.drainMs);
    this.#room.refuse(new Error('the storage is closed'));
    await this.#journal.close();
    await this.#reserve.close();
    await this.#unlock();
  }

  #append(file: OpenFile, edit: Edit | undefined, done: Changed): void {
    if (edit === undefined) return this.#journal.append('', begin(file, undefined, done));
    const change = { seq: ++this.#seq, key: edit.key, document: edit.document };
    const record = encodeRecord(file.name, change);
    if (this.#isDiskShort && edit.document !== undefined && !this.#admits(file, record)) {
      const refusal = new StorageUnavailable(SHARE_IS_USED_UP);
      return file.underWay === 0 ? done(refusal) : this.#append(file, undefined, () => done(refusal));
    }
    this.#pin(file);
    const task = begin(file, change, done);
    this.#room.count(file);
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
    for (const { file } of tasks) {
      this.#room.count(file);
      this.#makeRoom(file);
      this.#unpin(file);
    }
    this.#room.relieve();
  }

  async #save(name: string): Promise<void> {
    const { seq, documents, past } = this.#inMemory(name) ?? (await this.#loaded(name));
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
    if (file !== undefined) {
      this.#room.count(file);
      this.#room.pin(file);
      this.#makeRoom(file);
      this.#unpin(file);
    }
    this.#room.relieve();
    await this.#journal.release(segment);
  }

  async #load(name: string): Promise<OpenFile> {
    try {
      const low = new Low<Contents>(this.#fileOf(name), { seq: 0, documents: new Map() });
      await low.read();
      const keep = this.#keepsPast(name) ? this.#settings.historyVersions : 0;
      const past = keep > 0 ? new Past(keep, this.#settings.historyBytes) : undefined;
      const file = new OpenFile(name, low.data.seq, low.data.documents, past);
      for await (const change of this.#replayed.changesOf(name, file.seq)) {
        file.accept(change);
        if (past === undefined || past.bytes < this.#loadBytes) continue;
        const toSave = past.toSave();
        this.#droppedVersions += await this.#savePast(name, toSave);
        past.saved(toSave);
      }
      file.forget();
      this.#seq = Math.max(this.#seq, file.seq);
      this.#pin(file);
      this.#replayed.forget(name);
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

  /** Writes early what takes much memory, so that few changes wait. */
  #makeRoom(file: OpenFile): void {
    if (this.#room.isShortFor(file)) this.#writeBehind.hasten(file.name);
    if (this.#room.isShort) this.#writeBehind.hastenOldest();
  }

  #pin(file: OpenFile): void {
    if (file.underWay > 0) return;
    if (this.#pinned.has(file.name)) return;
    this.#pinned.set(file.name, file);
    this.#clean.delete(file.name);
    this.#room.count(file);
    this.#room.pin(file);
    this.#dropUnused();
  }

  #unpin(file: OpenFile): void {
    if (file.underWay > 0 || this.#writeBehind.has(file.name)) return;
    if (!this.#pinned.delete(file.name)) return;
    this.#room.unpin(file);
    this.#clean.set(file.name, file);
  }

  /** Files in use and files that must stay share the memory. */
  #dropUnused(): void {
    const { maxSize } = this.#clean;
    while (this.#clean.size > 0 && this.#room.documents + this.#clean.calculatedSize > maxSize)
      this.#clean.pop();
  }
}
