import { putDocument, removeDocument, type Storage } from '../storage/storage.js';
import { Watchers } from '../watchers.js';

/** Whether a device is connected, and since when. */
export interface PresenceState {
  readonly isConnected: boolean;
  /** RFC 3339: when it connected, or when it was last heard; null for a device that never connected. */
  readonly at: string | null;
}

/**
 * How long a device that stays connected may be heard before that is kept. So much, and what one write takes, is what a
 * crash can make of the time at which a device was heard last.
 */
export const HEARD_EVERY_MS = 30_000;

interface Present {
  /** 0: it has gone, and the time is on its way to the disk. */
  connections: number;
  /** Milliseconds since 1970. */
  connectedAt: number;
  /** Milliseconds since 1970. */
  activeAt: number;
}

export interface PresenceOptions {
  readonly now: () => Date;
  /** What is kept for a crash could not be written. */
  readonly onError?: (error: Error) => void;
  /** See HEARD_EVERY_MS; only tests change it. */
  readonly heardEveryMs?: number | undefined;
}

/**
 * Which devices are connected, and when each was heard last. That is kept in memory while a device is connected, and
 * written when it goes: a write for every packet would wear the disk for nothing. `Heard` keeps it for a crash.
 */
export class Presence {
  readonly #storage: Storage;
  readonly #now: () => Date;
  readonly #present = new Map<string, Present>();
  readonly #leaving = new Set<Promise<void>>();
  readonly #watchers = new Watchers<PresenceState>();
  readonly #heard: Heard;
  #count = 0;

  constructor(storage: Storage, { now, onError = () => undefined, heardEveryMs }: PresenceOptions) {
    this.#storage = storage;
    this.#now = now;
    this.#heard = new Heard(storage, () => this.#connected(), onError, heardEveryMs);
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
    this.#heard.changed();
    if (present.connections > 1) return;
    present.connectedAt = now;
    this.#count += 1;
    this.#watchers.tell(id, stateOf(present));
  }

  active(id: string): void {
    const present = this.#present.get(id);
    if (present === undefined) return;
    present.activeAt = this.#now().getTime();
    this.#heard.changed();
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
    await this.#heard.drop(id);
  }

  /** Tells of each time that the device comes or goes. Returns what ends it. */
  watch(id: string, watcher: (state: PresenceState) => void): () => void {
    return this.#watchers.add(id, watcher);
  }

  /** Resolves when the times of all devices that have gone are kept, or cannot be. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#leaving);
    await this.#heard.close();
  }

  *#connected(): Generator<[string, number]> {
    for (const [id, { connections, activeAt }] of this.#present) if (connections > 0) yield [id, activeAt];
  }

  async #keep(id: string, { activeAt }: Present): Promise<void> {
    const updatedAt = new Date(activeAt).toISOString();
    const file = await this.#storage.open(shardOf(id));
    const version = (file.latest.get(id)?.version ?? 0) + 1;
    await putDocument(this.#storage, file, id, { version, updatedAt, data: '{}' });
    await this.#heard.drop(id);
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
    // In this order: what goes from the first is in the second.
    const cutOff = await this.#heard.at(id);
    const gone = (await this.#storage.open(shardOf(id))).documents.get(id)?.updatedAt;
    const last = Math.max(cutOff ?? 0, gone === undefined ? 0 : Date.parse(gone));
    return last === 0 ? null : new Date(last).toISOString();
  }
}

const stateOf = ({ connections, connectedAt, activeAt }: Present): PresenceState => {
  const isConnected = connections > 0;
  return { isConnected, at: new Date(isConnected ? connectedAt : activeAt).toISOString() };
};

/** The file that holds when a device was heard last: one of 256, as in the registry. */
const shardOf = (id: string): string => `activity/${id.slice(0, 2)}`;

/** By device id, in milliseconds since 1970. */
type Times = Map<string, number>;

const FILE = 'connected';
const KEY = 'heard';

/**
 * When the devices that are connected were heard last, for the start after a crash. All of them are one document, which
 * is written at once after a time of silence and else once in `everyMs`: neither for each packet nor for each device.
 */
class Heard {
  readonly #storage: Storage;
  readonly #connected: () => Iterable<[string, number]>;
  readonly #onError: (error: Error) => void;
  readonly #everyMs: number;
  #times: Promise<Times> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #writtenAt = Number.NEGATIVE_INFINITY;

  /** @param connected each device that is connected now, and when it was heard last */
  constructor(
    storage: Storage,
    connected: () => Iterable<[string, number]>,
    onError: (error: Error) => void,
    everyMs = HEARD_EVERY_MS,
  ) {
    this.#storage = storage;
    this.#connected = connected;
    this.#onError = onError;
    this.#everyMs = everyMs;
  }

  /** A device was heard; cheap enough for every packet. */
  changed(): void {
    if (this.#timer !== undefined) return;
    const wait = Math.max(0, this.#writtenAt + this.#everyMs - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#writing = this.#write().catch((error) => {
        this.#onError(error);
        this.changed();
      });
    }, wait).unref();
  }

  /** Of a device that a crash of the server has cut off, and that has not gone since in order. */
  async at(id: string): Promise<number | undefined> {
    return (await this.#read()).get(id);
  }

  /** What is kept of the device elsewhere is newer, or the device is no more; the next write leaves it out. */
  async drop(id: string): Promise<void> {
    if ((await this.#read()).delete(id)) this.changed();
  }

  /** Writes what is left to write. */
  async close(): Promise<void> {
    await this.#writing;
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    await this.#write().catch(this.#onError);
  }

  async #write(): Promise<void> {
    this.#writtenAt = performance.now();
    const times = await this.#read();
    for (const [id, at] of this.#connected()) times.set(id, at);
    const file = await this.#storage.open(FILE);
    const before = file.latest.get(KEY);
    if (times.size === 0) return before && removeDocument(this.#storage, file, KEY);
    const data = JSON.stringify(Object.fromEntries(times));
    const updatedAt = new Date().toISOString();
    await putDocument(this.#storage, file, KEY, { version: (before?.version ?? 0) + 1, updatedAt, data });
  }

  /** Read once, unless that fails. */
  async #read(): Promise<Times> {
    this.#times ??= this.#storage.open(FILE).then(({ documents }) => {
      const data = documents.get(KEY)?.data ?? '{}';
      return new Map(Object.entries(JSON.parse(data) as Record<string, number>));
    });
    try {
      return await this.#times;
    } catch (error) {
      this.#times = undefined;
      throw error;
    }
  }
}
