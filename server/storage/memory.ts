import { begin, Calls, fail, succeed, type Task } from './calls.js';
import { newestOf, OpenFile, Past, selectPast } from './open-file.js';
import {
  type Changed,
  type Documents,
  type Edit,
  type PastRange,
  type Storage,
  type StoredDocument,
  unshared,
} from './storage.js';

export interface MemoryStorage extends Storage {
  /** From now on every write fails with this cause, until it is undefined again. */
  failWith(cause: Error | undefined): void;
  /** What is stored in a file now. */
  stored(file: string): Documents;
  /** From now on a call on a file waits for the promise that this makes, if it makes one, as it waits for a disk. */
  holdBy(wait: (file: string) => Promise<void> | undefined): void;
}

const HISTORY_VERSIONS = 1000;
const HISTORY_BYTES = 16 * 1024 * 1024;

/**
 * A storage in memory, for tests. Like the real one it answers writes in a later turn, in their order.
 * @param now milliseconds since 1970
 */
export function memoryStorage(now: () => number = Date.now): MemoryStorage {
  const files = new Map<string, OpenFile>();
  let queue: Task[] = [];
  const held = new Map<string, Promise<void>>();
  let wait: (file: string) => Promise<void> | undefined = () => undefined;
  let failure: Error | undefined;
  let seq = 0;

  function open(name: string): OpenFile {
    const file = files.get(name) ?? new OpenFile(name, 0, [], new Past(HISTORY_VERSIONS, HISTORY_BYTES));
    files.set(name, file);
    return file;
  }

  function append(file: OpenFile, edit: Edit | undefined, done: Changed): void {
    seq += 1;
    if (queue.push(begin(file, edit && { seq, ...edit }, done)) === 1) setImmediate(settle);
  }

  function settle(): void {
    const tasks = queue;
    queue = [];
    if (failure === undefined) succeed(tasks);
    else fail(tasks, failure);
  }

  const calls = new Calls({
    peek(name) {
      const waiting = wait(name);
      if (waiting !== undefined) held.set(name, waiting);
      return waiting === undefined ? files.get(name) : undefined;
    },
    async open(name) {
      const waiting = held.get(name);
      held.delete(name);
      await waiting;
      return open(name);
    },
    append,
    now,
  });

  return {
    ...unshared,
    change: (name, decide, done) => calls.change(name, decide, done),
    read: (name, look, done) => calls.read(name, look, done),
    isWaiting: (name) => calls.isWaiting(name),
    now,
    past: async (name, key, range) => selectPast(newestFirst(open(name), key, range), range),
    list: async (prefix) =>
      [...files.values()]
        .filter(({ name, documents }) => name.startsWith(prefix) && documents.size > 0)
        .map(({ name }) => name),
    get healthy() {
      return failure === undefined;
    },
    close: () => new Promise((closed) => setImmediate(closed)),
    failWith(cause) {
      failure = cause;
    },
    stored: (name) => open(name).documents,
    holdBy(made) {
      wait = made;
    },
  };
}

async function* newestFirst(file: OpenFile, key: string, range: PastRange): AsyncGenerator<StoredDocument> {
  yield* newestOf(file.past?.recent(key).versions ?? [], range);
}
