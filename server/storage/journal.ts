import fs from 'node:fs';
import { rm } from 'node:fs/promises';
import { encodeFrame } from './frame.js';
import { createSegment, type OpenSegment, writeWhole } from './new-segment.js';
import { cut } from './replay.js';
import { type Segment, segmentAt } from './segment.js';

export interface JournalSettings {
  journalSegmentBytes: number;
  journalCeilingBytes: number;
  journalBatchBytes: number;
  journalRetryMs: number;
}

export interface JournalListeners<Task> {
  /** What became of a batch: the segment that now holds it, or why nothing does. Never throws. */
  settle: (tasks: readonly Task[], result: Segment | Error) => void;
  /** Writers wait until segments are released. */
  onFull: () => void;
  /** Writing failed, or works again. */
  onHealth: (error: Error | undefined) => void;
}

interface Outcome<Task> {
  readonly tasks: readonly Task[];
  readonly result: Segment | Error;
}

/**
 * The journal with group commit: all that is appended while one fdatasync runs is covered by the next, and settled in
 * the order in which it was appended, while the next is under way already. After an error what was written is cut off again, everything under way fails, and
 * nothing is accepted until a fresh segment has taken a write.
 */
export class Journal<Task> {
  readonly #directory: string;
  readonly #settings: JournalSettings;
  readonly #listeners: JournalListeners<Task>;
  /** Oldest first; the last one is being written. */
  readonly #segments: Segment[];
  #fd = -1;
  #spare: Promise<OpenSegment | undefined> | undefined;
  #records: string[] = [];
  #tasks: Task[] = [];
  #outcomes: Outcome<Task>[] = [];
  #settling = false;
  #busy = false;
  #scheduled = false;
  #failure: Error | undefined;
  #syncs = 0;
  #retry: NodeJS.Timeout | undefined;
  #recovery: Promise<void> = Promise.resolve();
  #waiting = false;
  #idle: (() => void) | undefined;

  constructor(
    directory: string,
    segments: Segment[],
    settings: JournalSettings,
    listeners: JournalListeners<Task>,
  ) {
    this.#directory = directory;
    this.#segments = segments;
    // A segment goes only as a whole, so the ceiling must have room for several.
    const journalSegmentBytes = Math.min(settings.journalSegmentBytes, settings.journalCeilingBytes / 4);
    this.#settings = { ...settings, journalSegmentBytes };
    this.#listeners = listeners;
  }

  /** Why nothing can be written at present. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** How often it has put something on stable storage. */
  get syncs(): number {
    return this.#syncs;
  }

  get bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  /** Begins the segment that takes the first write. @throws what the file system throws */
  async open(): Promise<void> {
    await this.#beginSegment();
  }

  /** Appends a record, or only a task that is settled in its turn when the record is empty. */
  append(record: string, task: Task): void {
    if (this.#failure !== undefined) return this.#settle([task], this.#failure);
    this.#records.push(record);
    this.#tasks.push(task);
    if (!this.#busy) this.#schedule();
  }

  /** A file that `segment` was needed for is on disk. */
  async release(segment: Segment): Promise<void> {
    segment.holds -= 1;
    while (this.#segments.length > 1 && this.#segments[0]?.holds === 0) {
      const [covered] = this.#segments.splice(0, 1);
      if (covered !== undefined) await rm(covered.path, { force: true });
    }
    if (!this.#waiting || this.#isFull()) return;
    this.#waiting = false;
    this.#schedule();
  }

  /** If writers wait for room, they wait in vain. */
  giveUp(error: Error): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    this.#fail([], error);
  }

  /** Settles all that was appended and takes nothing more. */
  async seal(): Promise<void> {
    while (this.#busy || this.#tasks.length > 0) {
      await new Promise<void>((idle) => {
        this.#idle = idle;
      });
    }
    clearTimeout(this.#retry);
    await this.#recovery;
    clearTimeout(this.#retry);
    this.#failure = new Error('the journal is closed');
  }

  /** Closes a sealed journal. When all files are on disk nothing of it stays. */
  async close(): Promise<void> {
    await this.#dropSpare();
    if (this.#fd !== -1) fs.closeSync(this.#fd);
    this.#fd = -1;
    if (this.#segments.some(({ holds }) => holds > 0)) return;
    for (const { path } of this.#segments) await rm(path, { force: true });
  }

  async #dropSpare(): Promise<void> {
    const spare = await this.#spare;
    this.#spare = undefined;
    if (spare === undefined) return;
    fs.closeSync(spare.fd);
    await rm(spare.segment.path, { force: true });
  }

  // Behind the poll phase, so that the requests of all sockets of this turn share one fdatasync.
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#commit();
    });
  }

  #commit(): void {
    if (this.#busy || this.#tasks.length === 0 || this.#failure !== undefined) return;
    const active = this.#active;
    if (this.#isFull()) return this.#wait();
    if (active.bytes >= this.#settings.journalSegmentBytes) return this.#rotate();
    const { records, tasks } = this.#takeBatch();
    if (records === '') return this.#settle(tasks, active);
    const frame = encodeFrame(records);
    try {
      writeWhole(this.#fd, frame, active.bytes);
    } catch (error) {
      return this.#fail(tasks, error as Error);
    }
    this.#busy = true;
    fs.fdatasync(this.#fd, (error) => {
      this.#busy = false;
      if (error !== null) return this.#fail(tasks, error);
      this.#syncs += 1;
      active.bytes += frame.length;
      this.#outcomes.push({ tasks, result: active });
      // Before the next batch: where it needs a new segment, it takes this one.
      this.#prepareSpare(active);
      // The disk is at work on the next batch while this one is answered.
      this.#commit();
      this.#settleAll();
    });
  }

  #settle(tasks: readonly Task[], result: Segment | Error): void {
    this.#outcomes.push({ tasks, result });
    this.#settleAll();
  }

  /** In the order of the outcomes, also of those that come meanwhile. */
  #settleAll(): void {
    if (this.#settling) return;
    this.#settling = true;
    for (const { tasks, result } of this.#outcomes) this.#listeners.settle(tasks, result);
    this.#outcomes = [];
    this.#settling = false;
    if (this.#busy) return;
    if (this.#tasks.length > 0) this.#schedule();
    else this.#becomeIdle();
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

  /** How many records fit the bound on a batch; one always does. */
  #countBatch(): number {
    let length = 0;
    for (const [index, record] of this.#records.entries()) {
      length += record.length;
      if (length > this.#settings.journalBatchBytes && index > 0) return index;
    }
    return this.#records.length;
  }

  get #active(): Segment {
    const active = this.#segments.at(-1);
    if (active === undefined) throw new Error('the journal is not open');
    return active;
  }

  #isFull(): boolean {
    return this.bytes >= this.#settings.journalCeilingBytes;
  }

  #wait(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    this.#listeners.onFull();
  }

  #rotate(): void {
    this.#busy = true;
    this.#beginSegment().then(
      () => {
        this.#busy = false;
        this.#commit();
      },
      (error) => {
        this.#busy = false;
        this.#fail([], error);
      },
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
    return createSegment(segmentAt(this.#directory, number), this.#settings.journalSegmentBytes);
  }

  /** Makes the next segment while there is still room in this one; if that fails, the rotation will say so. */
  #prepareSpare({ bytes }: Segment): void {
    if (this.#spare !== undefined || bytes < this.#settings.journalSegmentBytes / 2) return;
    this.#spare = this.#createSegment().catch(() => undefined);
  }

  #fail(batch: Task[], error: Error): void {
    this.#failure = error;
    const tasks = batch.concat(this.#tasks);
    this.#records = [];
    this.#tasks = [];
    this.#settle(tasks, error);
    this.#listeners.onHealth(error);
    this.#retryLater();
  }

  // A failed fdatasync leaves a file whose pages cannot be trusted, so its good part is kept and a new one begun.
  async #recover(): Promise<void> {
    try {
      await this.#dropSpare();
      await cut(this.#active);
      await this.#beginSegment();
      this.#failure = undefined;
      this.#listeners.onHealth(undefined);
    } catch (error) {
      this.#failure = error as Error;
      this.#retryLater();
    }
  }

  #retryLater(): void {
    this.#retry = setTimeout(() => {
      this.#recovery = this.#recover();
    }, this.#settings.journalRetryMs);
  }

  #becomeIdle(): void {
    this.#idle?.();
    this.#idle = undefined;
  }
}
