import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Documents, readDocuments, type Storage, type StoredDocument } from '../storage/storage.js';
import type { DeviceRecord } from './device.js';
import { Listing } from './listing.js';

/** How many files are read at a time. A database takes them in one statement. */
const SHARDS_AT_ONCE = 32;

const NONE: Documents = new Map();

export const recordIn = ({ data }: StoredDocument): DeviceRecord => JSON.parse(data);

/**
 * Keeps a listing of all devices, from the first list on: a server that is never asked for one holds none. What this server
 * changes it says itself. Where other servers change devices too, every list begins with a look at the files that are not
 * as they were.
 */
export class Catalog {
  readonly #storage: Pick<Storage, 'list' | 'read' | 'isShared'>;
  /** The name of the folder of the registry's files, with a slash. */
  readonly #folder: string;
  readonly #listing = new Listing();
  /** The registry's files as they were. */
  readonly #seen = new Map<string, Documents>();
  /** The devices that were removed while the files were read for the first time. */
  readonly #removed = new Set<string>();
  #phase: 'resting' | 'reading' | 'complete' = 'resting';
  #reading: Promise<void> = Promise.resolve();
  /** The reading that begins next. */
  #next: Promise<void> | undefined;

  constructor(storage: Pick<Storage, 'list' | 'read' | 'isShared'>, folder: string) {
    this.#storage = storage;
    this.#folder = folder;
  }

  /** This server has changed a device. Without a document it has removed it. */
  changed(id: string, document?: StoredDocument): void {
    if (this.#phase === 'resting' || this.#storage.isShared) return;
    if (document !== undefined) return this.#put(id, document);
    if (this.#phase === 'reading') this.#removed.add(id);
    this.#listing.remove(id);
  }

  /** All devices that were acknowledged before the call. @throws StorageUnavailable */
  async current(): Promise<Listing> {
    if (this.#phase !== 'complete' || this.#storage.isShared) await this.#readNext();
    return this.#listing;
  }

  /** A reading that has begun before the call may be too early. */
  #readNext(): Promise<void> {
    this.#next ??= this.#reading
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        this.#reading = this.#read();
        return this.#reading;
      });
    return this.#next;
  }

  async #read(): Promise<void> {
    if (this.#phase === 'complete' && !this.#storage.isShared) return;
    this.#phase = 'reading';
    const shards = await this.#storage.list(this.#folder);
    for (let first = 0; first < shards.length; first += SHARDS_AT_ONCE) {
      const some = shards.slice(first, first + SHARDS_AT_ONCE);
      const read = await Promise.all(some.map((shard) => readDocuments(this.#storage, shard)));
      for (const [index, documents] of read.entries()) await this.#see(some[index] as string, documents);
    }
    // A file that has lost its last device may be gone.
    for (const shard of this.#seen.keys()) if (!shards.includes(shard)) await this.#see(shard, NONE);
    this.#phase = 'complete';
    this.#removed.clear();
  }

  async #see(shard: string, documents: Documents): Promise<void> {
    const before = this.#seen.get(shard);
    if (before === documents) return;
    for (const id of before?.keys() ?? []) if (!documents.has(id)) this.#listing.remove(id);
    for (const [id, document] of documents) if (!this.#removed.has(id)) this.#put(id, document);
    if (this.#storage.isShared) this.#seen.set(shard, documents);
    await nextTurn();
  }

  #put(id: string, document: StoredDocument): void {
    if (this.#listing.knows(id, document.version)) return;
    this.#listing.put(id, document.version, recordIn(document));
  }
}
