import fs from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { readSettings } from '../../../server/config.js';
import type { StorageSettings } from '../../../server/storage/durable-storage.js';
import { openStorage } from '../../../server/storage/journaled.js';
import type { Storage } from '../../../server/storage/storage.js';
import { isTwinFile } from '../../../server/twins/twins.js';

const silent = pino({ level: 'silent' });

/** A data directory of its own, removed with all its copies at the end. */
export class DirectoryUnderTest {
  readonly #made: string[] = [];
  data = '';

  async make(): Promise<string> {
    this.data = await mkdtemp(join(tmpdir(), 'twin-storage-'));
    this.#made.push(this.data);
    return this.data;
  }

  open(settings: Partial<StorageSettings> = {}): Promise<Storage> {
    return openStorage(
      { ...readSettings(), data: this.data, journalSegmentBytes: 16_384, ...settings },
      silent,
      isTwinFile,
    );
  }

  /**
   * What a process that is killed now leaves behind, as the directory of the next. Copied in one turn of the event loop,
   * so that no file is saved and then no longer in the journal between the two copies. What the thread pool has begun
   * goes on: a file that vanishes under the copy makes it begin again.
   */
  async crash(): Promise<void> {
    const left = this.data;
    await this.make();
    for (;;) {
      try {
        fs.cpSync(left, this.data, { recursive: true, filter: (source) => !/\.(sock|tmp)$/.test(source) });
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        fs.rmSync(this.data, { recursive: true });
      }
    }
  }

  async segments(): Promise<string[]> {
    const directory = join(this.data, 'journal');
    return (await readdir(directory)).sort().map((name) => join(directory, name));
  }

  async journalBytes(): Promise<number> {
    const sizes = await Promise.all(
      (await this.segments()).map((path) => stat(path).catch(() => ({ size: 0 }))),
    );
    return sizes.reduce((sum, { size }) => sum + size, 0);
  }

  async remove(): Promise<void> {
    for (const directory of this.#made.splice(0)) await rm(directory, { recursive: true, force: true });
  }
}

const { writeSync, fdatasync } = fs;

/** Lets every write to the journal fail, as on a full disk. */
export function fillDisk(): void {
  const full = () => {
    throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
  };
  Object.assign(fs, { writeSync: full });
}

/** Every write to the journal writes this many bytes at most, as the system may. */
export function writeInPieces(bytes: number): void {
  const pieces = (fd: number, buffer: Buffer, offset: number, length: number, at: number) =>
    writeSync(fd, buffer, offset, Math.min(bytes, length), at);
  Object.assign(fs, { writeSync: pieces });
}

/** Calls back at the first fdatasync from now on, before it begins. */
export function onSync(then: () => void): void {
  const first = (fd: number, done: (error: Error | null) => void) => {
    Object.assign(fs, { fdatasync });
    then();
    fdatasync(fd, done);
  };
  Object.assign(fs, { fdatasync: first });
}

/** Counts the fdatasync calls from now on. */
export function countSyncs(): () => number {
  let count = 0;
  const counting = (fd: number, done: (error: Error | null) => void) => {
    count += 1;
    fdatasync(fd, done);
  };
  Object.assign(fs, { fdatasync: counting });
  return () => count;
}

export function restoreDisk(): void {
  Object.assign(fs, { writeSync, fdatasync });
}
