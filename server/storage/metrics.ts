import type { Metric } from '../metrics.js';
import type { DurableStorage } from './durable-storage.js';
import type { PostgresStorage } from './postgres/postgres.js';
import type { Storage } from './storage.js';

const healthMetric = (storage: Pick<Storage, 'healthy'>): Metric => ({
  type: 'gauge',
  name: 'twin_storage_healthy',
  help: '1 while the storage takes writes, else 0',
  read: () => Number(storage.healthy),
});

/** The numbers of a database. Changes divided by groups is how many changes one commit covers. */
export const databaseMetrics = (storage: PostgresStorage): Metric[] => [
  healthMetric(storage),
  {
    type: 'counter',
    name: 'twin_database_groups_total',
    help: 'groups of changes that were committed',
    read: () => storage.counters.groups,
  },
  {
    type: 'counter',
    name: 'twin_database_changes_total',
    help: 'changes that these commits put on stable storage',
    read: () => storage.counters.changes,
  },
  {
    type: 'counter',
    name: 'twin_database_conflicts_total',
    help: 'groups of one file that were decided again, because another server was faster',
    read: () => storage.counters.conflicts,
  },
  {
    type: 'gauge',
    name: 'twin_database_heard_seconds',
    help: 'for how long changes of other servers may have been missed',
    read: () => storage.heardMs / 1000,
  },
];

/** The numbers of the journal. Changes divided by syncs is how many changes one fdatasync covers. */
export const storageMetrics = (storage: DurableStorage): Metric[] => [
  healthMetric(storage),
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
