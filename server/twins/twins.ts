import {
  faultInPatch,
  isDocumentName,
  type JsonObject,
  LIMITS,
  mergePatch,
  versionAgrees,
} from '../../shared/document.js';
import type { Author } from '../access/author.js';
import {
  type PastRange,
  type Storage,
  StorageUnavailable,
  type StoredDocument,
  type StoredFile,
  throwLater,
} from '../storage/storage.js';
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

interface Waiter {
  then: (file: StoredFile) => void;
  refuse: (error: Error) => void;
}

type Edit = (present: StoredDocument | undefined) => JsonObject;

/**
 * The documents of all twins. The caller has checked that a twin id is a lower-case UUID.
 *
 * An answer comes when its content is on stable storage. The answers of one twin come in the order of the calls, so a
 * get sees every earlier write. Errors are those of `errors.ts` and StorageUnavailable.
 */
export class Twins {
  readonly #storage: Storage;
  readonly #now: () => Date;
  #stampedAt = Number.NaN;
  #stamp = '';
  readonly #opening = new Map<string, Waiter[]>();
  readonly #watchers = new Watchers<Change>();

  constructor(storage: Storage, now = () => new Date()) {
    this.#storage = storage;
    this.#now = now;
  }

  get(twinId: string, name: string, answer: Answer<Document>): void {
    this.#read(twinId, answer, (file) => documentOf(twinId, name, storedIn(file, twinId, name)));
  }

  /** The versions of a document since it was created, newest first. The present one is among them. */
  history(twinId: string, name: string, range: PastRange): Promise<Document[]> {
    return new Promise((done, failed) => {
      const answer: Answer<Promise<Document[]>> = (error, versions) =>
        versions === undefined ? failed(error) : done(versions);
      this.#read(twinId, answer, async (file) => {
        const born = bornOf(storedIn(file, twinId, name));
        const versions = await this.#storage.past(file, name, range);
        return versions.map((each) => pastDocument(twinId, name, each, born));
      });
    });
  }

  /**
   * All documents of the twin, sorted by name, as they are between two changes. A watcher that is added in the answer
   * hears every later change and no earlier one.
   */
  all(twinId: string, answer: Answer<Document[]>): void {
    this.#read(twinId, answer, ({ documents }) =>
      [...documents]
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .map(([name, stored]) => documentOf(twinId, name, stored)),
    );
  }

  /** The names of the twin's documents, sorted. */
  list(twinId: string, answer: Answer<string[]>): void {
    this.#read(twinId, answer, (file) => [...file.documents.keys()].sort());
  }

  /** Creates or replaces a document. */
  put(
    twinId: string,
    name: string,
    request: ConditionalRequest,
    answer: Answer<Document>,
    origin?: Author,
  ): void {
    this.#write(twinId, name, request, () => request.data, answer, origin);
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
      return mergePatch(JSON.parse(present.data) as JsonObject, request.data);
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
    this.#change(twinId, answer, origin, (file) => {
      if (!isDocumentName(name)) throw new InvalidName();
      const present = file.latest.get(name);
      if (present === undefined) throw new DocumentNotFound(twinId, name);
      checkPrecondition(precondition, present);
      const { version } = present;
      this.#storage.remove(file, name, (error) => {
        if (error === null) this.#watchers.tell(twinId, { twinId, name, version, origin });
        answer(error);
      });
    });
  }

  /** Deletes all documents of a twin in one change. */
  clear(twinId: string, answer: Answer<void>, origin?: Author): void {
    this.#change(twinId, answer, origin, (file) => {
      const removed = [...file.latest];
      this.#storage.remove(file, undefined, (error) => {
        if (error !== null) return answer(error);
        for (const [name, { version }] of removed) {
          this.#watchers.tell(twinId, { twinId, name, version, origin });
        }
        answer(null);
      });
    });
  }

  /** The ids of the twins in a folder, the first two digits of their ids. Some may have no documents. */
  async idsIn(folder: string): Promise<string[]> {
    const files = await this.#storage.list(`${FOLDER}${folder}/`);
    return files.map((file) => file.slice(file.lastIndexOf('/') + 1));
  }

  /** Calls the watcher with every change of a twin, just before its answer. Returns a function that ends this. */
  watch(twinId: string, watcher: (change: Change) => void): () => void {
    return this.#watchers.add(twinId, watcher);
  }

  /** The same with the changes of all twins. */
  watchAll(watcher: (change: Change) => void): () => void {
    return this.#watchers.addToAll(watcher);
  }

  /** Whether calls on a twin wait until it is read from disk, or until there is memory for its changes. */
  isWaiting(twinId: string): boolean {
    return this.#opening.size > 0 && this.#opening.has(fileOf(twinId));
  }

  /** The number of watchers of all twins. */
  get watching(): number {
    return this.#watchers.count;
  }

  #write(
    twinId: string,
    name: string,
    { version: asked, precondition, by, spend }: ConditionalRequest,
    edit: Edit,
    answer: Answer<Document>,
    origin: Author | undefined,
  ): void {
    this.#change(twinId, answer, origin, (file) => {
      if (!isDocumentName(name)) throw new InvalidName();
      const present = file.latest.get(name);
      checkPrecondition(precondition, present);
      const actual = present?.version ?? 0;
      if (!versionAgrees(asked, actual)) throw new VersionMismatch(twinId, name, asked, actual);
      const data = JSON.stringify(edit(present));
      spend?.(data.length * WORK.writtenByte);
      if (isTooLarge(data)) throw new DocumentTooLarge();
      if (present === undefined && file.latest.size >= LIMITS.documents) throw new TooManyDocuments();
      const now = this.#timestamp();
      const document = new Document(twinId, name, actual + 1, now, data, birthAfter(present, now), by);
      this.#storage.put(file, name, document, (error) => {
        if (error !== null) return answer(error);
        this.#watchers.tell(twinId, { twinId, name, version: document.version, document, origin });
        answer(null, document);
      });
    });
  }

  /** The time as RFC 3339. It is made once for all writes of one millisecond. */
  #timestamp(): string {
    const now = this.#now();
    if (now.getTime() !== this.#stampedAt) {
      this.#stampedAt = now.getTime();
      this.#stamp = now.toISOString();
    }
    return this.#stamp;
  }

  /**
   * Decides a change by the latest state and the present rights of its author. A refusal is answered after the earlier
   * changes.
   */
  #change<T>(
    twinId: string,
    answer: Answer<T>,
    author: Author | undefined,
    decide: (file: StoredFile) => void,
  ): void {
    this.#open(twinId, answer, (file) => {
      try {
        author?.judge();
        decide(file);
      } catch (error) {
        this.#storage.settled(file, () => answer(error as Error));
      }
    });
  }

  #read<T>(twinId: string, answer: Answer<T>, look: (file: StoredFile) => T): void {
    this.#open(twinId, answer, (file) => {
      this.#storage.settled(file, () => {
        let value: T;
        try {
          value = look(file);
        } catch (error) {
          return answer(error as Error);
        }
        answer(null, value);
      });
    });
  }

  #open<T>(twinId: string, answer: Answer<T>, then: (file: StoredFile) => void): void {
    const name = fileOf(twinId);
    const file = this.#opening.has(name) ? undefined : this.#storage.peek(name);
    if (file === undefined) this.#await(name, { then, refuse: answer });
    else then(file);
  }

  /**
   * Calls on a twin that is being read from disk, or waits for memory, wait for it. Then each has a turn of the event
   * loop, in their order, because they can be many and each can be much work.
   */
  #await(name: string, waiter: Waiter): void {
    const waiting = this.#opening.get(name);
    if (waiting !== undefined) {
      waiting.push(waiter);
      return;
    }
    const waiters = [waiter];
    this.#opening.set(name, waiters);
    this.#serve(name, waiters);
  }

  #serve(name: string, waiters: Waiter[]): void {
    this.#storage.open(name).then(
      (file) => {
        attempt(() => waiters.shift()?.then(file));
        if (waiters.length === 0) this.#opening.delete(name);
        else setImmediate(() => this.#serve(name, waiters));
      },
      (error) => {
        this.#opening.delete(name);
        for (const { refuse } of waiters) attempt(() => refuse(unavailable(error)));
      },
    );
  }
}

/** @throws InvalidName, DocumentNotFound */
function storedIn(file: StoredFile, twinId: string, name: string): StoredDocument {
  if (!isDocumentName(name)) throw new InvalidName();
  const stored = file.documents.get(name);
  if (stored === undefined) throw new DocumentNotFound(twinId, name);
  return stored;
}

const FOLDER = 'twins/';

/** In folders by the first two digits, so that no directory holds 100,000 files. */
const fileOf = (twinId: string): string => `${FOLDER}${twinId.slice(0, 2)}/${twinId}`;

/** Whether a file of the storage belongs to a twin. Only those files keep past versions. */
export const isTwinFile = (file: string): boolean => file.startsWith(FOLDER);

// A UTF-16 unit takes at most three bytes of UTF-8, so the bytes of most documents need not be counted.
const isTooLarge = (data: string): boolean =>
  data.length * 3 > LIMITS.dataBytes && Buffer.byteLength(data) > LIMITS.dataBytes;

const unavailable = (error: unknown): StorageUnavailable =>
  error instanceof StorageUnavailable ? error : new StorageUnavailable(error);

/** When it throws, the others are called all the same. */
function attempt(call: () => void): void {
  try {
    call();
  } catch (thrown) {
    throwLater(thrown);
  }
}
