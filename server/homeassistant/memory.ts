/** What the bridge keeps on stable storage: the id of its instance, and what it has published for each panel. */

import { randomBytes } from 'node:crypto';
import {
  changeFile,
  putDocument,
  readDocuments,
  removeDocument,
  type Storage,
  type StoredDocument,
} from '../storage/storage.js';
import { NO_NUMBERS, type Numbers } from './numbers.js';

export interface Kept {
  /** The retained topics that the broker may hold. A topic is kept before it is published, and until it is cleared. */
  readonly topics: readonly string[];
  readonly numbers: Numbers;
  readonly armedBy?: string | undefined;
}

export const NOTHING_KEPT: Kept = { topics: [], numbers: NO_NUMBERS };

const FOLDER = 'homeassistant/panels/';
const INSTANCE = { file: 'homeassistant/instance', key: 'instance' };
const INSTANCE_BYTES = 6;

/** Every call may reject with StorageUnavailable. */
export class Memory {
  readonly #storage: Storage;
  /** Changes are made one after the other. */
  #work: Promise<void> = Promise.resolve();

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** Made at the first call, by one of several servers for all. It is part of every backup. */
  async instance(): Promise<string> {
    const { file, key } = INSTANCE;
    const made = JSON.stringify({ id: randomBytes(INSTANCE_BYTES).toString('hex') });
    await changeFile(this.#storage, file, (latest, updatedAt) =>
      latest.has(key) ? undefined : { key, document: { version: 1, updatedAt, data: made } },
    );
    const { data } = (await readDocuments(this.#storage, file)).get(key) as StoredDocument;
    return (JSON.parse(data) as { id: string }).id;
  }

  async all(): Promise<Map<string, Kept>> {
    const found = new Map<string, Kept>();
    for (const shard of await this.#storage.list(FOLDER)) {
      for (const [id, { data }] of await readDocuments(this.#storage, shard))
        found.set(id, JSON.parse(data) as Kept);
    }
    return found;
  }

  put(id: string, kept: Kept): Promise<void> {
    return this.#next(() => putDocument(this.#storage, shardOf(id), id, JSON.stringify(kept)));
  }

  remove(id: string): Promise<void> {
    return this.#next(() => removeDocument(this.#storage, shardOf(id), id));
  }

  #next(change: () => Promise<unknown>): Promise<void> {
    const done = this.#work.then(change).then(() => undefined);
    this.#work = done.catch(() => undefined);
    return done;
  }
}

const shardOf = (id: string): string => `${FOLDER}${id.slice(0, 2)}`;
