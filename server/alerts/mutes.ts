import type { Author } from '../access/author.js';
import { type Clock, DueTimes, wallTimeOf } from './clock.js';
import type { Shelf } from './shelf.js';
import type { Mute } from './store.js';

/** The mutes of panels. Each ends by elapsed time from when this server learned of it. */
export class Mutes {
  readonly #shelf: Shelf<Mute>;
  readonly #clock: Clock;
  readonly #ends: DueTimes;

  constructor(shelf: Shelf<Mute>, clock: Clock) {
    this.#shelf = shelf;
    this.#clock = clock;
    this.#ends = new DueTimes(clock);
    for (const { id } of shelf.all) this.until(id);
    shelf.watch((id) => this.until(id));
  }

  /** Those that have not ended. */
  get all(): Mute[] {
    return this.#shelf.all.filter(({ id }) => this.until(id) !== undefined);
  }

  /** In milliseconds since 1970; undefined when the panel is not muted. @param id null for the server */
  until(id: string | null): number | undefined {
    const mute = id === null ? undefined : this.#shelf.get(id);
    if (mute === undefined) return undefined;
    const end = this.#ends.of(mute.id, mute.until, Number.POSITIVE_INFINITY);
    return end > this.#clock.elapsed() ? wallTimeOf(end, this.#clock) : undefined;
  }

  /** @throws StorageUnavailable, and what the author's `judge` throws */
  async put(mute: Mute, author?: Author): Promise<void> {
    await this.#shelf.put(mute, author);
    this.until(mute.id);
  }

  /** @throws StorageUnavailable, and what the author's `judge` throws */
  remove(id: string, author?: Author): Promise<void> {
    return this.#shelf.remove(id, author);
  }

  /** Calls the watcher when another server has changed one. Returns a function that ends this. */
  watch(watcher: () => void): () => void {
    return this.#shelf.watch(watcher);
  }
}
