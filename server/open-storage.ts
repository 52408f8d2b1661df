/** Opens the storage that the settings choose: the journal of a directory, or a database that several servers share. */

import type { Logger } from 'pino';
import { callOf } from '../shared/call.js';
import { type Cluster, noCluster } from './cluster/no-cluster.js';
import type { Settings } from './config.js';
import type { DatabaseAddress } from './database-address.js';
import { shardOf } from './devices/devices.js';
import type { Metric } from './metrics.js';
import type { Check } from './readiness.js';
import { makeDirectory } from './storage/directory.js';
import type { StorageSettings } from './storage/durable-storage.js';
import { isUsed } from './storage/format.js';
import { openStorage } from './storage/journaled.js';
import { databaseMetrics, storageMetrics } from './storage/metrics.js';
import { movedFrom } from './storage/moved.js';
import type { FileRules } from './storage/postgres/group.js';
import type { Storage } from './storage/storage.js';
import { isTwinFile, twinOf } from './twins/twins.js';

export const RULES: FileRules = {
  keepsPast: isTwinFile,
  /** A twin goes with its device. */
  parentOf(file) {
    const id = twinOf(file);
    return isTwinFile(file) ? { file: shardOf(id), key: id } : undefined;
  },
};

export interface OpenedStorage {
  readonly storage: Storage;
  readonly metrics: Metric[];
  /** What this server knows of the others that share the storage. */
  readonly cluster: Cluster;
  /** What must be so before traffic may come. */
  readonly checks: readonly (() => Check)[];
}

/** The directory holds documents that the database would not have. */
class DirectoryNotMoved extends Error {
  override name = 'DirectoryNotMoved';
  constructor(directory: string) {
    super(
      `${directory} holds the data of a server without a database: move them with ${callOf('twin')} migrate --to, ` +
        'or name another directory in TWIN_DATA',
    );
  }
}

/** @throws DirectoryNotMoved */
async function refuseUnmoved(directory: string): Promise<void> {
  if (isUsed(directory) && (await movedFrom(directory)) === undefined) throw new DirectoryNotMoved(directory);
}

/** @throws DatabaseUnusable, DirectoryNotMoved, DirectoryInUse, UnknownFormat, DamagedJournal, or what the file system throws */
export async function openStorageOf(
  settings: Settings & Partial<StorageSettings>,
  log: Logger,
): Promise<OpenedStorage> {
  const { database } = settings;
  if (database !== undefined) return openShared({ ...settings, database }, log);
  const storage = await openStorage(settings, log, RULES.keepsPast);
  return { storage, metrics: storageMetrics(storage), cluster: noCluster, checks: [writable(storage)] };
}

async function openShared(
  settings: Settings & { readonly database: DatabaseAddress },
  log: Logger,
): Promise<OpenedStorage> {
  // The program of the database is loaded only where there is one.
  await refuseUnmoved(settings.data);
  const { openPostgres } = await import('./storage/postgres/postgres.js');
  const { makeCluster } = await import('./cluster/cluster.js');
  await makeDirectory(settings.data);
  let made: ReturnType<typeof makeCluster> | undefined;
  const storage = await openPostgres(settings, log, RULES, (opened) => {
    made = makeCluster(opened, settings.database, log);
  });
  const cluster = made as ReturnType<typeof makeCluster>;
  await cluster.join();
  log.info({ database: settings.database.shown, node: cluster.id }, 'the storage is a database');
  const checks = [
    writable(storage),
    () => ({ name: 'lease', ok: cluster.lease.isLive }),
    () => ({ name: 'beat', ok: storage.listener.isCurrent }),
    () => ({ name: 'schema', ok: storage.listener.knowsTables }),
    (): Check => ({
      name: 'clock',
      ok: true,
      ...(Math.abs(Date.now() - storage.now()) > CLOCK_OFF_MS && { warning: 'clock_off' as const }),
    }),
    (): Check => ({
      name: 'standby',
      ok: true,
      ...(!storage.listener.hasStandby && { warning: 'one_disk' as const }),
    }),
  ];
  return { storage, metrics: databaseMetrics(storage), cluster, checks };
}

/** A clock that is wrong by more, in milliseconds, is worth a word. The servers themselves go by that of the database. */
const CLOCK_OFF_MS = 30_000;

const writable = (storage: Storage) => (): Check => ({ name: 'writable', ok: storage.healthy });
