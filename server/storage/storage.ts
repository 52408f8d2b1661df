/**
 * Where documents live. A file holds documents by key. It is read and kept in memory as a whole: a twin, a shard of the
 * device registry, the tokens. All implementations pass one contract suite: memory, and journal with lowdb.
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

/** The documents of a file, by key. */
export type Documents = ReadonlyMap<string, StoredDocument>;

/** What a change does to its file. Without a document it removes one. Without a key it removes all of them. */
export interface Edit {
  readonly key: string | undefined;
  readonly document: StoredDocument | undefined;
}

/**
 * Decides a change by the latest state of the file. It has no other effect, because it is called again when another
 * server changes the file first. What it throws refuses the change. Undefined means that there is nothing to change.
 * @param now the time of the storage, RFC 3339
 */
export type Decide = (latest: Documents, now: string) => Edit | undefined;

/** Called when the edit is on stable storage. When there is an error, nothing was changed, except for OutcomeUnknown. */
export type Changed = (error: Error | null, edit?: Edit) => void;

/** A change that another server made, or what changed while that could not be heard. */
export interface ForeignChange {
  readonly file: string;
  readonly key: string;
  /** Absent when the document is new, or was not known here. */
  readonly before: StoredDocument | undefined;
  /** Absent when the document was removed. */
  readonly after: StoredDocument | undefined;
}

/**
 * The storage cannot take a write or read a file. Nothing was changed. `cause` says why and is never shown to a client.
 */
export class StorageUnavailable extends Error {
  override name = 'StorageUnavailable';
  constructor(cause: unknown) {
    super('storage unavailable', { cause });
  }
}

/**
 * The change was sent to the database, and the answer is lost: it may be made or not. The caller reads to know. `cause`
 * says why and is never shown to a client.
 */
export class OutcomeUnknown extends Error {
  override name = 'OutcomeUnknown';
  constructor(cause: unknown) {
    super('outcome unknown', { cause });
  }
}

/** The file belongs to a document that is not there, as a twin belongs to its device. Nothing was changed. */
export class OwnerGone extends Error {
  override name = 'OwnerGone';
  /** @param key that of the document */
  constructor(readonly key: string) {
    super('owner gone');
  }
}

/**
 * File names are `[a-z0-9/-]+`. They are made from ids and constants, never from a text that a client chose.
 *
 * The calls on one file are answered in their order, in the turn of the call or in a later one. An error is what `decide`
 * or `look` throws, or StorageUnavailable. A storage that servers share can also answer a change with OutcomeUnknown or
 * OwnerGone.
 */
export interface Storage {
  /** Decides a change of a file, and makes it. A file that does not exist is empty. */
  change(file: string, decide: Decide, done: Changed): void;
  /**
   * Looks at the documents that are on stable storage when all earlier changes of the file are done. A shared storage shows
   * a file that has changed as another map, and one that has not as the same map, as long as it has memory for it.
   */
  read<T>(
    file: string,
    look: (documents: Documents) => T,
    done: (error: Error | null, value?: T) => void,
  ): void;
  /**
   * The versions of a document, newest first. The present one is among them. Of a file that keeps no past versions it
   * is the only one. @throws StorageUnavailable
   */
  past(file: string, key: string, range: PastRange): Promise<StoredDocument[]>;
  /** The names of all files with this prefix, in memory and on disk, in no order. */
  list(prefix: string): Promise<string[]>;
  /** Calls the watcher with each change of the file that another server makes. Returns a function that ends this. */
  watch(file: string, watcher: (change: ForeignChange) => void): () => void;
  /** The same with all files of this prefix. */
  watchAll(prefix: string, watcher: (change: ForeignChange) => void): () => void;
  /**
   * Resolves when the other servers have heard of every change of the file, if they watch it. It does not wait for those
   * that do not answer in time: they serve nothing until they have heard.
   */
  agree(file: string): Promise<void>;
  /** Whether other servers change files, too. */
  readonly isShared: boolean;
  /**
   * Whether every change of another server that was agreed upon is heard here. While it is not, a token may be revoked, or a
   * device be connected elsewhere, and nothing is served.
   */
  readonly isCurrent: boolean;
  /** Resolves when the storage is current. @throws StorageUnavailable when that takes too long */
  whenCurrent(): Promise<void>;
  /** Whether calls on the file wait until it is read, or until there is memory for its changes. */
  isWaiting(file: string): boolean;
  /** Milliseconds since 1970. Servers that share a storage share its clock. */
  now(): number;
  /** Whether the last write succeeded. */
  readonly healthy: boolean;
  /** Refuses new writes, finishes those under way and leaves everything on stable storage. */
  close(): Promise<void>;
}

/** Returns what was changed. @throws StorageUnavailable, and what `decide` throws */
export const changeFile = (storage: Storage, file: string, decide: Decide): Promise<Edit | undefined> =>
  new Promise((done, failed) => {
    storage.change(file, decide, (error, edit) => (error === null ? done(edit) : failed(error)));
  });

/**
 * Puts data as the next version of a document.
 * @param admit what it throws refuses the change
 * @throws StorageUnavailable, and what `admit` throws
 */
export const putDocument = (
  storage: Storage,
  file: string,
  key: string,
  data: string,
  admit?: () => void,
): Promise<Edit | undefined> =>
  changeFile(storage, file, (latest, updatedAt) => {
    admit?.();
    return { key, document: { version: (latest.get(key)?.version ?? 0) + 1, updatedAt, data } };
  });

/** Removes a document, if there is one. @throws StorageUnavailable, and what `admit` throws */
export const removeDocument = (
  storage: Storage,
  file: string,
  key: string,
  admit?: () => void,
): Promise<Edit | undefined> =>
  changeFile(storage, file, (latest) => {
    admit?.();
    return latest.has(key) ? { key, document: undefined } : undefined;
  });

/** The documents as they are on stable storage now. @throws StorageUnavailable */
export const readDocuments = (storage: Pick<Storage, 'read'>, file: string): Promise<Documents> =>
  new Promise((done, failed) => {
    storage.read(
      file,
      (documents) => documents,
      (error, documents) => (error === null ? done(documents as Documents) : failed(error)),
    );
  });

/** What a storage that no other server changes knows of others. */
export const unshared: Pick<
  Storage,
  'isShared' | 'watch' | 'watchAll' | 'agree' | 'isCurrent' | 'whenCurrent'
> = {
  isShared: false,
  watch: () => () => undefined,
  watchAll: () => () => undefined,
  agree: async () => undefined,
  isCurrent: true,
  whenCurrent: async () => undefined,
};

/** Throws in a later turn, where it ends the process. Until then the other callbacks are called. */
export function throwLater(thrown: unknown): void {
  setImmediate(() => {
    throw thrown;
  });
}
