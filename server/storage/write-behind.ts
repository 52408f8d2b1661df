import type { Segment } from './segment.js';

export interface WriteBehindSettings {
  writeBehindMs: number;
  writeBehindFiles: number;
}

export interface WriteBehindPorts {
  /** Brings the present documents of a file to disk. */
  save: (name: string) => Promise<void>;
  /** What the segment held of the file is on disk. */
  saved: (name: string, segment: Segment) => Promise<void>;
  onError: (name: string, error: Error) => void;
}

interface Due {
  /** The oldest segment with changes that are not on disk. */
  readonly segment: Segment;
  /** When the file may be written, in milliseconds of the monotonic clock. */
  readonly at: number;
}

/** Which files the journal is ahead of, and their way to disk: in the order of their change, a few at a time. */
export class WriteBehind {
  readonly #settings: WriteBehindSettings;
  readonly #ports: WriteBehindPorts;
  readonly #due = new Map<string, Due>();
  readonly #saving = new Set<string>();
  #hurrying = false;
  #timer: NodeJS.Timeout | undefined;
  #drained: (() => void) | undefined;

  constructor(settings: WriteBehindSettings, ports: WriteBehindPorts) {
    this.#settings = settings;
    this.#ports = ports;
  }

  has(name: string): boolean {
    return this.#due.has(name) || this.#saving.has(name);
  }

  /** A file has a change in this segment that is not on disk. */
  add(name: string, segment: Segment): void {
    if (this.#due.has(name)) return;
    segment.holds += 1;
    this.#due.set(name, { segment, at: performance.now() + this.#settings.writeBehindMs });
    this.#wake();
  }

  /** Room is wanted: writes what is due later now, until nothing is left. */
  hurry(): void {
    this.#hurrying = true;
    this.#run();
  }

  /** Writes everything; resolves when all is on disk, or at the deadline, in milliseconds from now. */
  async drain(deadline: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
      timer = setTimeout(resolve, deadline);
      this.hurry();
    });
    clearTimeout(timer);
    clearTimeout(this.#timer);
    this.#due.clear();
  }

  #wake(): void {
    if (this.#timer !== undefined) return;
    const [first] = this.#due.values();
    // The end of a save looks again by itself.
    if (first === undefined || (this.#saving.size > 0 && first.at <= performance.now())) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#run();
      },
      Math.max(1, first.at - performance.now()),
    );
  }

  #run(): void {
    const now = performance.now();
    for (const [name, { segment, at }] of this.#due) {
      if (this.#saving.size >= this.#settings.writeBehindFiles) return;
      if (at > now && !this.#hurrying) break;
      if (!this.#saving.has(name)) this.#save(name, segment);
    }
    if (this.#due.size > 0) return this.#wake();
    this.#hurrying = false;
    if (this.#saving.size === 0) this.#drained?.();
  }

  async #save(name: string, segment: Segment): Promise<void> {
    this.#due.delete(name);
    this.#saving.add(name);
    try {
      await this.#ports.save(name);
      this.#saving.delete(name);
      await this.#ports.saved(name, segment);
    } catch (error) {
      this.#again(name, segment, error as Error);
    }
    this.#run();
  }

  /** Back into the queue, with the older segment; not at once, or a full disk would keep the processor busy. */
  #again(name: string, segment: Segment, error: Error): void {
    this.#saving.delete(name);
    const newer = this.#due.get(name)?.segment;
    if (newer !== undefined) newer.holds -= 1;
    this.#due.delete(name);
    this.#due.set(name, { segment, at: performance.now() + this.#settings.writeBehindMs });
    this.#hurrying = false;
    this.#ports.onError(name, error);
  }
}
