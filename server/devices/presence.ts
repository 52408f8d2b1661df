import { putDocument } from '../storage/ask.js';
import type { Storage } from '../storage/storage.js';
import { shardOf } from './record.js';

interface Present {
  /** 0: it has gone, and the time is on its way to the disk. */
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
  readonly #leaving = new Set<Promise<void>>();
  #count = 0;

  constructor(storage: Storage, now: () => Date) {
    this.#storage = storage;
    this.#now = now;
  }

  /** How many devices are connected. */
  get count(): number {
    return this.#count;
  }

  isConnected(id: string): boolean {
    return (this.#present.get(id)?.connections ?? 0) > 0;
  }

  connected(id: string): void {
    const present = this.#present.get(id) ?? { connections: 0, activeAt: 0 };
    if (present.connections === 0) this.#count += 1;
    present.connections += 1;
    present.activeAt = this.#now().getTime();
    this.#present.set(id, present);
  }

  active(id: string): void {
    const present = this.#present.get(id);
    if (present !== undefined) present.activeAt = this.#now().getTime();
  }

  /** The last connection to go takes the time along; rejects with StorageUnavailable when it cannot be kept. */
  async disconnected(id: string): Promise<void> {
    const present = this.#present.get(id);
    if (present === undefined || present.connections === 0) return;
    present.connections -= 1;
    if (present.connections > 0) return;
    this.#count -= 1;
    const leaving = this.#keep(id, present);
    this.#leaving.add(leaving);
    try {
      await leaving;
    } finally {
      this.#leaving.delete(leaving);
      // Until here the time is read from memory; the device may have come back meanwhile.
      if (present.connections === 0 && this.#present.get(id) === present) this.#present.delete(id);
    }
  }

  /** Resolves when the times of all devices that have gone are kept, or cannot be. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#leaving);
  }

  async #keep(id: string, { activeAt }: Present): Promise<void> {
    const updatedAt = new Date(activeAt).toISOString();
    const file = await this.#storage.open(shardOf('activity', id));
    const version = (file.latest.get(id)?.version ?? 0) + 1;
    await putDocument(this.#storage, file, id, { version, updatedAt, data: '{}' });
  }

  /** RFC 3339, or null for a device that never connected. */
  async lastActivityAt(id: string): Promise<string | null> {
    const present = this.#present.get(id);
    if (present !== undefined) return new Date(present.activeAt).toISOString();
    const file = await this.#storage.open(shardOf('activity', id));
    return file.documents.get(id)?.updatedAt ?? null;
  }
}
