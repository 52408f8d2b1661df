/** Opens the storage that the settings choose: the journal of a directory, or a database that several servers share. */

import type { Logger } from 'pino';
import type { Settings } from './config.js';
import { shardOf } from './devices/devices.js';
import type { Metric } from './metrics.js';
import type { Check } from './readiness.js';
import { makeDirectory } from './storage/directory.js';
import type { StorageSettings } from './storage/durable-storage.js';
import { openStorage } from './storage/journaled.js';
import { databaseMetrics, storageMetrics } from './storage/metrics.js';
import type { FileRules } from './storage/postgres/group.js';
import type { Storage } from './storage/storage.js';
import { isTwinFile, twinOf } from './twins/twins.js';

const RULES: FileRules = {
  keepsPast: isTwinFile,
  /** A twin goes with its device. */
  parentOf(file) {
    const id = twinOf(file);
    return isTwinFile(file) ? { file: shardOf(id), key: id } : undefined;
  },
};

interface OpenedStorage {
  readonly storage: Storage;
  readonly metrics: Metric[];
  /** Whether this server may take traffic, as far as the storage knows. */
  readonly checks: (() => Check)[];
  /** What this server is called among those that share the storage. */
  readonly node: string | undefined;
}

/** @throws DatabaseUnusable, DirectoryInUse, UnknownFormat, DamagedJournal, or what the file system throws */
export async function openStorageOf(
  settings: Settings & Partial<StorageSettings>,
  log: Logger,
): Promise<OpenedStorage> {
  const { database } = settings;
  if (database === undefined) {
    const storage = await openStorage(settings, log, RULES.keepsPast);
    return { storage, metrics: storageMetrics(storage), checks: [writable(storage)], node: undefined };
  }
  // The program of the database is loaded only where there is one.
  const { openPostgres } = await import('./storage/postgres/postgres.js');
  await makeDirectory(settings.data);
  const storage = await openPostgres({ ...settings, database }, log, RULES);
  log.info({ database: database.shown }, 'the storage is a database');
  const checks: (() => Check)[] = [
    writable(storage),
    () => ({ name: 'beat', ok: storage.listener.isCurrent }),
    () => ({
      name: 'standby',
      ok: true,
      ...(!storage.listener.hasStandby && { warning: 'one_disk' as const }),
    }),
  ];
  return { storage, metrics: databaseMetrics(storage), checks, node: storage.server };
}

const writable = (storage: Storage) => (): Check => ({ name: 'writable', ok: storage.healthy });
