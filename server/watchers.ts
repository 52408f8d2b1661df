/** Those who want to hear of something, by what it is about. */
export class Watchers<Event> {
  readonly #watchers = new Map<string, Set<(event: Event) => void>>();
  #count = 0;

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** Returns what ends it. */
  add(key: string, watcher: (event: Event) => void): () => void {
    const watchers = this.#watchers.get(key) ?? new Set();
    this.#watchers.set(key, watchers.add(watcher));
    this.#count += 1;
    return () => {
      if (watchers.delete(watcher)) this.#count -= 1;
      if (watchers.size === 0 && this.#watchers.get(key) === watchers) this.#watchers.delete(key);
    };
  }

  /** Tells everyone at once; nobody must throw. */
  tell(key: string, event: Event): void {
    const watchers = this.#watchers.get(key);
    if (watchers === undefined) return;
    for (const watcher of watchers) watcher(event);
  }
}
