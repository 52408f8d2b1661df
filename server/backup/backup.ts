/** Makes a backup of a data directory, and puts one in its place. A server may use the directory meanwhile. */

import { existsSync, realpathSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { copyContents } from '../storage/copy.js';
import { makeDirectory } from '../storage/directory.js';
import { documentFile } from '../storage/document-file.js';
import { formatOf, isUsed, migrate } from '../storage/format.js';
import { askOwner, DirectoryInUse, takeLock } from '../storage/lock.js';
import { replay } from '../storage/replay.js';
import { listSegments } from '../storage/segment.js';
import { finishSwap, isWaiting, makeReady, stage } from '../storage/swap.js';
import { TICKET_KEYS_FILE } from '../tls/ticket-keys.js';
import { BackupUnusable, dataIn, type Manifest, pack, unpack } from './archive.js';
import { addKeys, isDocuments, removeKeys } from './keys.js';

/** The directory cannot be backed up to that place, or from it. */
export class BackupRefused extends Error {
  override name = 'BackupRefused';
}

/**
 * Makes a backup of a data directory. It holds every write that was acknowledged before the call, and perhaps later
 * ones.
 * @param passphrase with it the backup holds the keys too, and is encrypted
 * @throws BackupRefused, UnknownFormat, or what the file system throws
 */
export async function backUp(data: string, file: string, passphrase: string | undefined): Promise<void> {
  if (!existsSync(join(data, 'journal')))
    throw new BackupRefused(`${data} is not the data directory of a server`);
  if (existsSync(file)) throw new BackupRefused(`${file} is there already`);
  const target = resolve(file);
  if (isWithin(data, target))
    throw new BackupRefused(`${file} is in the data directory ${data}: a backup belongs outside of it`);
  await makeDirectory(dirname(target));
  const format = await formatOf(data);
  const { path } = await stage(data, 'backup');
  try {
    await mkdir(dataIn(path), { mode: 0o700 });
    await copyContents(data, dataIn(path));
    // A server that is restored makes new ones.
    await rm(join(dataIn(path), 'tls', TICKET_KEYS_FILE), { force: true });
    if (passphrase === undefined) await removeKeys(dataIn(path));
    await pack(path, target, { format, has_keys: passphrase !== undefined }, passphrase);
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

/** Whether a file is in a directory, or would be, with all symbolic links followed. */
function isWithin(directory: string, file: string): boolean {
  let parent = dirname(file);
  while (!existsSync(parent)) parent = dirname(parent);
  return `${realpathSync(parent)}${sep}`.startsWith(`${realpathSync(directory)}${sep}`);
}

export interface Restored {
  readonly manifest: Manifest;
  /** Where the old contents are, if there were any. */
  readonly aside: string | undefined;
  /** A server has taken up the new contents. */
  readonly isRunning: boolean;
  /** The directory had keys before, which a backup without keys leaves in use. */
  readonly keptKeys: boolean;
}

/** How long a running server may take to close and to open the new contents, in milliseconds. */
const TAKE_UP_MS = 30_000;
const LOOK_MS = 50;

/**
 * Puts a backup in the place of the contents of a data directory. Everything is checked before anything is replaced. A
 * running server takes it up by itself.
 * @throws BackupUnusable, BackupRefused, UnknownFormat, or what the file system throws
 */
export async function restore(data: string, file: string, passphrase: string | undefined): Promise<Restored> {
  await makeDirectory(data);
  if (await isWaiting(data))
    throw new BackupRefused(`${data} is being replaced already: start its server, which will finish that`);
  const keptKeys = existsSync(join(data, 'tls'));
  const hadContents = isUsed(data);
  const staged = await stage(data, 'restore');
  try {
    const unpacked = join(staged.path, 'unpacked');
    await mkdir(unpacked, { mode: 0o700 });
    const manifest = await unpack(file, unpacked, passphrase);
    const contents = dataIn(unpacked);
    await migrate(contents);
    await readAll(file, contents);
    if (!manifest.has_keys) await addKeys(data, contents);
    for (const name of await readdir(contents)) await rename(join(contents, name), join(staged.path, name));
    await rm(unpacked, { recursive: true });
    await makeReady(data, staged);
    const isRunning = await takeUp(data);
    return { manifest, aside: hadContents ? staged.aside : undefined, isRunning, keptKeys };
  } finally {
    await rm(staged.path, { recursive: true, force: true });
  }
}

/** Reads all documents and the journal, as a server would. @throws BackupUnusable */
async function readAll(file: string, contents: string): Promise<void> {
  try {
    await replay(await listSegments(join(contents, 'journal')));
    for (const entry of await readdir(contents, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile() && (await isDocuments(path))) await documentFile(path, async () => undefined).read();
    }
  } catch (error) {
    throw new BackupUnusable(`${file} holds data that no server can read: ${(error as Error).message}`);
  }
}

/** Lets the server take up the new contents, or puts them in place where none runs. @returns whether one runs */
async function takeUp(data: string): Promise<boolean> {
  for (const end = performance.now() + TAKE_UP_MS; performance.now() < end; ) {
    if (!(await isWaiting(data))) return true;
    if (await askOwner(data)) {
      await untilTaken(data, end);
    } else if (await finishHere(data)) {
      return false;
    }
  }
  throw new BackupRefused(
    'the server has not taken up the backup within 30 seconds: see its log. Its next start takes it up',
  );
}

async function untilTaken(data: string, end: number): Promise<void> {
  while (performance.now() < end && (await isWaiting(data))) await delay(LOOK_MS);
}

/** @returns false when a server has taken the directory meanwhile */
async function finishHere(data: string): Promise<boolean> {
  try {
    const unlock = await takeLock(data);
    await finishSwap(data).finally(unlock);
    return true;
  } catch (error) {
    if (error instanceof DirectoryInUse) return false;
    throw error;
  }
}
