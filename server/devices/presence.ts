import { memo, once } from '../memo.js';
import {
  changeFile,
  putDocument,
  readDocuments,
  removeDocument,
  type Storage,
  type StoredDocument,
} from '../storage/storage.js';
import { Watchers } from '../watchers.js';

/** Whether a device is connected, and since when. */
export interface PresenceState {
  readonly isConnected: boolean;
  /** RFC 3339. When it connected, or when it was last heard. Null for a device that never connected. */
  readonly at: string | null;
}

/**
 * How long the server waits between two writes of when the connected devices were heard. After a crash the time at
 * which a device was heard last may be wrong by this much and the time of one write.
 */
export const HEARD_EVERY_MS = 30_000;

/** The devices that are connected to other servers. */
export interface Elsewhere {
  /** Since when, in milliseconds since 1970. Undefined when the device is connected to none. */
  connectedAt(id: string): number | undefined;
  /** Calls with each device that comes to the others, and with each that has left them all. */
  watch(watcher: (id: string, connectedAt: number | undefined) => void): void;
}

interface Present {
  /** 0 when the device has gone and its time is being written. */
  connections: number;
  /** Milliseconds since 1970. */
  connectedAt: number;
  /** Milliseconds since 1970. */
  activeAt: number;
}

/**
 * Which devices are connected, and when each was heard last. The time is kept in memory while a device is connected and
 * is written when it comes and when it goes, because a write for every packet would wear out the disk. `Heard` keeps
 * the times between for a crash.
 */
export class Presence {
  readonly #storage: Storage;
  readonly #onError: (error: Error) => void;
  readonly #present = new Map<string, Present>();
  readonly #keeping = new Set<Promise<void>>();
  readonly #watchers = new Watchers<PresenceState>();
  readonly #heard: Heard;
  readonly #elsewhere: Elsewhere | undefined;
  #count = 0;

  constructor(
    storage: Storage,
    {
      onError = () => undefined,
      heardEveryMs,
      elsewhere,
      node,
    }: {
      /** Called when a time could not be written. */
      onError?: ((error: Error) => void) | undefined;
      /** See HEARD_EVERY_MS. Only tests change it. */
      heardEveryMs?: number | undefined;
      elsewhere?: Elsewhere | undefined;
      /** The id of this server, when others share the storage. */
      node?: string | undefined;
    } = {},
  ) {
    this.#storage = storage;
    this.#onError = onError;
    this.#elsewhere = elsewhere;
    elsewhere?.watch((id, connectedAt) => this.#movedElsewhere(id, connectedAt));
    this.#heard = new Heard(storage, () => this.#connected(), onError, heardEveryMs, node);
  }

  /** How many devices are connected. */
  get count(): number {
    return this.#count;
  }

  isConnected(id: string): boolean {
    return this.#isHere(id) || this.#elsewhere?.connectedAt(id) !== undefined;
  }

  #isHere(id: string): boolean {
    return (this.#present.get(id)?.connections ?? 0) > 0;
  }

  /** The watchers hear of a device that has come to any server, or left them all. */
  async #movedElsewhere(id: string, connectedAt: number | undefined): Promise<void> {
    if (this.#isHere(id)) return;
    if (connectedAt !== undefined) {
      this.#watchers.tell(id, { isConnected: true, at: timeText(connectedAt) });
      return;
    }
    const at = await this.lastActivityAt(id).catch(() => null);
    // It may have come back meanwhile.
    if (!this.isConnected(id)) this.#watchers.tell(id, { isConnected: false, at });
  }

  /** @param now as other servers know it, in milliseconds since 1970 */
  connected(id: string, now = this.#storage.now()): void {
    const present = this.#present.get(id) ?? { connections: 0, connectedAt: 0, activeAt: 0 };
    present.connections += 1;
    present.activeAt = now;
    this.#present.set(id, present);
    this.#heard.changed();
    if (present.connections > 1) return;
    present.connectedAt = now;
    this.#count += 1;
    // A device that moves here from another server was connected all the time.
    if (this.#elsewhere?.connectedAt(id) === undefined) this.#watchers.tell(id, stateOf(present));
    this.#keep(id, present);
  }

  /** A packet of a connected device has come. */
  active(id: string): void {
    const present = this.#present.get(id);
    if (present === undefined) return;
    present.activeAt = this.#storage.now();
    this.#heard.changed();
  }

  /** Writes the time when the last connection has gone. Resolves when it is written, or cannot be. */
  async disconnected(id: string): Promise<void> {
    const present = this.#present.get(id);
    if (present === undefined || present.connections === 0) return;
    present.connections -= 1;
    if (present.connections > 0) return;
    this.#count -= 1;
    if (this.#elsewhere?.connectedAt(id) === undefined) this.#watchers.tell(id, stateOf(present));
    await this.#keep(id, present);
    // Until now the time was read from memory. The device may have come back meanwhile.
    if (present.connections === 0 && this.#present.get(id) === present) this.#present.delete(id);
  }

  /** Removes what is kept of a device that is being removed. @throws StorageUnavailable */
  async forget(id: string): Promise<void> {
    await removeDocument(this.#storage, shardOf(id), id);
    await this.#heard.drop(id);
  }

  /** The devices whose times a crash may have left, or that are connected. @throws StorageUnavailable */
  heardIds(): Promise<string[]> {
    return this.#heard.ids();
  }

  /** The devices of a folder, the first two digits of their ids, of which a time is kept. @throws StorageUnavailable */
  async idsIn(folder: string): Promise<string[]> {
    return [...(await readDocuments(this.#storage, shardOf(folder))).keys()];
  }

  /** Calls the watcher each time the device comes or goes. Returns a function that ends this. */
  watch(id: string, watcher: (state: PresenceState) => void): () => void {
    return this.#watchers.add(id, watcher);
  }

  /** The same for all devices, with the id of each. */
  watchAll(watcher: (state: PresenceState, id: string) => void): () => void {
    return this.#watchers.addToAll(watcher);
  }

  /** Resolves when all times are written, or cannot be. */
  async close(): Promise<void> {
    await Promise.all(this.#keeping);
    await this.#heard.close();
  }

  *#connected(): Generator<[string, number]> {
    for (const [id, { connections, activeAt }] of this.#present) if (connections > 0) yield [id, activeAt];
  }

  /** Resolves when the time is written, or cannot be. */
  #keep(id: string, { activeAt }: Present): Promise<void> {
    const keeping = this.#write(id, activeAt)
      .catch(this.#onError)
      .finally(() => this.#keeping.delete(keeping));
    this.#keeping.add(keeping);
    return keeping;
  }

  async #write(id: string, activeAt: number): Promise<void> {
    const updatedAt = new Date(activeAt).toISOString();
    await changeFile(this.#storage, shardOf(id), (latest) => {
      const version = (latest.get(id)?.version ?? 0) + 1;
      return { key: id, document: { version, updatedAt, data: '{}' } };
    });
    await this.#heard.drop(id);
  }

  /** For a device that has gone this is the written time, so it is the same after a restart. */
  async state(id: string): Promise<PresenceState> {
    const at = await this.lastActivityAt(id);
    const present = this.#present.get(id);
    const elsewhere = this.#elsewhere?.connectedAt(id);
    if (elsewhere !== undefined && !this.#isHere(id)) return { isConnected: true, at: timeText(elsewhere) };
    return present === undefined ? { isConnected: false, at } : stateOf(present);
  }

  /** RFC 3339, or null for a device that never connected. */
  async lastActivityAt(id: string): Promise<string | null> {
    const present = this.#present.get(id);
    if (present !== undefined) return new Date(present.activeAt).toISOString();
    // The order matters: a time leaves the first place when it is in the second.
    const cutOff = await this.#heard.timeOf(id);
    const gone = (await readDocuments(this.#storage, shardOf(id))).get(id)?.updatedAt;
    const last = Math.max(cutOff ?? 0, gone === undefined ? 0 : Date.parse(gone));
    return last === 0 ? null : new Date(last).toISOString();
  }
}

const timeText = (milliseconds: number): string => new Date(milliseconds).toISOString();

const stateOf = ({ connections, connectedAt, activeAt }: Present): PresenceState => {
  const isConnected = connections > 0;
  return { isConnected, at: new Date(isConnected ? connectedAt : activeAt).toISOString() };
};

/** The file that holds when a device was heard last. There are 256, as in the registry. */
const shardOf = (id: string): string => `activity/${id.slice(0, 2)}`;

/** By device id, in milliseconds since 1970. */
type Times = Map<string, number>;

const FILE = 'connected';
const KEY = 'heard';

/** What a server that never came back has left is removed after so many milliseconds: 30 days. */
const LEFT_MS = 30 * 24 * 60 * 60 * 1000;

const timesIn = memo(({ data }: StoredDocument): Record<string, number> => JSON.parse(data), new WeakMap());

/**
 * When the connected devices were heard last, for the time after a crash. All times of a server are one document. It is
 * written at once after a time of silence, and otherwise once in `everyMs`, so it costs no write for each packet or device.
 */
class Heard {
  readonly #storage: Storage;
  readonly #connected: () => Iterable<[string, number]>;
  readonly #onError: (error: Error) => void;
  readonly #everyMs: number;
  /** That of this server's document. */
  readonly #key: string;
  readonly #times = once(() => this.#read());
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #writtenAt = Number.NEGATIVE_INFINITY;

  /**
   * @param connected each device that is connected now, and when it was heard last
   * @param node the id of this server, when others share the storage
   */
  constructor(
    storage: Storage,
    connected: () => Iterable<[string, number]>,
    onError: (error: Error) => void,
    everyMs = HEARD_EVERY_MS,
    node = KEY,
  ) {
    this.#key = node;
    this.#storage = storage;
    this.#connected = connected;
    this.#onError = onError;
    this.#everyMs = everyMs;
  }

  /** A device was heard. This is cheap, because it is called for every packet. */
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

  /** Only for a device that was connected when the server crashed, and that has not gone in order since. */
  async timeOf(id: string): Promise<number | undefined> {
    const own = (await this.#times()).get(id) ?? 0;
    const times = (await this.#others()).map((document) => timesIn(document)[id] ?? 0);
    return Math.max(own, ...times) || undefined;
  }

  async ids(): Promise<string[]> {
    const others = (await this.#others()).flatMap((document) => Object.keys(timesIn(document)));
    return [...new Set([...(await this.#times()).keys(), ...others])];
  }

  /** What the other servers have written, or have left. */
  async #others(): Promise<StoredDocument[]> {
    if (this.#key === KEY) return [];
    const documents = [...(await readDocuments(this.#storage, FILE))];
    return documents.filter(([key]) => key !== this.#key).map(([, document]) => document);
  }

  /** Leaves the device out of the next write: it is removed, or a newer time is kept elsewhere. */
  async drop(id: string): Promise<void> {
    if ((await this.#times()).delete(id)) this.changed();
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
    const times = await this.#times();
    for (const [id, at] of this.#connected()) times.set(id, at);
    if (times.size === 0) await removeDocument(this.#storage, FILE, this.#key);
    else await putDocument(this.#storage, FILE, this.#key, JSON.stringify(Object.fromEntries(times)));
  }

  async #read(): Promise<Times> {
    const documents = await readDocuments(this.#storage, FILE);
    const oldest = new Date(this.#storage.now() - LEFT_MS).toISOString();
    for (const [key, { updatedAt }] of documents) {
      if (key !== this.#key && updatedAt < oldest) await removeDocument(this.#storage, FILE, key);
    }
    const own = documents.get(this.#key);
    return new Map(own === undefined ? [] : Object.entries(timesIn(own)));
  }
}
