import { mkdir, mkdtemp, open, rename, rm, rmdir, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Puts new, renamed and removed names of a directory on stable storage. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a directory and its missing parents on stable storage. Only their owner can read them. */
export async function makeDirectory(directory: string): Promise<void> {
  const first = await mkdir(directory, { recursive: true, mode: 0o700 }).catch(async (error) => {
    throw (error.code === 'ENOENT' && (await causeOf(dirname(directory)))) || error;
  });
  if (first === undefined) return;
  for (let made = directory; made.length >= first.length; made = dirname(made))
    await syncDirectory(dirname(made));
}

/** Why a directory cannot be made in `parent`. Node's recursive mkdir says ENOENT for other causes too. */
async function causeOf(parent: string): Promise<Error | undefined> {
  try {
    const probe = await mkdtemp(join(parent, '.probe-'));
    await rmdir(probe);
    return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      return Object.assign(error as Error, { path: parent });
    return dirname(parent) === parent ? undefined : causeOf(dirname(parent));
  }
}

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
