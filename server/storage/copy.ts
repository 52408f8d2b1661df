/**
 * Copies a data directory while a server writes to it. The order of copying matters. A change is in the journal until
 * it is in the files, so the journal is copied first, and its newest segment before the full ones.
 */

import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { goodBytes } from './replay.js';
import { isContent } from './swap.js';

const JOURNAL = 'journal';
/** It is copied after the files. When a file lacks a version, the journal has what the history needs. */
const LAST = 'history';

/**
 * Copies the contents of a data directory into another one, whether or not a server uses it. The copy holds every write
 * that was acknowledged before the call, and perhaps later ones.
 * @throws what the file system throws
 */
export async function copyContents(data: string, target: string): Promise<void> {
  await copyJournal(join(data, JOURNAL), join(target, JOURNAL));
  await copyEntries(data, target, (name) => isContent(name) && name !== JOURNAL && name !== LAST);
  await copyDirectory(join(data, LAST), join(target, LAST));
}

async function copyJournal(from: string, to: string): Promise<void> {
  await mkdir(to, { mode: 0o700 });
  for (const name of (await readdir(from)).sort().reverse()) {
    const bytes = await unlessGone(readSegment(join(from, name)));
    if (bytes !== undefined) await writeFile(join(to, name), bytes, { mode: 0o600, flush: true });
  }
}

/** Longer than a server takes to write one frame. */
const FRAME_MS = 20;

/** A segment without a frame that is being written. One that stays torn is copied as it is, and the start decides. */
async function readSegment(path: string): Promise<Buffer> {
  for (let before = -1; ; ) {
    const bytes = await readFile(path);
    const { end, isWhole } = goodBytes(bytes);
    if (isWhole) return bytes.subarray(0, end);
    if (end === before) return bytes;
    before = end;
    await delay(FRAME_MS);
  }
}

async function copyDirectory(from: string, to: string): Promise<void> {
  if (!existsSync(from)) return;
  await mkdir(to, { mode: 0o700 });
  await copyEntries(from, to, () => true);
}

/** Leaves out sockets and unfinished files. The server replaces a file as a whole, or appends to it. */
async function copyEntries(from: string, to: string, isWanted: (name: string) => boolean): Promise<void> {
  for (const entry of (await unlessGone(readdir(from, { withFileTypes: true }))) ?? []) {
    const [source, copy] = [join(from, entry.name), join(to, entry.name)];
    if (!isWanted(entry.name)) continue;
    if (entry.isDirectory()) await copyDirectory(source, copy);
    else if (entry.isFile() && !entry.name.endsWith('.tmp')) await unlessGone(copyFile(source, copy));
  }
}

/** Undefined when the server has removed it meanwhile, which means that it is no longer needed. */
async function unlessGone<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
