import { putDocument } from '../storage/ask.js';
import type { Storage } from '../storage/storage.js';
import { shardOf } from './record.js';

interface Present {
  connections: number;
  /** Milliseconds since 1970. */
  activeAt: number;
}

/**
 * Which devices are connected, and when each was heard last. That is kept in memory while a device is connected, and
 * written when it goes: a write for every packet would wear the disk for nothing.
 */
export class Presence {
  readonly #storage: Storage;
  readonly #now: () => Date;
  readonly #present = new Map<string, Present>();

  constructor(storage: Storage, now: () => Date) {
    this.#storage = storage;
    this.#now = now;
  }

  get count(): number {
    return this.#present.size;
  }

  isConnected(id: string): boolean {
    return this.#present.has(id);
  }

  connected(id: string): void {
    const present = this.#present.get(id) ?? { connections: 0, activeAt: 0 };
    present.connections += 1;
    present.activeAt = this.#now().getTime();
    this.#present.set(id, present);
  }

  active(id: string): void {
    const present = this.#present.get(id);
    if (present !== undefined) present.activeAt = Date.now();
  }

  /** The last connection to go takes the time along; rejects with StorageUnavailable when it cannot be kept. */
  async disconnected(id: string): Promise<void> {
    const present = this.#present.get(id);
    if (present === undefined) return;
    present.connections -= 1;
    if (present.connections > 0) return;
    this.#present.delete(id);
    const updatedAt = new Date(present.activeAt).toISOString();
    const shard = shardOf('activity', id);
    const file = await this.#storage.open(shard);
    const version = (file.latest.get(id)?.version ?? 0) + 1;
    await putDocument(this.#storage, shard, id, { version, updatedAt, data: '{}' });
  }

  /** RFC 3339, or null for a device that never connected. */
  async lastActivityAt(id: string): Promise<string | null> {
    const present = this.#present.get(id);
    if (present !== undefined) return new Date(present.activeAt).toISOString();
    const file = await this.#storage.open(shardOf('activity', id));
    return file.documents.get(id)?.updatedAt ?? null;
  }
}
