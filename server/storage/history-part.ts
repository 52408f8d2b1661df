/**
 * One part of a document's history: a file with one line of JSON for each version, oldest first. Versions ascend, and
 * so a version is found by a few reads. Times may go back, because the clock can be set. The lines behind such a step
 * name the latest time above them, as `latest`.
 */

import { type FileHandle, open } from 'node:fs/promises';
import { encodeMembers } from './record.js';
import type { PastRange, StoredDocument } from './storage.js';

/** A line that the server did not write. */
export class DamagedHistory extends Error {
  override name = 'DamagedHistory';
  constructor(path: string) {
    super(`${path} is damaged`);
  }
}

/** How long a part is, and the latest time in it. */
export interface PartState {
  readonly bytes: number;
  /** Empty for a part without a line. */
  readonly latest: string;
}

/**
 * Reads the versions of a part below `before`, newest first, until all that are left are older than `since`. A torn line
 * at the end is left out. Between two versions other work runs at least once for each CHUNK_BYTES.
 * @throws DamagedHistory, or what the file system throws
 */
export async function* readVersions(
  path: string,
  { since = '', before = Number.POSITIVE_INFINITY }: Pick<PastRange, 'since' | 'before'> = {},
): AsyncGenerator<StoredDocument> {
  const handle = await open(path, 'r');
  try {
    for await (const { line } of linesBackwards(handle, await endNear(handle, before))) {
      const { version, latest } = lineIn(path, line);
      if (version.version >= before) continue;
      if (latest < since) return;
      if (version.updatedAt >= since) yield version;
    }
  } finally {
    await handle.close();
  }
}

/** @throws DamagedHistory, or what the file system throws */
export async function stateOf(path: string): Promise<PartState> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    for await (const { line } of linesBackwards(handle, size))
      return { bytes: size, latest: lineIn(path, line).latest };
    return { bytes: size, latest: '' };
  } finally {
    await handle.close();
  }
}

/**
 * Writes versions after the older ones in a file, and creates the file if necessary. They are on stable storage when it
 * resolves. Versions in the file that are as new or newer are replaced. They are the same, or they come from a backup
 * that copied this file later than the document.
 * @param versions at least one, oldest first
 * @throws DamagedHistory, or what the file system throws
 */
export async function appendVersions(path: string, versions: readonly StoredDocument[]): Promise<PartState> {
  const handle = await open(path, 'a+', 0o600);
  try {
    const older = await endOfOlder(path, handle, versions[0]?.version ?? 0);
    let { latest } = older;
    const lines = versions.map((version) => {
      const line = encodeLine(version, latest);
      if (version.updatedAt > latest) latest = version.updatedAt;
      return line;
    });
    const text = Buffer.from(lines.join(''));
    await handle.truncate(older.end);
    await handle.writeFile(text);
    await handle.datasync();
    return { bytes: older.end + text.length, latest };
  } finally {
    await handle.close();
  }
}

/**
 * Copies the newest lines of a part, at most so many bytes, to the file that `nameOf` gives for the first of them.
 * They are on stable storage when it resolves.
 * @returns the first version, or undefined when no line is that short
 * @throws DamagedHistory, or what the file system throws
 */
export async function copyNewest(
  path: string,
  bytes: number,
  pathOf: (first: number) => string,
): Promise<number | undefined> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const next = await lineBehind(handle, Math.max(0, size - bytes));
    if (next === undefined) return undefined;
    if (next.version === undefined) throw new DamagedHistory(path);
    const copy = await open(pathOf(next.version), 'w', 0o600);
    try {
      for (let at = next.start; at < size; at += COPY_BYTES)
        await copy.writeFile(await readAt(handle, at, COPY_BYTES));
      await copy.datasync();
    } finally {
      await copy.close();
    }
    return next.version;
  } finally {
    await handle.close();
  }
}

const COPY_BYTES = 1024 * 1024;

/** How many bytes the line of a version takes, roughly. */
export const lineBytes = ({ updatedBy = '', data }: StoredDocument): number =>
  LINE_OVERHEAD_BYTES + Buffer.byteLength(updatedBy) + Buffer.byteLength(data);

const LINE_OVERHEAD_BYTES =
  '{"version":1000000,"updated_at":"2026-01-01T00:00:00.000Z","updated_by":"","data":}\n'.length;

/** @param latest the latest time above */
const encodeLine = (version: StoredDocument, latest: string): string =>
  `{${latest > version.updatedAt ? `"latest":"${latest}",` : ''}${encodeMembers(version)}}\n`;

const LINE =
  /^\{(?:"latest":"([^"]+)",)?"version":(\d+),"updated_at":"([^"]+)",(?:"updated_by":("(?:[^"\\]|\\.)*"),)?"data":(\{.*\})\}$/;
const HEAD = /^\{(?:"latest":"[^"]+",)?"version":(\d+),/;

/** Enough for the members before a version and the version itself. */
const HEAD_BYTES = 128;

interface Line {
  readonly version: StoredDocument;
  /** The latest time in this line and above it. */
  readonly latest: string;
}

function lineIn(path: string, line: string): Line {
  const [, latest, version, updatedAt, by, data] = LINE.exec(line) ?? [];
  if (version === undefined || updatedAt === undefined || data === undefined) throw new DamagedHistory(path);
  const updatedBy = by === undefined ? {} : { updatedBy: JSON.parse(by) as string };
  return {
    version: { version: Number(version), updatedAt, ...updatedBy, data },
    latest: latest ?? updatedAt,
  };
}

/** Where the last line with a version below this one ends, and the latest time up to there. */
async function endOfOlder(
  path: string,
  handle: FileHandle,
  version: number,
): Promise<{ end: number; latest: string }> {
  const { size } = await handle.stat();
  for await (const { line, end } of linesBackwards(handle, size)) {
    const older = lineIn(path, line);
    if (older.version.version < version) return { end, latest: older.latest };
  }
  return { end: 0, latest: '' };
}

/** What is read at once. Parsing so much takes less than a millisecond, even of the shortest versions. */
const CHUNK_BYTES = 16_384;
const NEWLINE = 10;

/** Where a line begins, behind the last version below this one, and at most a chunk and a version behind it. */
async function endNear(handle: FileHandle, version: number): Promise<number> {
  let { size: end } = await handle.stat();
  if (version === Number.POSITIVE_INFINITY) return end;
  for (let low = 0, high = end; high - low > CHUNK_BYTES; ) {
    const middle = Math.floor((low + high) / 2);
    const next = await lineBehind(handle, middle);
    // Behind a damaged line the versions can be read, and those before it cannot.
    if (next !== undefined && (next.version ?? 0) < version) {
      low = middle;
    } else {
      high = middle;
      end = next?.start ?? end;
    }
  }
  return end;
}

/** The first line that begins at a position or behind it. Its version is undefined when it is damaged. */
async function lineBehind(
  handle: FileHandle,
  from: number,
): Promise<{ start: number; version: number | undefined } | undefined> {
  const start = from === 0 ? 0 : await behindNewline(handle, from - 1);
  if (start === undefined) return undefined;
  const head = await readAt(handle, start, HEAD_BYTES);
  if (head.length === 0) return undefined;
  const [, version] = HEAD.exec(head.toString('latin1')) ?? [];
  return { start, version: version === undefined ? undefined : Number(version) };
}

async function behindNewline(handle: FileHandle, from: number): Promise<number | undefined> {
  for (let at = from; ; ) {
    const chunk = await readAt(handle, at, CHUNK_BYTES);
    const newline = chunk.indexOf(NEWLINE);
    if (newline !== -1) return at + newline + 1;
    if (chunk.length === 0) return undefined;
    at += chunk.length;
  }
}

async function readAt(handle: FileHandle, at: number, length: number): Promise<Buffer> {
  const chunk = Buffer.allocUnsafe(length);
  const { bytesRead } = await handle.read(chunk, 0, length, at);
  return chunk.subarray(0, bytesRead);
}

/** The complete lines before a position where a line begins or the file ends, the last one first, and where each ends. */
async function* linesBackwards(
  handle: FileHandle,
  from: number,
): AsyncGenerator<{ line: string; end: number }> {
  let start = from;
  let rest: Buffer = Buffer.alloc(0);
  // A line without a newline at its end is torn.
  let torn = true;
  for (;;) {
    const newline = rest.lastIndexOf(NEWLINE);
    if (newline === -1 && start > 0) {
      const length = Math.min(CHUNK_BYTES, start);
      start -= length;
      rest = Buffer.concat([await readAt(handle, start, length), rest]);
      continue;
    }
    if (!torn) yield { line: rest.toString('utf8', newline + 1), end: start + rest.length + 1 };
    if (newline === -1) return;
    rest = rest.subarray(0, newline);
    torn = false;
  }
}
