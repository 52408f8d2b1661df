import { type MemoryStorage, memoryStorage } from '../../../server/storage/memory.js';
import type { Changed, Documents, ForeignChange, Storage } from '../../../server/storage/storage.js';
import { Watchers } from '../../../server/watchers.js';

/** The storage as one of several servers has it. */
export interface Party extends Storage {
  /** The server is killed: none of its calls is answered from now on, and it hears nothing. */
  kill(): void;
}

export interface SharedMemory {
  /** What all of them share. */
  readonly storage: MemoryStorage;
  /** One more server. */
  join(): Party;
}

/** A storage in memory that several servers share. Each hears, in their order, of the changes that another one makes. */
export function sharedMemory(): SharedMemory {
  const storage = memoryStorage();
  const parties = new Set<(changes: readonly ForeignChange[]) => void>();

  function join(): Party {
    const watchers = new Watchers<ForeignChange>();
    let isKilled = false;
    const hear = (changes: readonly ForeignChange[]): void => {
      for (const change of changes) watchers.tell(change.file, change);
    };
    parties.add(hear);
    return {
      ...storage,
      isShared: true,
      get healthy() {
        return storage.healthy;
      },
      change(file, decide, done) {
        let changes: ForeignChange[] = [];
        const answer: Changed = (error, edit) => {
          if (error === null && edit !== undefined) {
            for (const other of parties) if (other !== hear) setImmediate(() => other(changes));
          }
          if (!isKilled) done(error, edit);
        };
        if (isKilled) return;
        storage.change(
          file,
          (latest, now) => {
            const edit = decide(latest, now);
            if (edit === undefined) return undefined;
            const { key, document: after } = edit;
            const keys = key === undefined ? [...latest.keys()] : [key];
            changes = keys.map((each) => ({ file, key: each, before: latest.get(each), after }));
            return edit;
          },
          answer,
        );
      },
      read(file, look, done) {
        const lookAtCopy = (documents: Documents) => look(new Map(documents));
        if (!isKilled) storage.read(file, lookAtCopy, (error, value) => !isKilled && done(error, value));
      },
      watch: (file, watcher) => watchers.add(file, watcher),
      watchAll: (prefix, watcher) =>
        watchers.addToAll((change, file) => {
          if (file.startsWith(prefix)) watcher(change);
        }),
      kill() {
        isKilled = true;
        parties.delete(hear);
      },
    };
  }

  return { storage, join };
}
