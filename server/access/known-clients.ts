import { LRUCache } from 'lru-cache';
import { changeFile, readDocuments, type Storage } from '../storage/storage.js';

/** Times are in milliseconds. */
const KNOWN_LIMITS = {
  /** How many pairs are known. Those that were used least recently go first. */
  pairs: 16_384,
  /** From how many sources one credential is known, so that it cannot take the place of all the others. */
  sourcesOfOne: 32,
  /** How long a change waits to be written. */
  writeMs: 2000,
  /** How many changes are written at the same time. */
  changesAtOnce: 256,
  /** How long the next write waits when the storage takes none. */
  retryMs: 60_000,
};

type KnownLimits = Readonly<typeof KNOWN_LIMITS>;

const FILE = 'known';

/**
 * Which credentials were right, and from which source: pairs of a source and the id of a token or a device. They outlive
 * a restart. A pair is written once, some time after it became known, and nothing waits for the write: when the disk is
 * full the pair is kept in memory, and the write is tried again.
 */
export class KnownClients {
  readonly #limits: KnownLimits;
  readonly #storage: Storage | undefined;
  readonly #onError: (error: Error) => void;
  readonly #pairs: LRUCache<string, Pair>;
  /** How many pairs each source has, and the sources of each credential, the one that was used least recently first. */
  readonly #bySource = new Map<string, number>();
  readonly #byId = new Map<string, Set<string>>();
  /** The pairs that are not stored as they are here. */
  readonly #changed = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isClosed = false;

  /** Without a storage the pairs are in memory only. @param onError called when they could not be written */
  constructor(
    limits: Partial<KnownLimits> = {},
    storage?: Storage,
    onError: (error: Error) => void = () => undefined,
  ) {
    this.#limits = { ...KNOWN_LIMITS, ...limits };
    this.#storage = storage;
    this.#onError = onError;
    this.#pairs = new LRUCache({
      max: this.#limits.pairs,
      dispose: (pair, key, why) => {
        if (why !== 'set') this.#removed(pair, key);
      },
    });
  }

  /** With the pairs that are stored. @throws StorageUnavailable */
  static async open(
    storage: Storage,
    onError: (error: Error) => void,
    limits?: Partial<KnownLimits>,
  ): Promise<KnownClients> {
    const known = new KnownClients(limits, storage, onError);
    storage.watch(FILE, ({ key, after }) => {
      if (after === undefined) known.#pairs.delete(key);
      else known.#keepStored(key);
      known.#changed.delete(key);
    });
    for (const key of (await readDocuments(storage, FILE)).keys()) known.#keepStored(key);
    return known;
  }

  /** Whether this credential was right from this source before. */
  has(source: string, id: string): boolean {
    return this.#pairs.get(keyOf(source, id)) !== undefined;
  }

  /** Whether any credential was right from this source before. */
  hasFrom(source: string): boolean {
    return this.#bySource.has(source);
  }

  /** The credential was right. @param id of a device or a token */
  add(source: string, id: string): void {
    const key = keyOf(source, id);
    const sources = this.#byId.get(id);
    if (this.#pairs.get(key) !== undefined) {
      sources?.delete(source);
      sources?.add(source);
      return;
    }
    const [oldest] = sources ?? [];
    if (oldest !== undefined && sources !== undefined && sources.size >= this.#limits.sourcesOfOne) {
      this.#pairs.delete(keyOf(oldest, id));
    }
    this.#keep(source, id, key);
    this.#change(key);
  }

  /** The token or the device is gone. This is written at once, because a kill must not leave its pairs. */
  forget(id: string): void {
    for (const source of [...(this.#byId.get(id) ?? [])]) this.#pairs.delete(keyOf(source, id));
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#changed.size > 0) this.#writeLater(0);
  }

  /** Writes what is left to write, and resolves when it is written, or cannot be. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#writing;
    while (this.#changed.size > 0 && (await this.#write()));
  }

  #keepStored(key: string): void {
    const [id = '', source = ''] = key.split(' ');
    if (this.#pairs.peek(key) === undefined) this.#keep(source, id, key);
  }

  #keep(source: string, id: string, key: string): void {
    this.#bySource.set(source, (this.#bySource.get(source) ?? 0) + 1);
    this.#byId.set(id, (this.#byId.get(id) ?? new Set()).add(source));
    this.#pairs.set(key, { source, id });
  }

  #removed({ source, id }: Pair, key: string): void {
    const left = (this.#bySource.get(source) ?? 0) - 1;
    if (left > 0) this.#bySource.set(source, left);
    else this.#bySource.delete(source);
    const sources = this.#byId.get(id);
    sources?.delete(source);
    if (sources?.size === 0) this.#byId.delete(id);
    this.#change(key);
  }

  #change(key: string): void {
    if (this.#storage === undefined) return;
    this.#changed.add(key);
    this.#writeLater(this.#limits.writeMs);
  }

  #writeLater(ms: number): void {
    if (this.#timer !== undefined || this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#writing = this.#writing.then(async () => {
        const isDone = await this.#write();
        if (this.#changed.size > 0) this.#writeLater(isDone ? this.#limits.writeMs : this.#limits.retryMs);
      });
    }, ms).unref();
  }

  /** Writes the changes that have waited longest. Returns whether the storage took them. */
  async #write(): Promise<boolean> {
    const storage = this.#storage as Storage;
    const keys = [...this.#changed].slice(0, this.#limits.changesAtOnce);
    for (const key of keys) this.#changed.delete(key);
    try {
      const writes = keys.map((key) => {
        const isKnown = this.#pairs.peek(key) !== undefined;
        return changeFile(storage, FILE, (latest, updatedAt) => {
          if (latest.has(key) === isKnown) return undefined;
          return { key, document: isKnown ? { version: 1, updatedAt, data: '{}' } : undefined };
        });
      });
      const failed = (await Promise.allSettled(writes)).find(({ status }) => status === 'rejected');
      if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
      return true;
    } catch (error) {
      for (const key of keys) this.#changed.add(key);
      this.#onError(error as Error);
      return false;
    }
  }
}

interface Pair {
  readonly source: string;
  readonly id: string;
}

/** Neither an address nor an id has a space. */
const keyOf = (source: string, id: string): string => `${id} ${source}`;
