/**
 * Where documents live. A file holds documents by key. It is read and kept in memory as a whole: a twin, a shard of the
 * device registry, the tokens. Two implementations pass one contract suite: memory, and journal with lowdb.
 */

/** Sizes are in bytes, times in milliseconds. */
export const STORAGE_LIMITS = {
  /** The length at which the journal begins a new segment. */
  journalSegmentBytes: 4 * 1024 * 1024,
  /** The length of the whole journal. Above it writers wait. */
  journalCeilingBytes: 256 * 1024 * 1024,
  /** The longest text that one fdatasync covers, in UTF-16 units. A longer record is covered alone. */
  journalBatchLength: 4 * 1024 * 1024,
  /** The time between two attempts to write after a storage error. */
  journalRetryMs: 1000,
  /** How long a changed file waits before it is written. */
  writeBehindMs: 5000,
  /** How many files are written at the same time. */
  writeBehindFiles: 4,
  /** How long files are written when the storage closes. The journal keeps the rest. */
  drainMs: 2500,
  /** The time between two looks at how much of the disk is free. */
  diskLookMs: 2000,
};

export type StorageLimits = Readonly<typeof STORAGE_LIMITS>;

/** All versions of one document have the same birth. A later document of the same name has another. */
export interface Birth {
  /** When version 1 was written, RFC 3339. */
  readonly createdAt: string;
  /** Random hexadecimal digits, because the clock may show the same time twice. */
  readonly tag: string;
}

/** One document as it is stored. `data` is compact JSON, `updatedAt` is RFC 3339. The object never changes. */
export interface StoredDocument {
  readonly version: number;
  /** Only documents of twins have it, and only those that a server of version 0.2 or later wrote. */
  readonly born?: Birth;
  readonly updatedAt: string;
  /** The writer of this version, as a person knows them. Absent where a device wrote it. */
  readonly updatedBy?: string | undefined;
  readonly data: string;
}

/** Which past versions are asked for. */
export interface PastRange {
  /** Only versions written at this time or later, RFC 3339 in UTC with milliseconds. */
  readonly since?: string;
  /** Only versions below this one. The last version of one answer, given here, continues where that answer ended. */
  readonly before?: number;
  /** The most versions to return. */
  readonly limit: number;
  /** The most `data` to return, in bytes. One version is returned however long it is. */
  readonly dataBytes: number;
}

export type Documents = ReadonlyMap<string, StoredDocument>;

export interface StoredFile {
  /** What is on stable storage. It changes only when a write has succeeded. */
  readonly documents: Documents;
  /** What will be on stable storage when every write under way succeeds. The next write builds upon it. */
  readonly latest: Documents;
}

/** Called when the change is on stable storage, or with an error when nothing was changed. */
export type Written = (error: StorageUnavailable | null) => void;

/**
 * The storage cannot take a write or read a file. Nothing was changed. `cause` says why and is never shown to a client.
 */
export class StorageUnavailable extends Error {
  override name = 'StorageUnavailable';
  constructor(cause: unknown) {
    super('storage unavailable', { cause });
  }
}

/** File names are `[a-z0-9/-]+`. They are made from ids and constants, never from a text that a client chose. */
export interface Storage {
  /**
   * The file, if it is in memory and may take changes now. The caller may use it in this turn of the event loop only.
   */
  peek(file: string): StoredFile | undefined;
  /**
   * The file, as soon as it may take changes: a file whose changes take too much memory waits for the disk. A file that
   * does not exist is empty. @throws StorageUnavailable
   */
  open(file: string): Promise<StoredFile>;
  /**
   * Puts a document into a file that the caller got in this turn. Calls back in the order of the calls for that file.
   */
  put(file: StoredFile, key: string, document: StoredDocument, written: Written): void;
  /** Removes one document, or all of them in one change when no key is given. */
  remove(file: StoredFile, key: string | undefined, written: Written): void;
  /** Calls back when all earlier changes of the file are done, at once when there are none. */
  settled(file: StoredFile, then: () => void): void;
  /**
   * The versions of a document, newest first. The present one is among them. Of a file that keeps no past versions it
   * is the only one. @throws StorageUnavailable
   */
  past(file: StoredFile, key: string, range: PastRange): Promise<StoredDocument[]>;
  /** The names of all files with this prefix, in memory and on disk, in no order. */
  list(prefix: string): Promise<string[]>;
  /** Whether the last write succeeded. */
  readonly healthy: boolean;
  /** Refuses new writes, finishes those under way and leaves everything on stable storage. */
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

/** Throws in a later turn, where it ends the process. Until then the other callbacks are called. */
export function throwLater(thrown: unknown): void {
  setImmediate(() => {
    throw thrown;
  });
}
