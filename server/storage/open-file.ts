import type { MemoryBudget } from './memory-budget.js';
import { type Edit, type PastRange, StorageUnavailable, type StoredDocument } from './storage.js';

/** An edit of a file that was decided. */
export interface Change extends Edit {
  /** Greater than that of every earlier change. */
  readonly seq: number;
}

// The memory that each takes besides its text, in bytes, roughly.
export const DOCUMENT_OVERHEAD = 256;
const VERSION_OVERHEAD = 96;

/** The memory of a text in bytes. A text that is not all ASCII may take two bytes for each unit. */
const bytesOfText = (text: string): number =>
  Buffer.byteLength(text) === text.length ? text.length : 2 * text.length;

/** A document is held twice: its data, and the JSON that clients or the journal get. */
export const bytesOfDocument = ({ data }: StoredDocument): number =>
  DOCUMENT_OVERHEAD + 2 * bytesOfText(data);

const bytesOfVersion = ({ data }: StoredDocument): number => VERSION_OVERHEAD + bytesOfText(data);

const bytesOfVersions = (versions: readonly StoredDocument[]): number =>
  versions.reduce((bytes, version) => bytes + bytesOfVersion(version), 0);

/** A file in memory: its documents on stable storage, and its documents when all changes under way succeed. */
export class OpenFile {
  /** What is on stable storage. It changes only when a write has succeeded. */
  readonly documents: Map<string, StoredDocument>;
  /** What will be on stable storage when every write under way succeeds. The next write builds upon it. */
  readonly latest: Map<string, StoredDocument>;
  /** How many tasks have begun and not ended. */
  underWay = 0;
  /** The memory that these tasks take in bytes, roughly. */
  underWayBytes = 0;
  /** What the room counts of this file, in bytes. */
  readonly counted = { changes: 0, documents: 0 };

  /**
   * @param seq the number of the last change in `documents`
   * @param past holds past versions, in a file that keeps them
   */
  constructor(
    readonly name: string,
    public seq = 0,
    documents: Iterable<[string, StoredDocument]> = [],
    readonly past?: Past,
  ) {
    this.documents = new Map(documents);
    this.latest = new Map(this.documents);
  }

  /** A change is on stable storage. A change that was accepted before has no effect. */
  accept(change: Change): void {
    if (change.seq <= this.seq) return;
    this.seq = change.seq;
    apply(this.documents, change);
    this.past?.accept(change);
  }

  /** The changes under way have failed. */
  forget(): void {
    this.latest.clear();
    for (const [key, document] of this.documents) this.latest.set(key, document);
  }

  /** The memory that its documents take in bytes, roughly. */
  get bytes(): number {
    let bytes = DOCUMENT_OVERHEAD;
    for (const document of this.documents.values()) bytes += bytesOfDocument(document);
    return bytes;
  }

  /** The memory of its changes that are under way or not in the history on disk, in bytes, roughly. */
  get changesBytes(): number {
    return this.underWayBytes + (this.past?.bytes ?? 0);
  }
}

export function apply(documents: Map<string, StoredDocument>, { key, document }: Edit): void {
  if (key === undefined) documents.clear();
  else if (document === undefined) documents.delete(key);
  else documents.set(key, document);
}

/** A caller that waits until a file may take changes. */
interface Waiting {
  readonly file: OpenFile;
  readonly admit: (file: OpenFile) => void;
  readonly refuse: (error: StorageUnavailable) => void;
}

/** The changes of one file may take this part of the memory that is left. */
const PART_OF_REST = 1 / 4;
/** So much the changes of a file without past versions may always take. The server's own files are such files. */
const ALWAYS_BYTES = 65_536;

/**
 * The memory for what cannot be dropped: changes under way, past versions and documents that are not on disk. The
 * changes of one file may take a part of what is left. So a file with many changes waits for the disk while a file with
 * few finds room. These are the dynamic thresholds of Choudhury and Hahne (IEEE/ACM Transactions on Networking, 1998).
 */
export class Room {
  readonly #budget: Pick<MemoryBudget, 'changes' | 'documents'>;
  /** What the changes of all files take, in bytes. */
  #changes = 0;
  #documents = 0;
  #waiting: Waiting[] = [];

  constructor(budget: Pick<MemoryBudget, 'changes' | 'documents'>) {
    this.#budget = budget;
  }

  /** What the documents of pinned files take, in bytes. */
  get documents(): number {
    return this.#documents;
  }

  /** The changes of a file have become more or fewer. */
  count(file: OpenFile): void {
    const bytes = file.changesBytes;
    this.#changes += bytes - file.counted.changes;
    file.counted.changes = bytes;
  }

  /** The documents of a file must stay in memory. Counts them again when they are counted already. */
  pin(file: OpenFile): void {
    const { bytes } = file;
    this.#documents += bytes - file.counted.documents;
    file.counted.documents = bytes;
  }

  unpin(file: OpenFile): void {
    this.#documents -= file.counted.documents;
    file.counted.documents = 0;
  }

  /** Whether a file may take changes now. */
  has(file: OpenFile): boolean {
    return file.changesBytes < this.#mostOf(file);
  }

  /** Whether a file should be written soon, so that it need not wait for room. */
  isShortFor(file: OpenFile): boolean {
    return file.changesBytes >= this.#mostOf(file) / 2;
  }

  /** Whether half of the room is taken. */
  get isShort(): boolean {
    return this.#rest < this.#budget.changes / 2;
  }

  /** Resolves when the file may take changes. @throws StorageUnavailable */
  wait(file: OpenFile): Promise<OpenFile> {
    return new Promise((admit, refuse) => this.#waiting.push({ file, admit, refuse }));
  }

  /** Admits those that have room now. */
  relieve(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = waiting.filter(({ file }) => !this.has(file));
    for (const { file, admit } of waiting) if (this.has(file)) admit(file);
  }

  /** There will be no room, because the disk takes no writes. */
  refuse(cause: unknown): void {
    for (const { refuse } of this.#waiting.splice(0)) refuse(new StorageUnavailable(cause));
  }

  get #rest(): number {
    return this.#budget.changes - this.#changes - Math.max(0, this.#documents - this.#budget.documents);
  }

  #mostOf({ past }: OpenFile): number {
    const most = this.#rest * PART_OF_REST;
    return past === undefined ? Math.max(most, ALWAYS_BYTES) : most;
  }
}

/** The versions of one document that the history on disk lacks, oldest first. */
interface Recent {
  /** The history on disk belongs to an earlier document of this name, which was removed. */
  fresh: boolean;
  versions: StoredDocument[];
}

/** The time from one removal of all documents to the next. */
interface Era {
  /** The history on disk belongs to an earlier era. */
  fresh: boolean;
  readonly documents: Map<string, Recent>;
}

/** What is being saved, as it was when the saving began. */
export interface PastToSave {
  readonly era: Era;
  readonly fresh: boolean;
  readonly documents: readonly {
    key: string;
    recent: Recent;
    fresh: boolean;
    versions: readonly StoredDocument[];
  }[];
}

const NONE: Recent = { fresh: false, versions: [] };

/** This part of the past is dropped at once when there is too much of it. */
const DROPPED_AT_ONCE = 1 / 64;

/** The past versions of a file's documents that only the journal and the memory hold. */
export class Past {
  #era: Era = { fresh: false, documents: new Map() };
  /** The bytes of all versions, roughly. */
  #bytes = 0;

  /**
   * @param keep how many versions of each document are kept at least
   * @param keepBytes how many bytes of all documents together. The oldest versions go first.
   */
  constructor(
    readonly keep: number,
    readonly keepBytes: number,
  ) {}

  /** The memory that the versions take in bytes, roughly. */
  get bytes(): number {
    return this.#bytes;
  }

  accept({ key, document }: Change): void {
    if (document !== undefined && key !== undefined) return this.#add(key, document);
    if (key === undefined) {
      this.#era = { fresh: true, documents: new Map() };
      this.#bytes = 0;
    } else {
      this.#bytes -= bytesOfVersions(this.#era.documents.get(key)?.versions ?? []);
      this.#era.documents.set(key, { fresh: true, versions: [] });
    }
  }

  #add(key: string, { version, updatedAt, updatedBy, data }: StoredDocument): void {
    const recent = this.#era.documents.get(key) ?? { fresh: false, versions: [] };
    this.#era.documents.set(key, recent);
    // A copy without the birth, which the present version has, and without the cached JSON.
    const by = updatedBy === undefined ? {} : { updatedBy };
    const past = { version, updatedAt, ...by, data };
    recent.versions.push(past);
    this.#bytes += bytesOfVersion(past);
    if (recent.versions.length >= 2 * this.keep) {
      this.#bytes -= bytesOfVersions(recent.versions.splice(0, this.keep));
    }
    if (this.#bytes > this.keepBytes) this.#makeRoom();
  }

  /** Drops the oldest versions of all documents, several at once, because each needs a look at every document. */
  #makeRoom(): void {
    const enough = this.keepBytes * (1 - DROPPED_AT_ONCE);
    const begins = new Map([...this.#era.documents.values()].map((recent) => [recent, 0]));
    while (this.#bytes > enough) {
      let oldest: { recent: Recent; index: number; version: StoredDocument } | undefined;
      for (const [recent, index] of begins) {
        const version = recent.versions[index];
        if (version === undefined || (oldest !== undefined && oldest.version.updatedAt <= version.updatedAt))
          continue;
        oldest = { recent, index, version };
      }
      if (oldest === undefined) break;
      this.#bytes -= bytesOfVersion(oldest.version);
      begins.set(oldest.recent, oldest.index + 1);
    }
    for (const [{ versions }, index] of begins) versions.splice(0, index);
  }

  /** The versions of a document in memory. `whole` says that there are no others on disk. */
  recent(key: string): { versions: readonly StoredDocument[]; whole: boolean } {
    const { fresh, versions } = this.#era.documents.get(key) ?? NONE;
    return { versions, whole: fresh || this.#era.fresh };
  }

  toSave(): PastToSave {
    const documents = [...this.#era.documents].map(([key, recent]) => ({
      key,
      recent,
      fresh: recent.fresh,
      versions: recent.versions.slice(-this.keep),
    }));
    return { era: this.#era, fresh: this.#era.fresh, documents };
  }

  /** The saving has succeeded. Versions that came meanwhile stay. */
  saved({ era, documents }: PastToSave): void {
    era.fresh = false;
    for (const { key, recent, versions } of documents) {
      if (era.documents.get(key) !== recent) continue;
      const last = versions.at(-1)?.version ?? 0;
      recent.fresh = false;
      recent.versions = recent.versions.filter(({ version }) => version > last);
      if (recent.versions.length === 0) era.documents.delete(key);
    }
    this.#bytes = bytesOfVersions([...this.#era.documents.values()].flatMap(({ versions }) => versions));
  }
}

/** Those of a range. @param versions oldest first @returns newest first, and not more than the limit */
export function newestOf(
  versions: readonly StoredDocument[],
  { since = '', before = Number.POSITIVE_INFINITY, limit }: PastRange,
): StoredDocument[] {
  const found: StoredDocument[] = [];
  for (let index = versions.length - 1; index >= 0 && found.length < limit; index -= 1) {
    const version = versions[index];
    if (version !== undefined && version.version < before && version.updatedAt >= since) found.push(version);
  }
  return found;
}

/** The versions in a range. @param versions newest first. One may come twice. */
export async function selectPast(
  versions: AsyncIterable<StoredDocument>,
  { since = '', before = Number.POSITIVE_INFINITY, limit, dataBytes }: PastRange,
): Promise<StoredDocument[]> {
  const selected: StoredDocument[] = [];
  let room = dataBytes;
  let below = before;
  for await (const document of versions) {
    // When the clock was set back, a later version can have an earlier time.
    if (document.version >= below || document.updatedAt < since) continue;
    below = document.version;
    room -= Buffer.byteLength(document.data);
    if (selected.length > 0 && room < 0) break;
    if (selected.push(document) === limit) break;
  }
  return selected;
}
