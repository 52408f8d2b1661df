/** Functions to call at an event, by the key of what it is about. */
export class Watchers<Event> {
  readonly #watchers = new Map<string, Set<(event: Event) => void>>();
  readonly #ofAll = new Set<(event: Event, key: string) => void>();
  #count = 0;

  /** The number of watchers. */
  get count(): number {
    return this.#count;
  }

  /** Returns a function that removes the watcher. */
  add(key: string, watcher: (event: Event) => void): () => void {
    const watchers = this.#watchers.get(key) ?? new Set();
    this.#watchers.set(key, watchers.add(watcher));
    this.#count += 1;
    return () => {
      if (watchers.delete(watcher)) this.#count -= 1;
      if (watchers.size === 0 && this.#watchers.get(key) === watchers) this.#watchers.delete(key);
    };
  }

  /** Calls the watcher for every key. Returns a function that removes it. */
  addToAll(watcher: (event: Event, key: string) => void): () => void {
    this.#ofAll.add(watcher);
    return () => this.#ofAll.delete(watcher);
  }

  /** Calls the watchers of a key. They must not throw. */
  tell(key: string, event: Event): void {
    for (const watcher of this.#ofAll) watcher(event, key);
    const watchers = this.#watchers.get(key);
    if (watchers === undefined) return;
    for (const watcher of watchers) watcher(event);
  }
}
