import { changeFile, readDocuments, type Storage, type StoredDocument } from '../storage/storage.js';

/** The times are written at most once in this time, in milliseconds. After a crash they may be wrong by so much. */
const WRITE_EVERY_MS = 600_000;

const FILE = 'seen';
const KEY = 'tokens';

/**
 * When each token was used last. The times are in memory, where a request costs no write, and all of them are one document,
 * which is written now and then and at the end.
 */
export class LastSeen {
  readonly #storage: Storage;
  readonly #onError: (error: Error) => void;
  readonly #writeEveryMs: number;
  /** By token id, in milliseconds since 1970. */
  readonly #times: Map<string, number>;
  /** Tokens that are gone. */
  readonly #forgotten = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(
    storage: Storage,
    times: Map<string, number>,
    onError: (error: Error) => void,
    writeEveryMs: number,
  ) {
    this.#storage = storage;
    this.#times = times;
    this.#onError = onError;
    this.#writeEveryMs = writeEveryMs;
  }

  /** @param onError called when the times could not be written @throws StorageUnavailable */
  static async open(
    storage: Storage,
    onError: (error: Error) => void,
    writeEveryMs = WRITE_EVERY_MS,
  ): Promise<LastSeen> {
    const kept = timesIn((await readDocuments(storage, FILE)).get(KEY));
    const seen = new LastSeen(storage, new Map(Object.entries(kept)), onError, writeEveryMs);
    storage.watch(FILE, ({ after }) => seen.#merge(after));
    return seen;
  }

  /** The token is used now. */
  note(tokenId: string): void {
    this.#times.set(tokenId, this.#storage.now());
    this.#writeLater();
  }

  /** RFC 3339, or null for a token that was not used since the times are kept. */
  of(tokenId: string): string | null {
    const at = this.#times.get(tokenId);
    return at === undefined ? null : new Date(at).toISOString();
  }

  /** The token is gone. */
  forget(tokenId: string): void {
    this.#forgotten.add(tokenId);
    if (this.#times.delete(tokenId)) this.#writeLater();
  }

  /** Writes what is left to write. */
  async close(): Promise<void> {
    await this.#writing;
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    await this.#write();
  }

  /** Other servers have seen tokens too. */
  #merge(document: StoredDocument | undefined): void {
    for (const [id, at] of Object.entries(timesIn(document))) {
      if (!this.#forgotten.has(id) && at > (this.#times.get(id) ?? 0)) this.#times.set(id, at);
    }
  }

  #writeLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#writing = this.#write();
    }, this.#writeEveryMs).unref();
  }

  async #write(): Promise<void> {
    try {
      await changeFile(this.#storage, FILE, (latest, updatedAt) => {
        const present = latest.get(KEY);
        this.#merge(present);
        const data = JSON.stringify(Object.fromEntries(this.#times));
        return { key: KEY, document: { version: (present?.version ?? 0) + 1, updatedAt, data } };
      });
    } catch (error) {
      this.#onError(error as Error);
    }
  }
}

const timesIn = (document: StoredDocument | undefined): Record<string, number> =>
  JSON.parse(document?.data ?? '{}');
