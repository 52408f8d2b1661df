import { LRUCache } from 'lru-cache';
import type { Documents, ForeignChange, StoredDocument } from '../storage.js';
import { NO_FILE, type Version } from './group.js';

type Watcher = (change: ForeignChange) => void;

interface Known {
  readonly version: Version;
  /** The file was only read, so those who watch all files have not heard of this version. */
  readonly isUntold: boolean;
}

// The memory that each takes besides its text, in bytes, roughly.
const FILE_OVERHEAD = 512;
const DOCUMENT_OVERHEAD = 256;

/**
 * The files that this server knows, and who wants to hear of them. Decisions are made upon what is known here, and count
 * only when the database has the same. A file never goes back to an earlier revision. What another server has changed is
 * told once, in the order of the revisions.
 */
export class Files {
  readonly #kept: LRUCache<string, Known>;
  /** A file with watchers stays in memory. It is absent here until it is read. */
  readonly #pinned = new Map<string, Known>();
  readonly #watchers = new Map<string, Set<Watcher>>();
  readonly #byPrefix = new Map<string, Set<Watcher>>();

  /** @param bytes of the documents in memory, roughly */
  constructor(bytes: number) {
    this.#kept = new LRUCache({ maxSize: bytes, sizeCalculation: ({ version }) => bytesOf(version) });
  }

  get(name: string): Version | undefined {
    return this.#knownOf(name)?.version;
  }

  /** The files with watchers. */
  get watched(): string[] {
    return [...this.#watchers.keys()];
  }

  /** The prefixes with watchers. */
  get prefixes(): readonly string[] {
    return [...this.#byPrefix.keys()];
  }

  isOfInterest(name: string): boolean {
    return this.#watchers.has(name) || this.prefixes.some((prefix) => name.startsWith(prefix));
  }

  /** This server has written the file, and tells its watchers itself. */
  wrote(name: string, version: Version): void {
    this.#set(name, { version, isUntold: false });
  }

  /**
   * The file was read. The watchers hear what another server has changed since.
   * @param isNews the file has changed, whatever is known of it here
   */
  found(name: string, version: Version, isNews: boolean): void {
    const known = this.#knownOf(name);
    if (known !== undefined && known.version.rev > version.rev) return;
    const isSame = known?.version.rev === version.rev;
    const isUntold = known === undefined ? !isNews : isSame && known.isUntold && !isNews;
    this.#set(name, { version, isUntold });
    if (known !== undefined && !isSame) {
      const changes = differences(name, known.version.documents, version.documents);
      this.#tell(changes, this.#watchers.get(name));
      this.#tellByPrefix(name, changes);
    } else if (isNews && (known === undefined || known.isUntold)) {
      this.#tellByPrefix(name, differences(name, NO_FILE.documents, version.documents));
    }
  }

  /** What is known of a file may be wrong. A file with watchers stays, so that they hear what is different. */
  forget(name: string): void {
    this.#kept.delete(name);
  }

  watch(name: string, watcher: Watcher): () => void {
    const watchers = this.#watchers.get(name) ?? new Set();
    this.#watchers.set(name, watchers.add(watcher));
    const known = this.#kept.get(name);
    if (known !== undefined && !this.#pinned.has(name)) this.#pinned.set(name, known);
    return () => {
      watchers.delete(watcher);
      if (watchers.size > 0 || this.#watchers.get(name) !== watchers) return;
      this.#watchers.delete(name);
      this.#pinned.delete(name);
    };
  }

  watchAll(prefix: string, watcher: Watcher): () => void {
    const watchers = this.#byPrefix.get(prefix) ?? new Set();
    this.#byPrefix.set(prefix, watchers.add(watcher));
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0 && this.#byPrefix.get(prefix) === watchers) this.#byPrefix.delete(prefix);
    };
  }

  #knownOf(name: string): Known | undefined {
    return this.#pinned.get(name) ?? this.#kept.get(name);
  }

  #set(name: string, known: Known): void {
    const before = this.#knownOf(name);
    if (before !== undefined && before.version.rev > known.version.rev) return;
    this.#kept.set(name, known);
    if (this.#watchers.has(name)) this.#pinned.set(name, known);
  }

  #tellByPrefix(name: string, changes: readonly ForeignChange[]): void {
    for (const [prefix, watchers] of this.#byPrefix)
      if (name.startsWith(prefix)) this.#tell(changes, watchers);
  }

  #tell(changes: readonly ForeignChange[], watchers: ReadonlySet<Watcher> | undefined): void {
    for (const watcher of [...(watchers ?? [])]) for (const change of changes) watcher(change);
  }
}

function differences(file: string, before: Documents, after: Documents): ForeignChange[] {
  const changes: ForeignChange[] = [];
  for (const [key, document] of before) {
    if (!after.has(key)) changes.push({ file, key, before: document, after: undefined });
  }
  for (const [key, document] of after) {
    const known = before.get(key);
    if (known === undefined || !isSame(known, document))
      changes.push({ file, key, before: known, after: document });
  }
  return changes;
}

/** The time tells versions apart when a document was removed and made again. */
const isSame = (one: StoredDocument, other: StoredDocument): boolean =>
  one.version === other.version &&
  one.born?.tag === other.born?.tag &&
  one.updatedAt === other.updatedAt &&
  one.data === other.data;

function bytesOf({ documents }: Version): number {
  let bytes = FILE_OVERHEAD;
  for (const { data } of documents.values()) bytes += DOCUMENT_OVERHEAD + 2 * data.length;
  return bytes;
}
