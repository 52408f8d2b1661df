import { LRUCache } from 'lru-cache';
import {
  faultInPatch,
  isDocumentName,
  type JsonObject,
  LIMITS,
  mergePatch,
  versionAgrees,
} from '../../shared/document.js';
import type { Author } from '../access/author.js';
import type { Documents, ForeignChange, PastRange, Storage, StoredDocument } from '../storage/storage.js';
import { Watchers } from '../watchers.js';
import { WORK } from '../work.js';
import {
  birthAfter,
  bornOf,
  type ConditionalRequest,
  checkPrecondition,
  Document,
  documentOf,
  type Precondition,
  type PutRequest,
  pastDocument,
} from './document.js';
import {
  DocumentNotFound,
  DocumentTooLarge,
  InvalidName,
  InvalidRequest,
  TooManyDocuments,
  VersionMismatch,
} from './errors.js';

/**
 * Called once, with a value when `error` is null. It may be called before the method that takes it returns. These are
 * callbacks, not promises, for two reasons. A write is answered in the turn in which the journal has it, without an
 * object and a microtask for each step. And the answers of one twin must not overtake each other.
 */
export type Answer<T> = (error: Error | null, value?: T) => void;

/** A change that is on stable storage. By `origin` its author recognises its own changes. */
export interface Change {
  readonly twinId: string;
  readonly name: string;
  /** The new version of the document, or the last one that a deleted document had. */
  readonly version: number;
  /** Absent when the document was deleted. */
  readonly document?: Document;
  readonly origin: Author | undefined;
}

/** Gives the data of the new version as compact JSON. */
type Edit = (present: StoredDocument | undefined) => string;

/**
 * The documents of all twins. The caller has checked that a twin id is a lower-case UUID.
 *
 * An answer comes when its content is on stable storage. The answers of one twin come in the order of the calls, so a
 * get sees every earlier write. Errors are those of `errors.ts` and StorageUnavailable.
 */
export class Twins {
  readonly #storage: Storage;
  readonly #watchers = new Watchers<Change>();

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  get(twinId: string, name: string, answer: Answer<Document>): void {
    this.#read(twinId, answer, (documents) => documentOf(twinId, name, storedIn(documents, twinId, name)));
  }

  /** The versions of a document since it was created, newest first. The present one is among them. */
  history(twinId: string, name: string, range: PastRange): Promise<Document[]> {
    return new Promise((done, failed) => {
      const answer: Answer<Promise<Document[]>> = (error, versions) =>
        versions === undefined ? failed(error) : done(versions);
      this.#read(twinId, answer, async (documents) => {
        const born = bornOf(storedIn(documents, twinId, name));
        const versions = await this.#storage.past(fileOf(twinId), name, range);
        return versions.map((each) => pastDocument(twinId, name, each, born));
      });
    });
  }

  /**
   * All documents of the twin, sorted by name, as they are between two changes. A watcher that is added in the answer
   * hears every later change and no earlier one.
   */
  all(twinId: string, answer: Answer<Document[]>): void {
    this.#read(twinId, answer, (documents) =>
      [...documents]
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .map(([name, stored]) => documentOf(twinId, name, stored)),
    );
  }

  /** The names of the twin's documents, sorted. */
  list(twinId: string, answer: Answer<string[]>): void {
    this.#read(twinId, answer, (documents) => [...documents.keys()].sort());
  }

  /** Creates or replaces a document. */
  put(twinId: string, name: string, request: PutRequest, answer: Answer<Document>, origin?: Author): void {
    this.#write(twinId, name, request, () => textOf(request), answer, origin);
  }

  /** Merges into a document that exists. */
  patch(
    twinId: string,
    name: string,
    request: ConditionalRequest,
    answer: Answer<Document>,
    origin?: Author,
  ): void {
    const merge: Edit = (present) => {
      const fault = faultInPatch(request.data);
      if (fault !== undefined) throw new InvalidRequest('data', 'constraint', `data: ${fault}`);
      if (present === undefined) throw new DocumentNotFound(twinId, name);
      request.spend?.(present.data.length * WORK.patchedByte);
      return JSON.stringify(mergePatch(JSON.parse(present.data) as JsonObject, request.data));
    };
    this.#write(twinId, name, request, merge, answer, origin);
  }

  delete(
    twinId: string,
    name: string,
    answer: Answer<void>,
    origin?: Author,
    precondition?: Precondition,
  ): void {
    let version = 0;
    this.#storage.change(
      fileOf(twinId),
      (latest) => {
        origin?.judge();
        if (!isDocumentName(name)) throw new InvalidName();
        const present = latest.get(name);
        if (present === undefined) throw new DocumentNotFound(twinId, name);
        checkPrecondition(precondition, present);
        version = present.version;
        return { key: name, document: undefined };
      },
      (error) => {
        if (error === null) this.#watchers.tell(twinId, { twinId, name, version, origin });
        answer(error);
      },
    );
  }

  /** Deletes all documents of a twin in one change. */
  clear(twinId: string, answer: Answer<void>, origin?: Author): void {
    let removed: Documents = new Map();
    this.#storage.change(
      fileOf(twinId),
      (latest) => {
        origin?.judge();
        removed = new Map(latest);
        return { key: undefined, document: undefined };
      },
      (error) => {
        if (error !== null) return answer(error);
        for (const [name, { version }] of removed) {
          this.#watchers.tell(twinId, { twinId, name, version, origin });
        }
        answer(null);
      },
    );
  }

  /** The ids of the twins in a folder, the first two digits of their ids. Some may have no documents. */
  async idsIn(folder: string): Promise<string[]> {
    return (await this.#storage.list(`${FOLDER}${folder}/`)).map(twinOf);
  }

  /** Calls the watcher with every change of a twin, just before its answer. Returns a function that ends this. */
  watch(twinId: string, watcher: (change: Change) => void): () => void {
    return both(
      this.#watchers.add(twinId, watcher),
      this.#storage.watch(fileOf(twinId), (change) => watcher(changeOf(change))),
    );
  }

  /** The same with the changes of all twins. */
  watchAll(watcher: (change: Change) => void): () => void {
    return both(
      this.#watchers.addToAll(watcher),
      this.#storage.watchAll(FOLDER, (change) => watcher(changeOf(change))),
    );
  }

  /** Whether calls on a twin wait until it is read from disk, or until there is memory for its changes. */
  isWaiting(twinId: string): boolean {
    return this.#storage.isWaiting(fileOf(twinId));
  }

  /** The number of watchers of all twins. */
  get watching(): number {
    return this.#watchers.count;
  }

  #write(
    twinId: string,
    name: string,
    { version: asked, precondition, by, spend }: Omit<PutRequest, 'data'>,
    edit: Edit,
    answer: Answer<Document>,
    origin: Author | undefined,
  ): void {
    this.#storage.change(
      fileOf(twinId),
      (latest, now) => {
        origin?.judge();
        if (!isDocumentName(name)) throw new InvalidName();
        const present = latest.get(name);
        checkPrecondition(precondition, present);
        const actual = present?.version ?? 0;
        if (!versionAgrees(asked, actual)) throw new VersionMismatch(twinId, name, asked, actual);
        const data = edit(present);
        spend?.(data.length * WORK.writtenByte);
        if (isTooLarge(data)) throw new DocumentTooLarge();
        if (present === undefined && latest.size >= LIMITS.documents) throw new TooManyDocuments();
        const born = birthAfter(present, now);
        return { key: name, document: new Document(twinId, name, actual + 1, now, data, born, by) };
      },
      (error, done) => {
        if (error !== null) return answer(error);
        const document = done?.document as Document;
        this.#watchers.tell(twinId, { twinId, name, version: document.version, document, origin });
        answer(null, document);
      },
    );
  }

  #read<T>(twinId: string, answer: Answer<T>, look: (documents: Documents) => T): void {
    this.#storage.read(fileOf(twinId), look, answer);
  }
}

/** @throws InvalidName, DocumentNotFound */
function storedIn(documents: Documents, twinId: string, name: string): StoredDocument {
  if (!isDocumentName(name)) throw new InvalidName();
  const stored = documents.get(name);
  if (stored === undefined) throw new DocumentNotFound(twinId, name);
  return stored;
}

const FOLDER = 'twins/';

/** How many twins' files are remembered. Their names need not be made and hashed again then. */
const FILES = 10_000;

/** In folders by the first two digits, so that no directory holds 100,000 files. */
const files = new LRUCache<string, string>({
  max: FILES,
  memoMethod: (twinId) => `${FOLDER}${twinId.slice(0, 2)}/${twinId}`,
});

const fileOf = (twinId: string): string => files.memo(twinId);

/** The id of the twin that a file belongs to. */
export const twinOf = (file: string): string => file.slice(file.lastIndexOf('/') + 1);

/** Whether a file of the storage belongs to a twin. Only those files keep past versions. */
export const isTwinFile = (file: string): boolean => file.startsWith(FOLDER);

const textOf = ({ data }: PutRequest): string => (typeof data === 'string' ? data : JSON.stringify(data));

// A UTF-16 unit takes at most three bytes of UTF-8, so the bytes of most documents need not be counted.
const isTooLarge = (data: string): boolean =>
  data.length * 3 > LIMITS.dataBytes && Buffer.byteLength(data) > LIMITS.dataBytes;

/** A change that another server made. */
function changeOf({ file, key: name, before, after }: ForeignChange): Change {
  const [twinId, origin] = [twinOf(file), undefined];
  if (after === undefined) return { twinId, name, version: before?.version ?? 0, origin };
  return { twinId, name, version: after.version, document: documentOf(twinId, name, after), origin };
}

const both = (one: () => void, other: () => void) => () => {
  one();
  other();
};
