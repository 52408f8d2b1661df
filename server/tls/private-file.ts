/** Files that hold a key. Only their owner can read them. */

import { chmod, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeDirectory, replaceFile } from '../storage/directory.js';

/** The text, or undefined when there is no file. If others could read the file, they no longer can. */
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

/** Writes a text, and makes the directory. After a crash the file holds the old text or the new one. */
export async function writePrivate(path: string, text: string): Promise<void> {
  await makeDirectory(dirname(path));
  await replaceFile(path, text);
}
