import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Another server, of this process id, has the directory. */
export class DirectoryInUse extends Error {
  override name = 'DirectoryInUse';
  constructor(directory: string, pid: number) {
    super(`${directory} is in use by another server, process ${pid}`);
  }
}

interface Owner {
  pid: number;
  /** When the process began, where the system tells: a pid alone comes again. */
  began: string | null;
}

/**
 * Takes a directory for this process; returns what gives it back. The lock of a process that is gone is taken over.
 * @throws DirectoryInUse
 */
export async function takeLock(directory: string): Promise<() => Promise<void>> {
  const path = join(directory, 'lock');
  const mine = `${path}.${process.pid}`;
  await writeFile(mine, JSON.stringify({ pid: process.pid, began: await beginOf(process.pid) }), {
    mode: 0o600,
  });
  try {
    while (!(await linked(mine, path))) await clearStale(directory, path, mine);
  } finally {
    await rm(mine, { force: true });
  }
  return () => rm(path, { force: true });
}

/** A link is made by one process only, however many try. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** @throws DirectoryInUse when the lock is not stale */
async function clearStale(directory: string, path: string, mine: string): Promise<void> {
  await refuseAlive(directory, path);
  const stale = `${mine}.stale`;
  try {
    await rename(path, stale).catch(ignoreMissing);
    // Another process may have cleared the stale lock and taken its own since we looked.
    await refuseAlive(directory, stale).catch(async (error) => {
      await linked(stale, path);
      throw error;
    });
  } finally {
    await rm(stale, { force: true });
  }
}

async function refuseAlive(directory: string, path: string): Promise<void> {
  const owner = await ownerOf(path);
  if (owner !== undefined && (await isAlive(owner))) throw new DirectoryInUse(directory, owner.pid);
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

async function ownerOf(path: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}

async function isAlive({ pid, began }: Owner): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return began === (await beginOf(pid));
}

/** The start time of a process in clock ticks since boot, from /proc; null where there is none. */
async function beginOf(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}
