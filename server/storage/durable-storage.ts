/** The settings and the numbers of a storage on disk. */

import type { Disk } from './reserve.js';
import type { Storage, StorageLimits } from './storage.js';

export interface StorageSettings extends Partial<StorageLimits> {
  /** The data directory. */
  readonly data: string;
  readonly memoryBytes: number;
  /** The memory that V8 allows, in bytes. By default what it says itself. */
  readonly heapLimit?: number;
  /** How many past versions of each document are kept at least, as long as the bytes suffice. 0 keeps none. */
  readonly historyVersions: number;
  /** How many bytes the past versions of all documents of a file take at most. */
  readonly historyBytes: number;
  /** Milliseconds since 1970. By default the clock of this machine. */
  readonly now?: () => number;
  /** By default the file system of the data directory. */
  readonly disk?: Disk;
  /** New contents of the directory are ready: they are taken up when the storage is closed and opened again. */
  readonly onRestore?: () => void;
}

/** A storage that counts what it does. */
export interface DurableStorage extends Storage {
  readonly counters: {
    /** fdatasync calls of the journal since the start. */
    readonly syncs: number;
    /** Changes that they covered. */
    readonly changes: number;
    /** The length of the journal now. */
    readonly journalBytes: number;
    /** Past versions that were not kept because the disk was short, since the start. */
    readonly droppedVersions: number;
    /** Changes of a twin that were refused because the disk was short, since the start. */
    readonly refusals: number;
  };
  /** Whether little of the disk is free, and how many bytes of it the reserve holds. */
  readonly disk: { readonly isShort: boolean; readonly reserveBytes: number };
}
