import {
  begin,
  type Change,
  fail,
  newestOf,
  OpenFile,
  Past,
  selectPast,
  succeed,
  type Task,
} from './open-file.js';
import type { PastRange, Storage, StoredDocument, Written } from './storage.js';

export interface MemoryStorage extends Storage {
  /** From now on every write fails with this cause, until it is undefined again. */
  failWith(cause: Error | undefined): void;
}

const HISTORY_VERSIONS = 1000;
const HISTORY_BYTES = 16 * 1024 * 1024;

/** A storage in memory, for tests. Like the real one it answers writes in a later turn, in their order. */
export function memoryStorage(): MemoryStorage {
  const files = new Map<string, OpenFile>();
  let queue: Task[] = [];
  let failure: Error | undefined;
  let seq = 0;

  function open(name: string): OpenFile {
    const file = files.get(name) ?? new OpenFile(name, 0, [], new Past(HISTORY_VERSIONS, HISTORY_BYTES));
    files.set(name, file);
    return file;
  }

  function enqueue(file: OpenFile, change: Change | undefined, done: Written): void {
    if (queue.push(begin(file, change, done)) === 1) setImmediate(settle);
  }

  function settle(): void {
    const tasks = queue;
    queue = [];
    if (failure === undefined) succeed(tasks);
    else fail(tasks, failure);
  }

  return {
    peek: (name) => files.get(name),
    open: async (name) => open(name),
    put: (file: OpenFile, key, document, written) => enqueue(file, { seq: ++seq, key, document }, written),
    remove: (file: OpenFile, key, written) =>
      enqueue(file, { seq: ++seq, key, document: undefined }, written),
    settled(file: OpenFile, then) {
      if (file.underWay === 0) then();
      else enqueue(file, undefined, then);
    },
    past: (file: OpenFile, key, range) => selectPast(newestFirst(file, key, range), range),
    list: async (prefix) => [...files.keys()].filter((name) => name.startsWith(prefix)),
    get healthy() {
      return failure === undefined;
    },
    close: () => new Promise((closed) => setImmediate(closed)),
    failWith(cause) {
      failure = cause;
    },
  };
}

async function* newestFirst(file: OpenFile, key: string, range: PastRange): AsyncGenerator<StoredDocument> {
  yield* newestOf(file.past?.recent(key).versions ?? [], range);
}
