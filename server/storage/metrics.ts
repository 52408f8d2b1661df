import type { Metric } from '../metrics.js';
import type { DurableStorage } from './journaled.js';

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
];
