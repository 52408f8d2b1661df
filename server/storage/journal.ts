import fs from 'node:fs';
import { rm } from 'node:fs/promises';
import { writeFrame } from './record.js';
import { createSegment, cut, type OpenSegment, type Segment, segmentAt } from './segment.js';
import type { StorageLimits } from './storage.js';

interface Listeners<Task> {
  /** Takes the outcome of a batch: the segment that holds it, or why none does. Never throws. */
  settle: (tasks: readonly Task[], result: Segment | Error) => void;
  /** Writers wait until segments are released. */
  onFull: () => void;
  /** Writing failed, or works again when there is no error. */
  onHealth: (error: Error | undefined) => void;
}

interface Outcome<Task> {
  readonly tasks: readonly Task[];
  readonly result: Segment | Error;
}

/**
 * - `idle`: there is nothing to write.
 * - `scheduled`: the next batch begins in this turn of the event loop.
 * - `writing`: an fdatasync is under way, or the next segment is being created.
 * - `full`: writers wait until segments are released.
 * - `failed`: every write is refused until a fresh segment has taken one.
 * - `sealed`: every write is refused for good.
 */
type Phase = 'idle' | 'scheduled' | 'writing' | 'full' | 'failed' | 'sealed';

/**
 * The journal with group commit. One fdatasync covers all records that were appended while the one before ran. Tasks
 * are settled in the order in which they were appended, while the next fdatasync runs. After an error the journal cuts
 * off what it wrote and fails every task under way.
 */
export class Journal<Task> {
  readonly #directory: string;
  readonly #limits: StorageLimits;
  readonly #listeners: Listeners<Task>;
  /** Oldest first. The last one is being written. */
  readonly #segments: Segment[];
  #phase: Phase = 'idle';
  /** Why writes are refused while the journal is failed or sealed. */
  #refusal = new Error('the journal is closed');
  #fd = -1;
  #spare: Promise<OpenSegment | undefined> | undefined;
  #records: string[] = [];
  #tasks: Task[] = [];
  #outcomes: Outcome<Task>[] = [];
  /** A listener that hears an outcome may append a record, which may cause the next outcome. */
  #settling = false;
  #syncs = 0;
  #retry: NodeJS.Timeout | undefined;
  #recovery: Promise<void> = Promise.resolve();
  #removing: Promise<void> = Promise.resolve();
  #onRest: (() => void) | undefined;

  constructor(directory: string, segments: Segment[], limits: StorageLimits, listeners: Listeners<Task>) {
    this.#directory = directory;
    this.#segments = segments;
    // A segment is removed only as a whole, so the ceiling must have room for several.
    const journalSegmentBytes = Math.min(limits.journalSegmentBytes, limits.journalCeilingBytes / 4);
    this.#limits = { ...limits, journalSegmentBytes };
    this.#listeners = listeners;
  }

  get healthy(): boolean {
    return this.#phase !== 'failed' && this.#phase !== 'sealed';
  }

  /** How often it has put something on stable storage. */
  get syncs(): number {
    return this.#syncs;
  }

  get bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  /** Creates the segment that takes the first write. @throws what the file system throws */
  async begin(): Promise<void> {
    await this.#beginSegment();
  }

  /** Appends a record. With an empty record the task is settled when those before it are. */
  append(record: string, task: Task): void {
    if (!this.healthy) {
      this.#outcomes.push({ tasks: [task], result: this.#refusal });
      return this.#settle();
    }
    this.#records.push(record);
    this.#tasks.push(task);
    if (this.#phase === 'idle') this.#schedule();
  }

  /** A file that needed the segment is on disk. Rejects when a segment that no file needs cannot be removed now. */
  release(segment: Segment): Promise<void> {
    segment.holds -= 1;
    this.#removing = this.#removing.catch(() => undefined).then(() => this.#removeCovered());
    return this.#removing;
  }

  /**
   * Removes the oldest segments that no file needs, one after the other. A kill must not leave a segment with a document
   * while a later segment with its deletion is gone.
   */
  async #removeCovered(): Promise<void> {
    for (
      let [oldest] = this.#segments;
      oldest !== this.#active && oldest?.holds === 0;
      [oldest] = this.#segments
    ) {
      await rm(oldest.path, { force: true });
      this.#segments.shift();
    }
    if (this.#phase === 'full' && !this.#isFull()) this.#schedule();
  }

  /** No segment will be released, so the waiting writers are refused. */
  giveUp(error: Error): void {
    if (this.#phase === 'full') this.#fail([], error);
  }

  /** Settles everything that was appended, then refuses all writes. */
  async seal(): Promise<void> {
    for (;;) {
      clearTimeout(this.#retry);
      await this.#recovery;
      if (this.#isAtRest) break;
      await new Promise<void>((atRest) => {
        this.#onRest = atRest;
      });
    }
    clearTimeout(this.#retry);
    this.#phase = 'sealed';
    this.#refusal = new Error('the journal is closed');
  }

  /** Closes a sealed journal. Its segments are removed when all files are on disk. */
  async close(): Promise<void> {
    await this.#dropSpare();
    if (this.#fd !== -1) fs.closeSync(this.#fd);
    this.#fd = -1;
    if (this.#segments.some(({ holds }) => holds > 0)) return;
    for (const { path } of this.#segments) await rm(path, { force: true });
  }

  // setImmediate comes after all sockets of this turn were read, so their requests share one fdatasync.
  #schedule(): void {
    this.#phase = 'scheduled';
    setImmediate(() => {
      this.#commit();
      this.#settle();
    });
  }

  /** Begins to write the next batch. Tasks before it that write nothing become an outcome. */
  #commit(): void {
    if (this.#tasks.length === 0) {
      this.#phase = 'idle';
      return;
    }
    if (this.#isFull()) {
      this.#phase = 'full';
      return this.#listeners.onFull();
    }
    const active = this.#active;
    if (active.bytes >= this.#limits.journalSegmentBytes) return this.#rotate();
    const { records, tasks } = this.#takeBatch();
    if (records === '') {
      this.#outcomes.push({ tasks, result: active });
      return this.#commit();
    }
    let length: number;
    try {
      length = writeFrame(this.#fd, records, active.bytes);
    } catch (error) {
      return this.#fail(tasks, error as Error);
    }
    this.#phase = 'writing';
    fs.fdatasync(this.#fd, (error) => {
      if (error !== null) return this.#fail(tasks, error);
      this.#syncs += 1;
      active.bytes += length;
      this.#outcomes.push({ tasks, result: active });
      // This comes before the next batch, which may need the new segment.
      this.#prepareSpare(active);
      // The disk works on the next batch while this one is answered.
      this.#commit();
      this.#settle();
    });
  }

  /** Settles all outcomes in their order, and those that are added meanwhile. */
  #settle(): void {
    if (this.#settling) return;
    this.#settling = true;
    for (const { tasks, result } of this.#outcomes) this.#listeners.settle(tasks, result);
    this.#outcomes = [];
    this.#settling = false;
    if (this.#isAtRest) this.#onRest?.();
  }

  /** Nothing is under way. */
  get #isAtRest(): boolean {
    return this.#phase === 'idle' || this.#phase === 'failed';
  }

  #takeBatch(): { records: string; tasks: Task[] } {
    const count = this.#countBatch();
    if (count === this.#tasks.length) {
      const batch = { records: this.#records.join(''), tasks: this.#tasks };
      this.#records = [];
      this.#tasks = [];
      return batch;
    }
    return { records: this.#records.splice(0, count).join(''), tasks: this.#tasks.splice(0, count) };
  }

  /** How many records are in the next batch. It is at least one. */
  #countBatch(): number {
    let length = 0;
    for (const [index, record] of this.#records.entries()) {
      length += record.length;
      if (length > this.#limits.journalBatchLength && index > 0) return index;
    }
    return this.#records.length;
  }

  get #active(): Segment {
    const active = this.#segments.at(-1);
    if (active === undefined) throw new Error('the journal is not open');
    return active;
  }

  #isFull(): boolean {
    return this.bytes >= this.#limits.journalCeilingBytes;
  }

  #rotate(): void {
    this.#phase = 'writing';
    this.#beginSegment().then(
      () => {
        this.#commit();
        this.#settle();
      },
      (error) => this.#fail([], error),
    );
  }

  async #beginSegment(): Promise<void> {
    const { segment, fd } = (await this.#spare) ?? (await this.#createSegment());
    this.#spare = undefined;
    if (this.#fd !== -1) fs.closeSync(this.#fd);
    this.#fd = fd;
    this.#segments.push(segment);
  }

  #createSegment(): Promise<OpenSegment> {
    const number = (this.#segments.at(-1)?.number ?? 0) + 1;
    return createSegment(segmentAt(this.#directory, number), this.#limits.journalSegmentBytes);
  }

  /** Creates the next segment while this one still has room. When that fails, the rotation tries again. */
  #prepareSpare({ bytes }: Segment): void {
    if (this.#spare !== undefined || bytes < this.#limits.journalSegmentBytes / 2) return;
    this.#spare = this.#createSegment().catch(() => undefined);
  }

  async #dropSpare(): Promise<void> {
    const spare = await this.#spare;
    this.#spare = undefined;
    if (spare === undefined) return;
    fs.closeSync(spare.fd);
    await rm(spare.segment.path, { force: true });
  }

  /** A batch could not be written. It fails, and so does everything that was appended after it. */
  #fail(batch: Task[], error: Error): void {
    this.#phase = 'failed';
    this.#refusal = error;
    this.#outcomes.push({ tasks: batch.concat(this.#tasks), result: error });
    this.#records = [];
    this.#tasks = [];
    this.#retryLater();
    this.#listeners.onHealth(error);
    this.#settle();
  }

  // After a failed fdatasync the end of the file cannot be trusted. Its good part is kept, and a new segment begins.
  async #recover(): Promise<void> {
    try {
      await this.#dropSpare();
      await cut(this.#active);
      await this.#beginSegment();
      this.#phase = 'idle';
      this.#listeners.onHealth(undefined);
    } catch (error) {
      this.#refusal = error as Error;
      this.#retryLater();
    }
  }

  #retryLater(): void {
    this.#retry = setTimeout(() => {
      this.#recovery = this.#recover();
    }, this.#limits.journalRetryMs);
  }
}
