import type { Logger } from 'pino';
import type { Author } from '../access/author.js';
import type { Documents, Storage, StoredDocument } from '../storage/storage.js';

/**
 * Decides what a thing becomes: the same thing when there is nothing to change, undefined when it is removed. It has no other
 * effect, because it is called again when another server changes the file first. What it throws refuses the change.
 * @param all everything on the shelf
 */
export type Becomes<Thing> = (latest: Thing | undefined, all: () => Thing[]) => Thing | undefined;

interface Known<Thing> {
  readonly thing: Thing;
  /** Absent while the storage has not taken the thing as it is here. */
  readonly stored: StoredDocument | undefined;
}

/** One file of things that have ids. All of them are in memory, also those that another server puts there. */
export class Shelf<Thing extends { readonly id: string }> {
  readonly #storage: Storage;
  readonly #file: string;
  readonly #log: Logger;
  readonly #known = new Map<string, Known<Thing>>();
  readonly #watchers = new Set<(id: string) => void>();

  private constructor(storage: Storage, file: string, log: Logger) {
    this.#storage = storage;
    this.#file = file;
    this.#log = log;
  }

  /** @throws StorageUnavailable */
  static async open<Thing extends { readonly id: string }>(
    storage: Storage,
    file: string,
    log: Logger,
  ): Promise<Shelf<Thing>> {
    const shelf = new Shelf<Thing>(storage, file, log);
    storage.watch(file, ({ key, after }) => shelf.#hear(key, after));
    await shelf.read();
    return shelf;
  }

  /** As it is in memory. */
  get all(): readonly Thing[] {
    return [...this.#known.values()].map(({ thing }) => thing);
  }

  get(id: string): Thing | undefined {
    return this.#known.get(id)?.thing;
  }

  /** As it is on stable storage now, and what the storage has not taken. @throws StorageUnavailable */
  read(): Promise<readonly Thing[]> {
    return this.#read(() => undefined);
  }

  /** Reads everything, as after a restart: what the storage has not taken is forgotten. @throws StorageUnavailable */
  async readAnew(): Promise<void> {
    await this.#read(() => this.#known.clear());
  }

  /** Calls the watcher with the id of each thing that another server changes. Returns a function that ends this. */
  watch(watcher: (id: string) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /**
   * Changes a thing as it is on stable storage. Resolves with what it has become.
   * @throws StorageUnavailable, and what `becomes` and the author's `judge` throw
   */
  change(id: string, becomes: Becomes<Thing>, author?: Author): Promise<Thing | undefined> {
    return new Promise((done, failed) => {
      let next: Thing | undefined;
      this.#storage.change(
        this.#file,
        (latest, updatedAt) => {
          author?.judge();
          const before = latest.get(id);
          const present = this.#aheadOf(id) ?? this.#thingIn(id, before);
          next = becomes(present, () => [...latest].map(([key, each]) => this.#thingIn(key, each) as Thing));
          if (next === present || (next === undefined && before === undefined)) return undefined;
          if (next === undefined) return { key: id, document: undefined };
          const version = (before?.version ?? 0) + 1;
          return { key: id, document: { version, updatedAt, data: JSON.stringify(next) } };
        },
        (error, edit) => {
          if (error !== null) return failed(error);
          if (next === undefined) this.#known.delete(id);
          else if (edit !== undefined) this.#known.set(id, { thing: next, stored: edit.document });
          done(next);
        },
      );
    });
  }

  /** @throws StorageUnavailable, and what the author's `judge` throws */
  async put(thing: Thing, author?: Author): Promise<void> {
    await this.change(thing.id, () => thing, author);
  }

  /** @throws StorageUnavailable, and what the author's `judge` throws */
  async remove(id: string, author?: Author): Promise<void> {
    await this.change(id, () => undefined, author);
  }

  /** Changes a thing. When the storage takes no writes, memory has the change, and the failure is logged. */
  async keep(id: string, becomes: Becomes<Thing>): Promise<Thing | undefined> {
    try {
      return await this.change(id, becomes);
    } catch (error) {
      this.#log.error({ err: error, file: this.#file, id }, 'what belongs to alerts could not be kept');
      const present = this.get(id);
      const next = becomes(present, () => [...this.all]);
      if (next === undefined) this.#known.delete(id);
      else if (next !== present) this.#known.set(id, { thing: next, stored: undefined });
      return next;
    }
  }

  /** Removes the oldest of those that are past, except so many. The disk may keep them until the next start. */
  forgetOldest(isPast: (thing: Thing) => boolean, ageOf: (thing: Thing) => string, most: number): void {
    const past = this.all.filter(isPast);
    if (past.length <= most) return;
    past.sort((one, other) => (ageOf(one) < ageOf(other) ? -1 : 1));
    for (const { id } of past.slice(0, past.length - most))
      this.remove(id).catch(() => this.#known.delete(id));
  }

  #read(first: () => void): Promise<readonly Thing[]> {
    return new Promise((done, failed) => {
      this.#storage.read(
        this.#file,
        (documents) => documents,
        (error, documents) => {
          if (error !== null) return failed(error);
          first();
          // In this turn, because the answer to a later change may come in the next one.
          this.#take(documents as Documents);
          done(this.all);
        },
      );
    });
  }

  #take(documents: Documents): void {
    for (const [id, { stored }] of this.#known) {
      if (stored !== undefined && !documents.has(id)) this.#known.delete(id);
    }
    for (const [id, stored] of documents) {
      if (this.#aheadOf(id) !== undefined) continue;
      this.#known.set(id, { thing: this.#thingIn(id, stored) as Thing, stored });
    }
  }

  #hear(id: string, stored: StoredDocument | undefined): void {
    if (stored === undefined) this.#known.delete(id);
    else this.#known.set(id, { thing: this.#thingIn(id, stored) as Thing, stored });
    for (const watcher of this.#watchers) watcher(id);
  }

  /** The thing in memory that the storage has not taken. */
  #aheadOf(id: string): Thing | undefined {
    const known = this.#known.get(id);
    return known?.stored === undefined ? known?.thing : undefined;
  }

  #thingIn(id: string, stored: StoredDocument | undefined): Thing | undefined {
    if (stored === undefined) return undefined;
    const known = this.#known.get(id);
    return known?.stored === stored ? known.thing : (JSON.parse(stored.data) as Thing);
  }
}
