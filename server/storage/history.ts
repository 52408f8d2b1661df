import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeDirectory, syncDirectory } from './directory.js';
import type { PastToSave } from './open-file.js';
import { encodeMembers } from './record.js';
import type { StoredDocument } from './storage.js';

/**
 * The past versions of documents on disk. Each file has a directory with a few parts for each document. A part is named
 * by the first version in it. Versions are appended to the last part until it is full, and the oldest parts are removed
 * as a whole. So a version costs one line, however long the history is.
 */
export class History {
  readonly #directory: string;
  readonly #versions: number;
  readonly #onDamage: (error: DamagedHistory) => void;

  /** @param versions how many versions of each document stay at least. Up to twice as many stay. */
  constructor(directory: string, versions: number, onDamage: (error: DamagedHistory) => void) {
    this.#directory = directory;
    this.#versions = versions;
    this.#onDamage = onDamage;
  }

  /** Can be repeated with the same versions. @throws what the file system throws */
  async save(file: string, { fresh, documents }: PastToSave): Promise<void> {
    if (fresh) await this.#removeAll(file);
    for (const { key, fresh: again, versions } of documents) {
      if (again) await this.#remove(file, await this.#parts(file, key));
      await this.#append(file, key, versions);
    }
  }

  /** The versions of a document, newest first. They end at a damaged part, which the log names. */
  async *read(file: string, key: string): AsyncGenerator<StoredDocument> {
    try {
      for (const part of (await this.#parts(file, key)).reverse())
        yield* readVersions(this.#pathOf(file, part));
    } catch (error) {
      if (error instanceof DamagedHistory) this.#onDamage(error);
      // A part may be removed while it is read.
      else if (!isMissing(error)) throw error;
    }
  }

  async #append(file: string, key: string, versions: readonly StoredDocument[]): Promise<void> {
    const [first] = versions;
    if (first === undefined) return;
    const all = await this.#parts(file, key);
    const parts = all.filter((part) => firstIn(part) < first.version);
    await this.#remove(file, all.slice(parts.length));
    const last = parts.at(-1);
    if (last !== undefined && first.version < firstIn(last) + this.#versions) {
      return this.#appendTo(this.#pathOf(file, last), versions);
    }
    await makeDirectory(join(this.#directory, file));
    await this.#appendTo(this.#pathOf(file, partOf(key, first.version)), versions);
    await syncDirectory(join(this.#directory, file));
    await this.#remove(file, parts.slice(0, -1));
  }

  /** A damaged part is renamed, because it must not prevent the present version from being written. */
  async #appendTo(path: string, versions: readonly StoredDocument[]): Promise<void> {
    try {
      await appendVersions(path, versions);
    } catch (error) {
      if (!(error instanceof DamagedHistory)) throw error;
      this.#onDamage(error);
      await rename(path, `${path}.damaged`);
      await appendVersions(path, versions);
    }
  }

  /** The parts of a document, oldest first. */
  async #parts(file: string, key: string): Promise<string[]> {
    const names = await readdir(join(this.#directory, file)).catch((error) => {
      if (isMissing(error)) return [];
      throw error;
    });
    const prefix = `${nameOf(key)}-`;
    return names.filter((name) => name.startsWith(prefix) && name.endsWith(SUFFIX)).sort();
  }

  async #remove(file: string, parts: readonly string[]): Promise<void> {
    if (parts.length === 0) return;
    for (const part of parts) await rm(this.#pathOf(file, part), { force: true });
    await syncDirectory(join(this.#directory, file));
  }

  async #removeAll(file: string): Promise<void> {
    const directory = join(this.#directory, file);
    if (!existsSync(directory)) return;
    await rm(directory, { recursive: true, force: true });
    await syncDirectory(dirname(directory));
  }

  #pathOf(file: string, part: string): string {
    return join(this.#directory, file, part);
  }
}

const SUFFIX = '.jsonl';
// Enough for the largest possible version, so that the names sort as the numbers do.
const DIGITS = 16;

const partOf = (key: string, version: number): string =>
  `${nameOf(key)}-${String(version).padStart(DIGITS, '0')}${SUFFIX}`;

const firstIn = (part: string): number => Number(part.slice(-DIGITS - SUFFIX.length, -SUFFIX.length));

/** A client chooses a document's name, so it is not used as the name of a file. */
const nameOf = (key: string): string => createHash('sha256').update(key).digest('hex').slice(0, 32);

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

const encodeLine = (version: StoredDocument): string => `{${encodeMembers(version)}}\n`;

const LINE =
  /^\{"version":(\d+),"updated_at":"([^"]+)",(?:"updated_by":("(?:[^"\\]|\\.)*"),)?"data":(\{.*\})\}$/;

/** Undefined for a line that the server did not write. */
function decodeLine(line: string): StoredDocument | undefined {
  const [, version, updatedAt, by, data] = LINE.exec(line) ?? [];
  if (version === undefined || updatedAt === undefined || data === undefined) return undefined;
  const updatedBy = by === undefined ? {} : { updatedBy: JSON.parse(by) as string };
  return { version: Number(version), updatedAt, ...updatedBy, data };
}

/** A line that the server did not write. */
class DamagedHistory extends Error {
  override name = 'DamagedHistory';
  constructor(path: string) {
    super(`${path} is damaged`);
  }
}

/** The versions in a file, newest first, without a torn line at its end. @throws DamagedHistory */
async function* readVersions(path: string): AsyncGenerator<StoredDocument> {
  const handle = await open(path, 'r');
  try {
    for await (const { line } of linesBackwards(handle)) yield versionIn(path, line);
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
async function appendVersions(path: string, versions: readonly StoredDocument[]): Promise<void> {
  const handle = await open(path, 'a+', 0o600);
  try {
    await handle.truncate(await endOfOlder(path, handle, versions[0]?.version ?? 0));
    await handle.writeFile(versions.map(encodeLine).join(''));
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

/** Where the last line with a version below this one ends. */
async function endOfOlder(path: string, handle: FileHandle, version: number): Promise<number> {
  for await (const { line, end } of linesBackwards(handle))
    if (versionIn(path, line).version < version) return end;
  return 0;
}

const CHUNK_BYTES = 65_536;
const NEWLINE = 10;

/** The complete lines of a file, the last one first, and where each ends. */
async function* linesBackwards(handle: FileHandle): AsyncGenerator<{ line: string; end: number }> {
  let { size: start } = await handle.stat();
  let rest: Buffer = Buffer.alloc(0);
  // A line without a newline at its end is torn.
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
