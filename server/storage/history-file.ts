/** One file of a document's history: its versions, oldest first, one JSON text a line. */

import { type FileHandle, open } from 'node:fs/promises';
import { encodeMembers } from './record.js';
import type { StoredDocument } from './storage.js';

const encodeLine = (version: StoredDocument): string => `{${encodeMembers(version)}}\n`;

const LINE = /^\{"version":(\d+),"updated_at":"([^"]+)","data":(\{.*\})\}$/;

/** Undefined for a line that the server did not write. */
function decodeLine(line: string): StoredDocument | undefined {
  const [, version, updatedAt, data] = LINE.exec(line) ?? [];
  if (version === undefined || updatedAt === undefined || data === undefined) return undefined;
  return { version: Number(version), updatedAt, data };
}

/** A line that the server did not write. */
export class DamagedHistory extends Error {
  override name = 'DamagedHistory';
  constructor(path: string) {
    super(`${path} is damaged`);
  }
}

/** The versions in a file, newest first; a torn line at its end is left out. @throws DamagedHistory */
export async function* readVersions(path: string): AsyncGenerator<StoredDocument> {
  const handle = await open(path, 'r');
  try {
    for await (const { line } of linesBackwards(handle)) yield versionIn(path, line);
  } finally {
    await handle.close();
  }
}

/**
 * Adds those versions that are newer than what the file holds, in place of a torn line at its end, and creates it when
 * need be; on stable storage when it resolves.
 * @throws DamagedHistory, or what the file system throws
 */
export async function appendVersions(path: string, versions: readonly StoredDocument[]): Promise<void> {
  const handle = await open(path, 'a+', 0o600);
  try {
    const { version: last, end } = await findLast(path, handle);
    await handle.truncate(end);
    const newer = versions.filter(({ version }) => version > last);
    if (newer.length === 0) return;
    await handle.writeFile(newer.map(encodeLine).join(''));
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

function versionIn(path: string, line: string): StoredDocument {
  const version = decodeLine(line);
  if (version === undefined) throw new DamagedHistory(path);
  return version;
}

async function findLast(path: string, handle: FileHandle): Promise<{ version: number; end: number }> {
  for await (const { line, end } of linesBackwards(handle))
    return { version: versionIn(path, line).version, end };
  return { version: 0, end: 0 };
}

const CHUNK_BYTES = 65_536;
const NEWLINE = 10;

/** The whole lines of a file, last first, and where each ends. */
async function* linesBackwards(handle: FileHandle): AsyncGenerator<{ line: string; end: number }> {
  let { size: start } = await handle.stat();
  let rest: Buffer = Buffer.alloc(0);
  // What follows the last newline is no line.
  let torn = true;
  for (;;) {
    const newline = rest.lastIndexOf(NEWLINE);
    if (newline === -1 && start > 0) {
      const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, start));
      start -= chunk.length;
      await handle.read(chunk, 0, chunk.length, start);
      rest = Buffer.concat([chunk, rest]);
      continue;
    }
    if (!torn) yield { line: rest.toString('utf8', newline + 1), end: start + rest.length + 1 };
    if (newline === -1) return;
    rest = rest.subarray(0, newline);
    torn = false;
  }
}
