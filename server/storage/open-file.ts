import type { Past } from './past.js';
import { StorageUnavailable, type StoredDocument, type StoredFile, type Written } from './storage.js';
import { throwLater } from './throw-later.js';

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
