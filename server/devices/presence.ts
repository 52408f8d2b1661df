import { putDocument, removeDocument, type Storage } from '../storage/storage.js';
import { Watchers } from '../watchers.js';

/** Whether a device is connected, and since when. */
export interface PresenceState {
  readonly isConnected: boolean;
  /** RFC 3339: when it connected, or when it was last heard; null for a device that never connected. */
  readonly at: string | null;
}

interface Present {
  /** 0: it has gone, and the time is on its way to the disk. */
  connections: number;
  /** Milliseconds since 1970. */
  connectedAt: number;
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
  readonly #watchers = new Watchers<PresenceState>();
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
    const now = this.#now().getTime();
    const present = this.#present.get(id) ?? { connections: 0, connectedAt: 0, activeAt: 0 };
    present.connections += 1;
    present.activeAt = now;
    this.#present.set(id, present);
    if (present.connections > 1) return;
    present.connectedAt = now;
    this.#count += 1;
    this.#watchers.tell(id, stateOf(present));
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
    this.#watchers.tell(id, stateOf(present));
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

  /** The device is being removed, and with it the time at which it was heard last. */
  async forget(id: string): Promise<void> {
    const file = await this.#storage.open(shardOf(id));
    if (file.latest.has(id)) await removeDocument(this.#storage, file, id);
  }

  /** Tells of each time that the device comes or goes. Returns what ends it. */
  watch(id: string, watcher: (state: PresenceState) => void): () => void {
    return this.#watchers.add(id, watcher);
  }

  /** Resolves when the times of all devices that have gone are kept, or cannot be. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#leaving);
  }

  async #keep(id: string, { activeAt }: Present): Promise<void> {
    const updatedAt = new Date(activeAt).toISOString();
    const file = await this.#storage.open(shardOf(id));
    const version = (file.latest.get(id)?.version ?? 0) + 1;
    await putDocument(this.#storage, file, id, { version, updatedAt, data: '{}' });
  }

  /** Of a device that has gone the time that was kept, so it is the same after a restart. */
  async state(id: string): Promise<PresenceState> {
    const at = await this.lastActivityAt(id);
    const present = this.#present.get(id);
    return present === undefined ? { isConnected: false, at } : stateOf(present);
  }

  /** RFC 3339, or null for a device that never connected. */
  async lastActivityAt(id: string): Promise<string | null> {
    const present = this.#present.get(id);
    if (present !== undefined) return new Date(present.activeAt).toISOString();
    const file = await this.#storage.open(shardOf(id));
    return file.documents.get(id)?.updatedAt ?? null;
  }
}

const stateOf = ({ connections, connectedAt, activeAt }: Present): PresenceState => {
  const isConnected = connections > 0;
  return { isConnected, at: new Date(isConnected ? connectedAt : activeAt).toISOString() };
};

/** The file that holds when a device was heard last: one of 256, as in the registry. */
const shardOf = (id: string): string => `activity/${id.slice(0, 2)}`;
