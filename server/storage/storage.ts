/**
 * Where documents live. A file holds documents by key and is the unit that is read and kept in memory: a twin, a shard
 * of the device registry, the tokens. Two implementations pass one contract suite: memory, and journal with lowdb.
 */

/** What every version of a document has in common, and no later document of the same name has. */
export interface Birth {
  /** RFC 3339, when version 1 was written. */
  readonly createdAt: string;
  /** Hexadecimal digits. The clock may show one time twice; a tag does not come back. */
  readonly tag: string;
}

/** One document as stored: `data` is compact JSON, `updatedAt` is RFC 3339. Never changed once made. */
export interface StoredDocument {
  readonly version: number;
  /** Absent in what is no twin's document, and in what a server before version 0.2 wrote. */
  readonly born?: Birth;
  readonly updatedAt: string;
  readonly data: string;
}

/** Which past versions are asked for. */
export interface PastRange {
  /** Only versions written at this time or later, RFC 3339 in UTC with milliseconds. */
  readonly since?: string;
  /** Only versions below this one: with the last of one answer, the next goes on where it ended. */
  readonly before?: number;
  /** So many at most. */
  readonly limit: number;
  /** So many UTF-16 units of `data` at most, roughly their bytes; one version is given however long it is. */
  readonly bytes: number;
}

export type Documents = ReadonlyMap<string, StoredDocument>;

export interface StoredFile {
  /** What is on stable storage. Changes only when a write has succeeded. */
  readonly documents: Documents;
  /** What will be on stable storage when every write under way succeeds: what the next write must build upon. */
  readonly latest: Documents;
}

/** The change is on stable storage, or (with an error) nothing was changed. */
export type Written = (error: StorageUnavailable | null) => void;

/** Storage cannot take the write or give the file; nothing was changed. `cause` says why and is never shown to a client. */
export class StorageUnavailable extends Error {
  override name = 'StorageUnavailable';
  constructor(cause: unknown) {
    super('storage unavailable', { cause });
  }
}

/** File names are `[a-z0-9/-]+`, made from ids and constants only, never from anything a client chose. */
export interface Storage {
  /** The file, if it is in memory. Valid until the caller yields to the event loop, then ask again. */
  peek(file: string): StoredFile | undefined;
  /** The file, read once however many ask; one that does not exist is empty. @throws StorageUnavailable */
  open(file: string): Promise<StoredFile>;
  /** Puts a document into a file that this turn has got. Calls back in the order in which the file was asked. */
  put(file: StoredFile, key: string, document: StoredDocument, written: Written): void;
  /** Removes one document of such a file, or all of them when no key is given; atomic. */
  remove(file: StoredFile, key: string | undefined, written: Written): void;
  /** Calls back when all that was asked of such a file before is done: at once when nothing is. */
  settled(file: StoredFile, then: () => void): void;
  /**
   * The versions of a document that such a file has, newest first and with the present one, of a file that keeps its
   * past; of another file only the present one. @throws StorageUnavailable
   */
  past(file: StoredFile, key: string, range: PastRange): Promise<StoredDocument[]>;
  /** The names of all files that begin so, from memory and disk, in no order. */
  list(prefix: string): Promise<string[]>;
  /** Whether the last write succeeded. */
  readonly healthy: boolean;
  /** Takes no new work, finishes what is under way and leaves everything on stable storage. */
  close(): Promise<void>;
}

/** @throws StorageUnavailable */
export const putDocument = (
  storage: Storage,
  file: StoredFile,
  key: string,
  document: StoredDocument,
): Promise<void> =>
  new Promise((done, failed) => {
    storage.put(file, key, document, (error) => (error === null ? done() : failed(error)));
  });

/** @throws StorageUnavailable */
export const removeDocument = (storage: Storage, file: StoredFile, key: string): Promise<void> =>
  new Promise((done, failed) => {
    storage.remove(file, key, (error) => (error === null ? done() : failed(error)));
  });

/** Lets an exception of one callback end the process in a turn of its own, so that the other callbacks are called too. */
export function throwLater(thrown: unknown): void {
  setImmediate(() => {
    throw thrown;
  });
}
