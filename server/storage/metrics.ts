import type { Metric } from '../metrics.js';
import type { DurableStorage } from './durable-storage.js';

/** The numbers of the storage. Changes divided by syncs is how many changes one fdatasync covers. */
export const storageMetrics = (storage: DurableStorage): Metric[] => [
  {
    type: 'gauge',
    name: 'twin_storage_healthy',
    help: '1 while the storage takes writes, else 0',
    read: () => Number(storage.healthy),
  },
  {
    type: 'counter',
    name: 'twin_journal_syncs_total',
    help: 'fdatasync calls that put changes on stable storage',
    read: () => storage.counters.syncs,
  },
  {
    type: 'counter',
    name: 'twin_journal_changes_total',
    help: 'changes that these fdatasync calls put on stable storage',
    read: () => storage.counters.changes,
  },
  {
    type: 'gauge',
    name: 'twin_journal_bytes',
    help: 'length of the journal',
    read: () => storage.counters.journalBytes,
  },
  {
    type: 'gauge',
    name: 'twin_disk_short',
    help: '1 while the disk is nearly full, else 0',
    read: () => Number(storage.disk.isShort),
  },
  {
    type: 'gauge',
    name: 'twin_disk_reserve_bytes',
    help: 'space on the disk that the server holds for when it is full',
    read: () => storage.disk.reserveBytes,
  },
  {
    type: 'counter',
    name: 'twin_history_dropped_total',
    help: 'past versions that were not kept because the disk was nearly full',
    read: () => storage.counters.droppedVersions,
  },
  {
    type: 'counter',
    name: 'twin_disk_refusals_total',
    help: 'writes that were refused because the disk was nearly full and the twin had written its share',
    read: () => storage.counters.refusals,
  },
];
