/** What is kept of alerts on stable storage. Each kind of thing is one file; all of it is in memory. */

import type { Logger } from 'pino';
import type { Author } from '../access/author.js';
import { putDocument, readDocuments, removeDocument, type Storage } from '../storage/storage.js';
import type { Alert } from './alert.js';
import type { Message } from './channels/channel.js';

/** A message on its way to one target. Times are RFC 3339. */
export interface Delivery {
  /** `<alert>.<telling>.<channel>.<target>`: the same message is never made twice. */
  readonly id: string;
  readonly channel: string;
  readonly target: string;
  readonly message: Message;
  readonly status: 'waiting' | 'delivered' | 'failed';
  readonly attempts: number;
  /** When it is tried next, or was tried last. */
  readonly at: string;
  /** Why the last attempt failed. */
  readonly reason: string | null;
  /** It waits, and does not get through for now. */
  readonly is_held_up?: boolean;
}

/** Until when a panel's alerts are not told. */
export interface Mute {
  /** The panel's id. */
  readonly id: string;
  /** RFC 3339. */
  readonly until: string;
  /** The description of the token, or its role. */
  readonly by: string;
}

/** A panel that was armed when it reported last. */
interface ArmedPanel {
  readonly id: string;
}

/** One file of things that have ids. */
export class Shelf<Thing extends { readonly id: string }> {
  readonly #storage: Storage;
  readonly #file: string;
  readonly #log: Logger;
  readonly #things: Map<string, Thing>;

  private constructor(storage: Storage, file: string, log: Logger, things: Map<string, Thing>) {
    this.#storage = storage;
    this.#file = file;
    this.#log = log;
    this.#things = things;
  }

  /** @throws StorageUnavailable */
  static async open<Thing extends { readonly id: string }>(
    storage: Storage,
    file: string,
    log: Logger,
  ): Promise<Shelf<Thing>> {
    const things = [...(await readDocuments(storage, file))].map(
      ([id, { data }]) => [id, JSON.parse(data) as Thing] as const,
    );
    return new Shelf(storage, file, log, new Map(things));
  }

  /** As it is in memory: also what is being written. */
  get all(): readonly Thing[] {
    return [...this.#things.values()];
  }

  get(id: string): Thing | undefined {
    return this.#things.get(id);
  }

  /**
   * Without an author memory changes at once. Resolves when it is on stable storage.
   * @throws StorageUnavailable, and what the author's `judge` throws
   */
  async put(thing: Thing, author?: Author): Promise<void> {
    if (author !== undefined) await this.#judge(author);
    this.#things.set(thing.id, thing);
    await putDocument(this.#storage, this.#file, thing.id, JSON.stringify(thing));
  }

  /** @throws StorageUnavailable, and what the author's `judge` throws */
  async remove(id: string, author?: Author): Promise<void> {
    if (author !== undefined) await this.#judge(author);
    if (!this.#things.delete(id)) return;
    await removeDocument(this.#storage, this.#file, id);
  }

  /** Puts a thing. When the disk takes no writes, memory has it, and the failure is logged. */
  async keep(thing: Thing): Promise<void> {
    try {
      await this.put(thing);
    } catch (error) {
      this.#log.error(
        { err: error, file: this.#file, id: thing.id },
        'what belongs to alerts could not be kept',
      );
    }
  }

  /** Removes the oldest of those that are past, except so many. The disk may keep them until the next start. */
  forgetOldest(isPast: (thing: Thing) => boolean, most: number): void {
    const past = this.all.filter(isPast);
    for (const { id } of past.slice(0, Math.max(0, past.length - most)))
      this.remove(id).catch(() => undefined);
  }

  async #judge(author: Author): Promise<void> {
    await readDocuments(this.#storage, this.#file);
    author.judge();
  }
}

/** How many past alerts and finished deliveries are kept. */
export const PAST_ALERTS = 1000;
export const PAST_DELIVERIES = 200;

export interface AlertStore {
  readonly alerts: Shelf<Alert>;
  readonly deliveries: Shelf<Delivery>;
  readonly mutes: Shelf<Mute>;
  readonly armed: Shelf<ArmedPanel>;
  /** Written to find out whether the storage takes writes. */
  readonly proof: Shelf<{ readonly id: string }>;
}

/** @throws StorageUnavailable */
export async function openAlertStore(storage: Storage, log: Logger): Promise<AlertStore> {
  return {
    alerts: await Shelf.open<Alert>(storage, 'alerts/alerts', log),
    deliveries: await Shelf.open<Delivery>(storage, 'alerts/deliveries', log),
    mutes: await Shelf.open<Mute>(storage, 'alerts/mutes', log),
    armed: await Shelf.open<ArmedPanel>(storage, 'alerts/armed', log),
    proof: await Shelf.open(storage, 'alerts/proof', log),
  };
}
