/**
 * Replaces the contents of a data directory as a whole, so that a crash at any instant leaves the old contents or the
 * new ones. The directory itself stays, because it may be the root of a volume. The new contents are prepared in a
 * directory within it. From the renaming to `.ready` on, they take the place of the old ones, if need be at the next
 * start. The old contents are kept in a directory of the same name without an ending.
 */

import { chown, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory, syncDirectory } from './directory.js';
import { RESERVE_FILE } from './reserve.js';

/** `unfinished`: being prepared. `ready`: the old contents leave. `moving`: they have left, and the new ones come. */
type Phase = 'unfinished' | 'ready' | 'moving';

const PREFIX = 'before-';

/** What belongs to the place, not to the contents: it is neither copied nor moved. */
const STAYS = new RegExp(
  `^(${PREFIX}.*|${RESERVE_FILE}|lock|lock\\..*|lost\\+found|\\..*|panel-flash\\.json.*|.*\\.tmp)$`,
);

/** Whether an entry of a data directory is a part of its contents. */
export const isContent = (name: string): boolean => !STAYS.test(name);

/** New contents that are being prepared. */
export interface Staged {
  /** Where they are prepared. */
  readonly path: string;
  /** Where the old contents will be. */
  readonly aside: string;
}

const at = (data: string, aside: string, phase: Phase): string => join(data, `${aside}.${phase}`);

/** The name of what is in a phase. */
async function find(data: string, phase: Phase): Promise<string | undefined> {
  const ending = `.${phase}`;
  const names = await readdir(data);
  const name = names.sort().find((each) => each.startsWith(PREFIX) && each.endsWith(ending));
  return name?.slice(0, -ending.length);
}

/**
 * Begins to prepare new contents. Others that are unfinished are removed.
 * @param why becomes a part of the name under which the old contents are kept: `[a-z0-9-]+`
 */
export async function stage(data: string, why: string, now = new Date()): Promise<Staged> {
  await makeDirectory(data);
  await dropUnfinished(data);
  const [day, time = ''] = now.toISOString().slice(0, -1).split('T');
  const aside = `${PREFIX}${why}-${day}-${time.replaceAll(/[:.]/g, '')}`;
  const path = at(data, aside, 'unfinished');
  await mkdir(path, { mode: 0o700 });
  return { path, aside: join(data, aside) };
}

/** Removes what was being prepared when a process ended. */
export async function dropUnfinished(data: string): Promise<void> {
  for (let name = await find(data, 'unfinished'); name !== undefined; name = await find(data, 'unfinished'))
    await rm(at(data, name, 'unfinished'), { recursive: true, force: true });
}

/** The prepared contents are complete: from now on they are the directory's. They belong to its owner. */
export async function makeReady(data: string, { path, aside }: Staged): Promise<void> {
  const { uid, gid } = await stat(data);
  await settle(path, (each) => chown(each, uid, gid));
  await rename(path, `${aside}.ready`);
  await syncDirectory(data);
}

/** Puts a directory with all that is in it on stable storage. */
async function settle(directory: string, own: (path: string) => Promise<void>): Promise<void> {
  await own(directory);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) {
      await settle(path, own);
      continue;
    }
    await own(path);
    const handle = await open(path, 'r');
    await handle.sync().finally(() => handle.close());
  }
  await syncDirectory(directory);
}

/** Whether prepared contents wait for a process that takes the directory. */
export const isWaiting = async (data: string): Promise<boolean> =>
  (await find(data, 'ready')) !== undefined || (await find(data, 'moving')) !== undefined;

/**
 * Puts contents that are ready in the place of the old ones, and goes on with what a crash has interrupted. The caller
 * holds the lock of the directory.
 * @returns where the old contents are, when there was something to do
 */
export async function finishSwap(data: string): Promise<string | undefined> {
  const ready = await find(data, 'ready');
  if (ready !== undefined) await moveOldAside(data, ready);
  const moving = await find(data, 'moving');
  if (moving === undefined) return undefined;
  const from = at(data, moving, 'moving');
  await moveAll(from, data);
  await rm(from, { recursive: true });
  await syncDirectory(data);
  return join(data, moving);
}

async function moveOldAside(data: string, name: string): Promise<void> {
  const aside = join(data, name);
  const { uid, gid } = await stat(data);
  await mkdir(aside, { recursive: true, mode: 0o700 });
  await chown(aside, uid, gid);
  await moveAll(data, aside);
  await rename(at(data, name, 'ready'), at(data, name, 'moving'));
  await syncDirectory(data);
}

async function moveAll(from: string, to: string): Promise<void> {
  for (const name of (await readdir(from)).filter(isContent)) await rename(join(from, name), join(to, name));
  await syncDirectory(to);
  await syncDirectory(from);
}
