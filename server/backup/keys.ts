/**
 * What a backup without keys leaves out. It holds the documents of the store only: passwords and tokens are in it as
 * digests, with which no client can connect. All other files may hold keys: the authority, the settings of alerts, and
 * whatever the owner has put into the directory.
 */

import { copyFile, cp, mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { decodeRecord, encodeFrame, frameEnd, recordsStart } from '../storage/record.js';
import { isContent } from '../storage/swap.js';

/** Documents of the store that are secrets: the key that signs push messages, and the keys of the phones. */
const SECRET_FILES: readonly string[] = ['alerts/vapid', 'alerts/subscriptions'];

const JOURNAL = 'journal';
const WITHOUT_KEYS = [JOURNAL, 'history', 'format.json'];
/** How a file of documents begins. */
const DOCUMENTS = '{"seq":';

/** The files and directories at the top of a directory that hold no documents of the store. */
export async function othersIn(data: string): Promise<string[]> {
  const others: string[] = [];
  for (const entry of await readdir(data, { withFileTypes: true })) {
    if (!isContent(entry.name) || WITHOUT_KEYS.includes(entry.name)) continue;
    const path = join(data, entry.name);
    const isStore = entry.isDirectory() ? await holdsDocuments(path) : await isDocuments(path);
    if (!isStore && (entry.isDirectory() || entry.isFile())) others.push(entry.name);
  }
  return others;
}

async function holdsDocuments(directory: string): Promise<boolean> {
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    if (entry.isFile() && !(await isDocuments(join(entry.parentPath, entry.name)))) return false;
  }
  return true;
}

/** Whether a file holds documents of the store. */
export async function isDocuments(path: string): Promise<boolean> {
  if (!path.endsWith('.json')) return false;
  const handle = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(DOCUMENTS.length), 0, DOCUMENTS.length, 0);
    return buffer.toString('latin1', 0, bytesRead) === DOCUMENTS;
  } finally {
    await handle.close();
  }
}

const jsonOf = (data: string, file: string): string => join(data, `${file}.json`);

/** Removes all that may be a key from a copy of a data directory. */
export async function removeKeys(copy: string): Promise<void> {
  for (const name of await othersIn(copy)) await rm(join(copy, name), { recursive: true });
  for (const file of SECRET_FILES) await rm(jsonOf(copy, file), { force: true });
  for (const name of await readdir(join(copy, JOURNAL))) await removeRecords(join(copy, JOURNAL, name));
}

/** Leaves the records of secret documents out of a segment of the journal. */
async function removeRecords(path: string): Promise<void> {
  const bytes = await readFile(path);
  const kept: Buffer[] = [];
  let start = 0;
  for (let end = frameEnd(bytes, 0); end !== undefined; start = end, end = frameEnd(bytes, start)) {
    const records = bytes.toString('utf8', recordsStart(start), end).split(/(?<=\n)/);
    const others = records.filter(
      (record) => record === '' || !SECRET_FILES.includes(decodeRecord(record).file),
    );
    kept.push(encodeFrame(others.join('')));
  }
  await writeFile(path, Buffer.concat(kept), { mode: 0o600 });
}

/** Completes contents that have no keys with those of the present contents, if there are any. */
export async function addKeys(data: string, contents: string): Promise<void> {
  for (const name of await othersIn(data))
    await cp(join(data, name), join(contents, name), { recursive: true });
  for (const file of SECRET_FILES) {
    await mkdir(dirname(jsonOf(contents, file)), { recursive: true, mode: 0o700 });
    await copyFile(jsonOf(data, file), jsonOf(contents, file)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
}
