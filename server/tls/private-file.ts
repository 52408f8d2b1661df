/** Files that hold a key: their owner alone can read them. */

import { chmod, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeDirectory, replaceFile } from '../storage/directory.js';

/** The text, or undefined where there is no file. One that others could read until now is closed to them. */
export async function readPrivate(path: string): Promise<string | undefined> {
  try {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) await chmod(path, 0o600);
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** On stable storage, the old text or the new one, when a crash comes; with its directory, where there is none. */
export async function writePrivate(path: string, text: string): Promise<void> {
  await makeDirectory(dirname(path));
  await replaceFile(path, text);
}
