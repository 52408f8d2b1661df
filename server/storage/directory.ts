import { mkdir, open, rename, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Puts new, renamed and removed names of a directory on stable storage. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Makes a directory and its missing parents on stable storage. Only their owner can read them. It does so one by one, because
 * Node's recursive mkdir never ends where a file system takes no directories, as `/proc` does.
 * @throws what the file system throws, with the `path` that it is about
 */
export async function makeDirectory(directory: string): Promise<void> {
  if (await isMade(directory)) return;
  await makeDirectory(dirname(directory));
  // The parent may be one that another call has just made.
  if (!(await isMade(directory)))
    throw fault('ENOENT', directory, `${dirname(directory)} takes no directories`);
}

/** Makes a directory. @returns whether its parent is there, and takes it */
async function isMade(directory: string): Promise<boolean> {
  try {
    await makeOne(directory);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(directory) === directory) throw error;
    return false;
  }
}

async function makeOne(directory: string): Promise<void> {
  try {
    await mkdir(directory, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const kind = await kindOf(directory);
    if (kind === 'directory') return;
    if (kind === 'other') throw fault('ENOTDIR', directory, 'it is not a directory');
    throw fault('EEXIST', directory, 'it is a link that leads nowhere');
  }
  await syncDirectory(dirname(directory));
}

/** What a path leads to, or undefined when that is nothing. */
async function kindOf(path: string): Promise<'directory' | 'other' | undefined> {
  try {
    return (await stat(path)).isDirectory() ? 'directory' : 'other';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

const fault = (code: string, path: string, reason: string): Error =>
  Object.assign(new Error(`${path} cannot be made: ${reason}`), { code, path });

/** Replaces a file so that a crash at any instant leaves the old or the new content. Its directory must exist. */
export async function replaceFile(path: string, content: string): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    await writeFile(temporary, content, { mode: 0o600, flush: true });
  } catch (error) {
    // A part of it takes room that a full disk lacks.
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}

/** Removes a file, if it is there. The removal is on stable storage when it resolves. */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  await syncDirectory(dirname(path));
}
