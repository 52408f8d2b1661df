/** How many connections may be open, from one source and in all, whatever protocol they speak. */
export class ConnectionLimit {
  readonly #perSource: number;
  readonly #total: number;
  readonly #open = new Map<string, number>();
  #count = 0;

  constructor(limits: { perSource: number; total: number }) {
    this.#perSource = limits.perSource;
    this.#total = limits.total;
  }

  /** Counts one connection more. False: it is one too many and was not counted; else `close` is called once for it. */
  open(source: string): boolean {
    const ofSource = this.#open.get(source) ?? 0;
    if (this.#count >= this.#total || ofSource >= this.#perSource) return false;
    this.#open.set(source, ofSource + 1);
    this.#count += 1;
    return true;
  }

  close(source: string): void {
    const ofSource = this.#open.get(source) ?? 0;
    if (ofSource > 1) this.#open.set(source, ofSource - 1);
    else this.#open.delete(source);
    this.#count -= 1;
  }
}
