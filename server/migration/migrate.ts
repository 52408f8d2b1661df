/**
 * Moves all documents of a data directory into a database, and back. It may be cut off anywhere and begun again: one of
 * the two is the truth at each instant, and no server takes the other.
 *
 * To the database: the directory is the truth until its mark is on stable storage. Until then the database says that
 * data arrive, and servers refuse it. Back: the database says that its data leave, and servers refuse it. The directory
 * is marked until the new contents take the place of the old ones, and of the mark, in one step.
 */

import { rm } from 'node:fs/promises';
import type { Logger } from 'pino';
import { isUsed } from '../storage/format.js';
import { openStorage } from '../storage/journaled.js';
import { takeLock } from '../storage/lock.js';
import { type Moved, markMoved, movedFrom } from '../storage/moved.js';
import { readDocuments, type Storage } from '../storage/storage.js';
import { finishSwap, makeReady, stage } from '../storage/swap.js';
import { isTwinFile } from '../twins/twins.js';
import { copyOthers, EVERYTHING, MEMORY_BYTES, namesIn, writeDirectory } from './directory.js';
import { bringFiles, isKeptAlike, takeFiles } from './kept-in-files.js';
import { Adder, type Sum, type WholeFile, wholeFiles } from './whole-file.js';

/** `arriving`: being filled from a directory. `used`: it is the truth. `leaving`: a directory takes its place, or has. */
export type Phase = 'arriving' | 'used' | 'leaving';

export interface Holding {
  readonly phase: Phase;
  /** The id of the hub whose data it holds. */
  readonly hub: string;
}

/** A database as this program's data fill it. */
export interface Database {
  /** Its address without the password. */
  readonly address: string;
  /** What a server would read there. */
  storage(): Promise<Storage>;
  /** What it holds, or undefined when it is empty. */
  holding(): Promise<Holding | undefined>;
  /** Whether a server is connected to it. Asked before `storage`. */
  isServed(): Promise<boolean>;
  /** Removes all that it holds and says whose data arrive, in one step. */
  clear(hub: string): Promise<void>;
  /** Takes files. They are on stable storage when it resolves. */
  fill(files: AsyncIterable<WholeFile>): Promise<void>;
  /** From now on it is in this phase. That is on stable storage when it resolves. */
  enter(holding: Holding): Promise<void>;
}

/** The migration would lose something, or there is nothing to migrate. Nothing was changed. */
export class MigrationRefused extends Error {
  override name = 'MigrationRefused';
}

/**
 * @param secret seals the authority in the database, unless it is empty
 * @throws MigrationRefused, or what the storage and the database throw
 */
export async function migrateTo(data: string, database: Database, secret: string, log: Logger): Promise<Sum> {
  const moved = await moveOf(data);
  if (moved !== undefined) return completeMove(data, moved, database);
  if (!isUsed(data)) throw new MigrationRefused(`${data} is not the data directory of a server`);
  const storage = await openStorage({ data, memoryBytes: MEMORY_BYTES, ...EVERYTHING }, log, isTwinFile);
  try {
    const hub = await hubIn(storage);
    if (hub === undefined) throw new MigrationRefused(`${data} holds nothing: no server has used it yet`);
    await refuseFull(database, hub);
    await database.clear(hub);
    const total = await transfer(wholeFiles(storage, await namesIn(data, storage)), (files) =>
      database.fill(files),
    );
    await compare(total, await filesIn(database));
    await bringFiles(data, await database.storage(), secret, log);
    await markMoved(data, { database: database.address, hub, at: new Date().toISOString() });
    await database.enter({ phase: 'used', hub });
    return total;
  } finally {
    await storage.close();
  }
}

/** Finishes what a crash has interrupted, and looks at the mark. */
async function moveOf(data: string): Promise<Moved | undefined> {
  if (!isUsed(data)) return undefined;
  const unlock = await takeLock(data);
  try {
    await finishSwap(data);
    return await movedFrom(data);
  } finally {
    await unlock();
  }
}

async function refuseFull(database: Database, hub: string): Promise<void> {
  const held = await database.holding();
  if (held === undefined || (held.phase === 'arriving' && held.hub === hub)) return;
  throw new MigrationRefused(
    held.phase === 'arriving'
      ? `${database.address} holds an unfinished migration of another server: finish that, or name an empty database`
      : `${database.address} is not empty: name an empty database`,
  );
}

/** The directory is marked, so the database has everything. Only its phase may lack. */
async function completeMove(data: string, moved: Moved, database: Database): Promise<Sum> {
  const held = await database.holding();
  if (held?.hub !== moved.hub)
    throw new MigrationRefused(
      `the data of ${data} were moved to ${moved.database}, and not to ${database.address}`,
    );
  if (held.phase === 'used')
    throw new MigrationRefused(`the data of ${data} were moved to ${moved.database} already`);
  await database.enter({ ...held, phase: 'used' });
  return sumOf(await filesIn(database));
}

export interface MovedBack {
  readonly sum: Sum | undefined;
  /** Where the old contents of the directory are. */
  readonly aside: string;
}

/**
 * @param secret has sealed the authority, unless it is empty
 * @throws MigrationRefused, or what the storage and the database throw
 */
export async function migrateBack(
  data: string,
  database: Database,
  secret: string,
  log: Logger,
): Promise<MovedBack> {
  const unlock = await takeLock(data);
  try {
    const replaced = await finishSwap(data);
    const moved = await movedFrom(data);
    if (moved === undefined && replaced !== undefined) return { sum: undefined, aside: replaced };
    if (moved === undefined) throw new MigrationRefused(`the data of ${data} were not moved to a database`);
    await refuseOther(data, moved, database);
    await database.enter({ phase: 'leaving', hub: moved.hub });
    return await takeBack(data, database, secret, log);
  } finally {
    await unlock();
  }
}

async function refuseOther(data: string, { hub }: Moved, database: Database): Promise<void> {
  const held = await database.holding();
  if (held?.hub !== hub)
    throw new MigrationRefused(`${database.address} does not hold the data that were in ${data}`);
  if (held.phase === 'arriving')
    throw new MigrationRefused(
      `the migration to ${database.address} is unfinished: finish it with --to first`,
    );
  if (await database.isServed())
    throw new MigrationRefused(`a server uses ${database.address}: stop all servers first`);
}

async function takeBack(data: string, database: Database, secret: string, log: Logger): Promise<MovedBack> {
  const staged = await stage(data, 'back');
  try {
    const sum = await transfer(await filesIn(database), (files) => writeDirectory(staged.path, files));
    await compareDirectory(sum, staged.path, log);
    await copyOthers(data, staged.path);
    await takeFiles(await database.storage(), staged.path, secret, log);
    await makeReady(data, staged);
    await finishSwap(data);
    return { sum, aside: staged.aside };
  } finally {
    await rm(staged.path, { recursive: true, force: true });
  }
}

async function compareDirectory(sum: Sum, directory: string, log: Logger): Promise<void> {
  const storage = await openStorage(
    { data: directory, memoryBytes: MEMORY_BYTES, ...EVERYTHING },
    log,
    isTwinFile,
  );
  try {
    await compare(sum, wholeFiles(storage, await namesIn(directory, storage)));
  } finally {
    await storage.close();
  }
}

async function filesIn(database: Database): Promise<AsyncGenerator<WholeFile>> {
  const storage = await database.storage();
  return wholeFiles(storage, (await storage.list('')).filter(isKeptAlike));
}

/** Lets files through to where they are written. @returns their sum */
async function transfer(
  files: AsyncIterable<WholeFile>,
  write: (files: AsyncIterable<WholeFile>) => Promise<void>,
): Promise<Sum> {
  const adder = new Adder();
  await write(adder.pass(files));
  return adder.sum();
}

async function sumOf(files: AsyncIterable<WholeFile>): Promise<Sum> {
  const adder = new Adder();
  for await (const file of files) adder.add(file);
  return adder.sum();
}

/** @throws Error when what was written differs from what was read */
async function compare(expected: Sum, files: AsyncIterable<WholeFile>): Promise<void> {
  const found = await sumOf(files);
  if (found.sha256 === expected.sha256) return;
  throw new Error(
    `what was written differs from what was read: ${textOf(expected)} were read, and ${textOf(found)} are there now. ` +
      'The data are where they were',
  );
}

const textOf = ({ files, documents, past }: Sum): string =>
  `${files} files with ${documents} documents and ${past} past versions`;

const HUB = { file: 'server', key: 'hub' };

async function hubIn(storage: Pick<Storage, 'read'>): Promise<string | undefined> {
  const hub = (await readDocuments(storage, HUB.file)).get(HUB.key);
  return hub === undefined ? undefined : (JSON.parse(hub.data) as { id: string }).id;
}
