import type { Segment } from './segment.js';
import type { StorageLimits } from './storage.js';

type Pace = Pick<StorageLimits, 'writeBehindMs' | 'writeBehindFiles'>;

interface Ports {
  /** Writes the present documents of a file to disk. */
  save: (name: string) => Promise<void>;
  /** The file's changes in the segment are on disk. */
  saved: (name: string, segment: Segment) => Promise<void>;
  onError: (name: string, error: Error) => void;
}

interface Due {
  /** The oldest segment with changes that are not on disk. */
  readonly segment: Segment;
  /** The file is not written before this time, in milliseconds of the monotonic clock. */
  readonly notBefore: number;
  /** It could not be written the last time. */
  readonly failed?: true;
}

/** Writes the files whose changes only the journal holds, in the order of their first change, a few at a time. */
export class WriteBehind {
  readonly #pace: Pace;
  readonly #ports: Ports;
  readonly #due = new Map<string, Due>();
  readonly #saving = new Set<string>();
  /** They have not ended, with what follows each save. */
  readonly #underWay = new Set<Promise<void>>();
  /** Files that are written before the others. */
  readonly #hastened = new Set<string>();
  #hurrying = false;
  #isOver = false;
  #timer: NodeJS.Timeout | undefined;
  #drained: (() => void) | undefined;

  constructor(pace: Pace, ports: Ports) {
    this.#pace = pace;
    this.#ports = ports;
  }

  has(name: string): boolean {
    return this.#due.has(name) || this.#saving.has(name);
  }

  /** The file has a change in this segment that is not on disk. */
  add(name: string, segment: Segment): void {
    if (this.#due.has(name)) return;
    segment.holds += 1;
    this.#due.set(name, { segment, notBefore: performance.now() + this.#pace.writeBehindMs });
    this.#wake();
  }

  /** Writes all files now, because the journal needs room. */
  hurry(): void {
    this.#hurrying = true;
    this.#run();
  }

  /** Writes a file before the others, because its changes take much memory. After a failure it waits as it would. */
  hasten(name: string): void {
    if (this.#hastened.has(name) || this.#due.get(name)?.failed === true || !this.has(name)) return;
    this.#hastened.add(name);
    this.#run();
  }

  /** Writes the file that has waited longest. */
  hastenOldest(): void {
    const [oldest] = this.#due.keys();
    if (oldest !== undefined) this.hasten(oldest);
  }

  /**
   * Writes everything, until the deadline, in milliseconds from now. Resolves when no write is under way: another server
   * may use the directory then.
   */
  async drain(deadline: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
      timer = setTimeout(resolve, deadline);
      this.hurry();
    });
    clearTimeout(timer);
    clearTimeout(this.#timer);
    this.#isOver = true;
    await Promise.all(this.#underWay);
  }

  #wake(): void {
    if (this.#timer !== undefined || this.#isOver) return;
    const [first] = this.#due.values();
    // A save that ends looks for the next file by itself.
    if (first === undefined || (this.#saving.size > 0 && first.notBefore <= performance.now())) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#run();
      },
      Math.max(1, first.notBefore - performance.now()),
    );
  }

  #run(): void {
    if (this.#isOver) return;
    const now = performance.now();
    for (const name of this.#hastened) {
      if (this.#saving.size >= this.#pace.writeBehindFiles) return;
      const due = this.#due.get(name);
      if (due !== undefined && !this.#saving.has(name)) this.#begin(name, due.segment);
    }
    for (const [name, { segment, notBefore }] of this.#due) {
      if (this.#saving.size >= this.#pace.writeBehindFiles) return;
      if (notBefore > now && !this.#hurrying) break;
      if (!this.#saving.has(name)) this.#begin(name, segment);
    }
    if (this.#due.size > 0) return this.#wake();
    this.#hurrying = false;
    if (this.#saving.size === 0) this.#drained?.();
  }

  #begin(name: string, segment: Segment): void {
    this.#due.delete(name);
    this.#hastened.delete(name);
    this.#saving.add(name);
    const save = this.#save(name, segment).finally(() => this.#underWay.delete(save));
    this.#underWay.add(save);
  }

  async #save(name: string, segment: Segment): Promise<void> {
    try {
      await this.#ports.save(name);
      this.#saving.delete(name);
      await this.#ports.saved(name, segment);
    } catch (error) {
      this.#again(name, segment, error as Error);
    }
    this.#run();
  }

  /**
   * Puts a file back into the queue, with the older segment. It waits, because a full disk would fail again at once.
   */
  #again(name: string, segment: Segment, error: Error): void {
    this.#saving.delete(name);
    const newer = this.#due.get(name)?.segment;
    if (newer !== undefined) newer.holds -= 1;
    this.#due.delete(name);
    this.#hastened.delete(name);
    this.#due.set(name, { segment, notBefore: performance.now() + this.#pace.writeBehindMs, failed: true });
    this.#hurrying = false;
    this.#ports.onError(name, error);
  }
}
