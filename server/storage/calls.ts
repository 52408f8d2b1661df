/** The calls on files in memory, from their decision to their answer. */

import { apply, bytesOfDocument, type Change, DOCUMENT_OVERHEAD, type OpenFile } from './open-file.js';
import {
  type Changed,
  type Decide,
  type Documents,
  type Edit,
  StorageUnavailable,
  throwLater,
} from './storage.js';

/** A call that is not answered yet. Without a change it only waits until all earlier tasks are settled. */
export interface Task {
  readonly file: OpenFile;
  readonly change: Change | undefined;
  /** The memory that it takes, roughly. */
  readonly bytes: number;
  readonly done: Changed;
}

/** What the calls need of a storage that keeps its files in memory. */
interface Files {
  /** The file, if it is in memory and may take changes now. */
  peek(name: string): OpenFile | undefined;
  /** The file, as soon as it may take changes. @throws StorageUnavailable */
  open(name: string): Promise<OpenFile>;
  /** Calls back when the edit, or without one every earlier edit of the file, is on stable storage. */
  append(file: OpenFile, edit: Edit | undefined, done: Changed): void;
  /** Milliseconds since 1970. */
  now(): number;
}

interface Waiter {
  readonly enter: (file: OpenFile) => void;
  readonly refuse: (error: Error) => void;
}

/**
 * The calls on files in memory. When the file is there, a change is decided and a read is answered in the turn of the call,
 * without a promise. When the file must be read from disk, or waits for memory, its calls wait for it. Then each has a turn
 * of the event loop, in their order, because they can be many and each can be much work.
 */
export class Calls {
  readonly #files: Files;
  readonly #waiting = new Map<string, Waiter[]>();
  #stampedAt = Number.NaN;
  #stamp = '';

  constructor(files: Files) {
    this.#files = files;
  }

  change(name: string, decide: Decide, done: Changed): void {
    const file = this.#peek(name);
    if (file !== undefined) this.#decide(file, decide, done);
    else this.#await(name, { enter: (opened) => this.#decide(opened, decide, done), refuse: done });
  }

  read<T>(
    name: string,
    look: (documents: Documents) => T,
    done: (error: Error | null, value?: T) => void,
  ): void {
    const file = this.#peek(name);
    if (file !== undefined) this.#look(file, look, done);
    else this.#await(name, { enter: (opened) => this.#look(opened, look, done), refuse: done });
  }

  isWaiting(name: string): boolean {
    return this.#waiting.size > 0 && this.#waiting.has(name);
  }

  #peek(name: string): OpenFile | undefined {
    return this.isWaiting(name) ? undefined : this.#files.peek(name);
  }

  #decide(file: OpenFile, decide: Decide, done: Changed): void {
    let edit: Edit | undefined;
    try {
      edit = decide(file.latest, this.#timestamp());
    } catch (error) {
      return this.#whenSettled(file, () => done(error as Error));
    }
    if (edit === undefined) this.#whenSettled(file, () => done(null));
    else this.#files.append(file, edit, done);
  }

  #look<T>(
    file: OpenFile,
    look: (documents: Documents) => T,
    done: (error: Error | null, value?: T) => void,
  ): void {
    this.#whenSettled(file, () => {
      let value: T;
      try {
        value = look(file.documents);
      } catch (error) {
        return done(error as Error);
      }
      done(null, value);
    });
  }

  #whenSettled(file: OpenFile, then: () => void): void {
    if (file.underWay === 0) then();
    else this.#files.append(file, undefined, then);
  }

  #await(name: string, waiter: Waiter): void {
    const waiting = this.#waiting.get(name);
    if (waiting !== undefined) {
      waiting.push(waiter);
      return;
    }
    const waiters = [waiter];
    this.#waiting.set(name, waiters);
    this.#serve(name, waiters);
  }

  #serve(name: string, waiters: Waiter[]): void {
    this.#files.open(name).then(
      (file) => {
        attempt(() => waiters.shift()?.enter(file));
        if (waiters.length === 0) this.#waiting.delete(name);
        else setImmediate(() => this.#serve(name, waiters));
      },
      (error) => {
        this.#waiting.delete(name);
        for (const { refuse } of waiters) attempt(() => refuse(unavailable(error)));
      },
    );
  }

  /** The time as RFC 3339. It is made once for all changes of one millisecond. */
  #timestamp(): string {
    const now = this.#files.now();
    if (now !== this.#stampedAt) {
      this.#stampedAt = now;
      this.#stamp = new Date(now).toISOString();
    }
    return this.#stamp;
  }
}

/** Begins a task. From now on the next change of the file builds on this one. */
export function begin(file: OpenFile, change: Change | undefined, done: Changed): Task {
  const bytes = change?.document === undefined ? DOCUMENT_OVERHEAD : bytesOfDocument(change.document);
  file.underWay += 1;
  file.underWayBytes += bytes;
  if (change !== undefined) apply(file.latest, change);
  return { file, change, bytes, done };
}

/** The changes are on stable storage. Each is applied and answered in turn. */
export function succeed(tasks: readonly Task[]): void {
  for (const task of tasks) {
    if (task.change !== undefined) task.file.accept(task.change);
    end(task, null);
  }
}

/**
 * The changes have failed. All are undone before the first is answered, because a later one may build on an earlier
 * one.
 */
export function fail(tasks: readonly Task[], cause: unknown): void {
  const error = new StorageUnavailable(cause);
  for (const { file } of tasks) file.forget();
  for (const task of tasks) end(task, error);
}

function end(task: Task, error: StorageUnavailable | null): void {
  task.file.underWay -= 1;
  task.file.underWayBytes -= task.bytes;
  try {
    task.done(error, task.change);
  } catch (thrown) {
    throwLater(thrown);
  }
}

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
