/** A database of a test, in memory, that can be cut off at any of its calls. */

import type { Database, Holding } from '../../../server/migration/migrate.js';
import type { WholeFile } from '../../../server/migration/whole-file.js';
import { type MemoryStorage, memoryStorage } from '../../../server/storage/memory.js';
import { put } from '../storage/contract.js';

export class DatabaseUnderTest implements Database {
  readonly address = 'postgres://twin@db.example:5432/twin';
  stored: MemoryStorage = this.#newStorage();
  held: Holding | undefined;
  served = false;
  /** How many calls still come through. */
  calls = Number.POSITIVE_INFINITY;

  async holding(): Promise<Holding | undefined> {
    this.#call();
    return this.held;
  }

  async isServed(): Promise<boolean> {
    this.#call();
    return this.served;
  }

  async storage(): Promise<MemoryStorage> {
    return this.stored;
  }

  async clear(hub: string): Promise<void> {
    this.#call();
    this.stored = this.#newStorage();
    this.held = { phase: 'arriving', hub };
  }

  async fill(files: AsyncIterable<WholeFile>): Promise<void> {
    for await (const { name, documents } of files) {
      this.#call();
      for (const { key, document, past } of documents)
        for (const version of [...past, document]) await put(this.stored, name, key, version);
    }
  }

  async enter(holding: Holding): Promise<void> {
    this.#call();
    this.held = holding;
  }

  #newStorage(): MemoryStorage {
    const storage = memoryStorage();
    const { list } = storage;
    return Object.assign(storage, {
      list: async (prefix: string) => {
        this.#call();
        return list(prefix);
      },
    });
  }

  #call(): void {
    this.calls -= 1;
    if (this.calls < 0) throw new Error('the connection is lost');
  }
}
