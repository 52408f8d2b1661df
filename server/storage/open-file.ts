import {
  type PastRange,
  StorageUnavailable,
  type StoredDocument,
  type StoredFile,
  throwLater,
  type Written,
} from './storage.js';

/** One change of one file: a put, the removal of one document (no `document`) or of all (no `key` either). */
export interface Change {
  /** Greater than that of every change before. */
  readonly seq: number;
  readonly key: string | undefined;
  readonly document: StoredDocument | undefined;
}

/** What a file was asked and has not answered: a change, or (no change) to be told when all before it is settled. */
export interface Task {
  readonly file: OpenFile;
  readonly change: Change | undefined;
  readonly done: Written;
}

// What a document takes in memory besides its text, roughly.
const DOCUMENT_OVERHEAD = 256;

/** A file in memory: what is on stable storage, and what is on its way there. */
export class OpenFile implements StoredFile {
  readonly documents: Map<string, StoredDocument>;
  readonly latest: Map<string, StoredDocument>;
  /** Tasks that have begun and not ended. */
  underWay = 0;

  /**
   * @param seq the number of the last change that `documents` holds
   * @param past where past versions go, of a file that keeps them
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

  /** A change is on stable storage. Safe to repeat: one that is held already changes nothing. */
  accept(change: Change): void {
    if (change.seq <= this.seq) return;
    this.seq = change.seq;
    apply(this.documents, change);
    this.past?.accept(change);
  }

  /** What was under way came to nothing. */
  forget(): void {
    this.latest.clear();
    for (const [key, document] of this.documents) this.latest.set(key, document);
  }

  /** Memory that the file takes, in bytes, roughly. */
  get bytes(): number {
    let bytes = DOCUMENT_OVERHEAD;
    for (const document of this.documents.values()) bytes += DOCUMENT_OVERHEAD + 2 * document.data.length;
    return bytes;
  }
}

function apply(documents: Map<string, StoredDocument>, { key, document }: Change): void {
  if (key === undefined) documents.clear();
  else if (document === undefined) documents.delete(key);
  else documents.set(key, document);
}

export function begin(task: Task): void {
  task.file.underWay += 1;
  if (task.change !== undefined) apply(task.file.latest, task.change);
}

/** The tasks' changes are on stable storage: each is applied and answered in turn. */
export function succeed(tasks: readonly Task[]): void {
  for (const task of tasks) {
    if (task.change !== undefined) task.file.accept(task.change);
    end(task, null);
  }
}

/** The tasks came to nothing: all are undone before the first is answered, for a later one may build on an earlier. */
export function fail(tasks: readonly Task[], cause: unknown): void {
  const error = new StorageUnavailable(cause);
  for (const { file } of tasks) file.forget();
  for (const task of tasks) end(task, error);
}

/** An answer that throws is the process's to judge, and no reason to leave the others without theirs. */
function end(task: Task, error: StorageUnavailable | null): void {
  task.file.underWay -= 1;
  try {
    task.done(error);
  } catch (thrown) {
    throwLater(thrown);
  }
}

/** What the history on disk lacks of one document, oldest first. */
interface Recent {
  /** The history on disk is that of a document which was removed since. */
  fresh: boolean;
  versions: StoredDocument[];
}

/** From one removal of all documents to the next. */
interface Era {
  /** The history on disk is of an era before. */
  fresh: boolean;
  readonly documents: Map<string, Recent>;
}

/** What is about to be saved: as it was when the saving began. */
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

/** The past of a file's documents as far as only the journal and the memory hold it. */
export class Past {
  #era: Era = { fresh: false, documents: new Map() };

  /** @param keep how many versions of a document matter */
  constructor(readonly keep: number) {}

  accept({ key, document }: Change): void {
    if (key === undefined) this.#era = { fresh: true, documents: new Map() };
    else if (document === undefined) this.#era.documents.set(key, { fresh: true, versions: [] });
    else this.#add(key, document);
  }

  #add(key: string, { version, updatedAt, data }: StoredDocument): void {
    const recent = this.#era.documents.get(key) ?? { fresh: false, versions: [] };
    this.#era.documents.set(key, recent);
    // The present version knows the birth, and no past one is asked for its cached JSON.
    recent.versions.push({ version, updatedAt, data });
    if (recent.versions.length >= 2 * this.keep) recent.versions.splice(0, this.keep);
  }

  /** What memory holds of a document; `whole`: there is nothing else. */
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

  /** It is on disk; what has come meanwhile stays. */
  saved({ era, documents }: PastToSave): void {
    era.fresh = false;
    for (const { key, recent, versions } of documents) {
      if (era.documents.get(key) !== recent) continue;
      const last = versions.at(-1)?.version ?? 0;
      recent.fresh = false;
      recent.versions = recent.versions.filter(({ version }) => version > last);
      if (recent.versions.length === 0) era.documents.delete(key);
    }
  }
}

/** The versions in a range, of which some may come twice. @param versions newest first */
export async function selectPast(
  versions: AsyncIterable<StoredDocument>,
  { since = '', before = Number.POSITIVE_INFINITY, limit, bytes }: PastRange,
): Promise<StoredDocument[]> {
  const selected: StoredDocument[] = [];
  let room = bytes;
  let below = before;
  for await (const document of versions) {
    // A clock that was set back leaves times that do not follow the versions.
    if (document.version >= below || document.updatedAt < since) continue;
    below = document.version;
    room -= document.data.length;
    if (selected.length > 0 && room < 0) break;
    if (selected.push(document) === limit) break;
  }
  return selected;
}
