/** What the bridge keeps on stable storage: the id of its instance, and what it has published for each panel. */

import { randomBytes } from 'node:crypto';
import { putDocument, removeDocument, type Storage, type StoredFile } from '../storage/storage.js';
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

  /** Made at the first call. It is part of every backup. */
  async instance(): Promise<string> {
    const file = await this.#storage.open(INSTANCE.file);
    const known = file.documents.get(INSTANCE.key);
    if (known !== undefined) return (JSON.parse(known.data) as { id: string }).id;
    const id = randomBytes(INSTANCE_BYTES).toString('hex');
    await this.#write(file, INSTANCE.key, { id });
    return id;
  }

  async all(): Promise<Map<string, Kept>> {
    const found = new Map<string, Kept>();
    for (const shard of await this.#storage.list(FOLDER)) {
      const { documents } = await this.#storage.open(shard);
      for (const [id, { data }] of documents) found.set(id, JSON.parse(data) as Kept);
    }
    return found;
  }

  put(id: string, kept: Kept): Promise<void> {
    return this.#next(async () => this.#write(await this.#shard(id), id, kept));
  }

  remove(id: string): Promise<void> {
    return this.#next(async () => {
      const file = await this.#shard(id);
      if (file.latest.has(id)) await removeDocument(this.#storage, file, id);
    });
  }

  #next(change: () => Promise<void>): Promise<void> {
    const done = this.#work.then(change);
    this.#work = done.catch(() => undefined);
    return done;
  }

  #shard(id: string): Promise<StoredFile> {
    return this.#storage.open(`${FOLDER}${id.slice(0, 2)}`);
  }

  #write(file: StoredFile, key: string, value: object): Promise<void> {
    const version = (file.latest.get(key)?.version ?? 0) + 1;
    const updatedAt = new Date().toISOString();
    return putDocument(this.#storage, file, key, { version, updatedAt, data: JSON.stringify(value) });
  }
}
