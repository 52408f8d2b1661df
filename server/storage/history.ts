import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LRUCache } from 'lru-cache';
import { makeDirectory, syncDirectory } from './directory.js';
import {
  appendVersions,
  copyNewest,
  DamagedHistory,
  lineBytes,
  type PartState,
  readVersions,
  stateOf,
} from './history-part.js';
import type { PastToSave } from './open-file.js';
import type { PastRange, StoredDocument } from './storage.js';

/** How much of the past is kept on disk. */
interface HistoryLimits {
  /** So many versions of each document at least, and at most twice as many, as long as the bytes suffice. */
  readonly versions: number;
  /** The bytes of all documents of a file together. The oldest versions of the whole file go first. */
  readonly bytes: number;
}

/** What is saved of a file. `fresh`: what the history holds of it, or of the document, is removed first. */
interface Versions extends Pick<PastToSave, 'fresh'> {
  readonly documents: readonly Omit<PastToSave['documents'][number], 'recent'>[];
}

/** A part takes at most this share of the bytes, because only whole parts are removed. */
const PARTS = 128;

/** How many parts are known without a look at the disk. One takes about 200 bytes of memory. */
const KNOWN_PARTS = 32_768;

interface Part {
  readonly name: string;
  bytes: number;
  /** The latest time in it, once it was needed. */
  latest?: string;
}

/**
 * The past versions of documents on disk. Each file has a directory with a few parts for each document. A part is named
 * by the first version in it. Versions are appended to the last part until it is full, and the oldest parts are removed
 * as a whole. So a version costs one line, however long the history is.
 */
export class History {
  readonly #directory: string;
  readonly #limits: HistoryLimits;
  readonly #partBytes: number;
  readonly #onDamage: (error: DamagedHistory) => void;
  /** The parts of a file, those of one document together and oldest first. */
  readonly #known = new LRUCache<string, Part[]>({
    maxSize: KNOWN_PARTS,
    sizeCalculation: (parts) => parts.length + 1,
  });

  /** How many savings have begun, and how many have ended. */
  #savings = 0;

  constructor(directory: string, limits: HistoryLimits, onDamage: (error: DamagedHistory) => void) {
    this.#directory = directory;
    this.#limits = limits;
    this.#partBytes = Math.ceil(limits.bytes / PARTS);
    this.#onDamage = onDamage;
  }

  /** Can be repeated with the same versions. @throws what the file system throws */
  async save(file: string, { fresh, documents }: Versions): Promise<void> {
    this.#savings += 1;
    try {
      if (fresh) await this.#removeAll(file);
      const parts = fresh ? [] : await this.#partsIn(file);
      for (const { key, fresh: again } of documents) {
        if (again) await this.#remove(file, parts, partsOf(parts, key));
      }
      for (const { key, versions } of documents) await this.#append(file, parts, key, versions);
      await this.#makeRoom(file, parts, 0);
      this.#known.set(file, parts);
    } catch (error) {
      this.#known.delete(file);
      throw error;
    } finally {
      this.#savings += 1;
    }
  }

  /**
   * The versions of a document in a range, newest first. They end at a damaged part, which the log names. What is read
   * is about what is returned, however long the history is.
   */
  async *read(
    file: string,
    key: string,
    range: Pick<PastRange, 'since' | 'before'>,
  ): AsyncGenerator<StoredDocument> {
    const { since = '', before = Number.POSITIVE_INFINITY } = range;
    try {
      for (const part of partsOf(await this.#partsIn(file), key).reverse()) {
        if (firstIn(part) >= before) continue;
        if (since === '' || (await this.#latestIn(file, part)) >= since)
          yield* readVersions(this.#pathOf(file, part), range);
      }
    } catch (error) {
      if (error instanceof DamagedHistory) this.#onDamage(error);
      // A part may be removed while it is read.
      else if (!isMissing(error)) throw error;
    }
  }

  async #append(
    file: string,
    parts: Part[],
    key: string,
    versions: readonly StoredDocument[],
  ): Promise<void> {
    const [first] = versions;
    if (first === undefined) return;
    const newer = partsOf(parts, key).filter((part) => firstIn(part) >= first.version);
    await this.#remove(file, parts, newer);
    for (const { group, bytes } of inGroups(versions, this.#partBytes)) {
      await this.#makeRoom(file, parts, bytes);
      await this.#appendGroup(file, parts, key, group, bytes);
    }
    await this.#removeOldVersions(file, parts, key, versions.at(-1)?.version ?? 0);
  }

  async #appendGroup(
    file: string,
    parts: Part[],
    key: string,
    group: readonly StoredDocument[],
    bytes: number,
  ): Promise<void> {
    const first = group[0]?.version ?? 0;
    const last = partsOf(parts, key).at(-1);
    if (
      last !== undefined &&
      last.bytes + bytes <= this.#partBytes &&
      first < firstIn(last) + this.#limits.versions
    ) {
      Object.assign(last, await this.#appendTo(this.#pathOf(file, last), group));
      return;
    }
    await makeDirectory(join(this.#directory, file));
    const name = nameOfPart(key, first);
    const state = await this.#appendTo(join(this.#directory, file, name), group);
    await syncDirectory(join(this.#directory, file));
    parts.push({ name, ...state });
    parts.sort(byName);
  }

  /** A damaged part is renamed, because it must not prevent the present version from being written. */
  async #appendTo(path: string, versions: readonly StoredDocument[]): Promise<PartState> {
    try {
      return await appendVersions(path, versions);
    } catch (error) {
      if (!(error instanceof DamagedHistory)) throw error;
      this.#onDamage(error);
      await rename(path, `${path}.damaged`);
      return appendVersions(path, versions);
    }
  }

  /** Removes the oldest parts of a document as long as the others hold enough versions. */
  async #removeOldVersions(file: string, parts: Part[], key: string, newest: number): Promise<void> {
    const own = partsOf(parts, key);
    const enough = own.filter((part) => newest - firstIn(part) + 1 >= this.#limits.versions);
    await this.#remove(file, parts, enough.slice(0, -1));
  }

  /** Removes the oldest parts of all documents until so many more bytes fit. */
  async #makeRoom(file: string, parts: Part[], bytes: number): Promise<void> {
    for (;;) {
      const excess = parts.reduce((sum, part) => sum + part.bytes, bytes) - this.#limits.bytes;
      const oldest = excess > 0 ? await this.#oldest(file, parts) : undefined;
      if (oldest === undefined) return;
      // Earlier servers bounded the parts only by the number of their versions.
      if (oldest.bytes > excess + this.#partBytes) await this.#shorten(file, parts, oldest, excess);
      await this.#remove(file, parts, [oldest]);
    }
  }

  /** The part whose last version is older than that of every other part. */
  async #oldest(file: string, parts: readonly Part[]): Promise<Part | undefined> {
    let oldest: { part: Part; latest: string } | undefined;
    let document: string | undefined;
    for (const part of parts) {
      if (documentOf(part) === document) continue;
      document = documentOf(part);
      const latest = await this.#latestIn(file, part);
      if (oldest === undefined || latest < oldest.latest) oldest = { part, latest };
    }
    return oldest?.part;
  }

  /** Copies a long part without its oldest versions, so that these bytes and a part's bytes less remain. */
  async #shorten(file: string, parts: Part[], part: Part, excess: number): Promise<void> {
    const left = part.bytes - excess - this.#partBytes;
    const name = (first: number) => part.name.slice(0, -DIGITS - SUFFIX.length) + numberOfPart(first);
    const first = await copyNewest(this.#pathOf(file, part), left, (of) =>
      join(this.#directory, file, name(of)),
    ).catch((error) => {
      if (!(error instanceof DamagedHistory)) throw error;
      this.#onDamage(error);
    });
    if (first === undefined) return;
    await syncDirectory(join(this.#directory, file));
    const { size } = await stat(join(this.#directory, file, name(first)));
    parts.push({ name: name(first), bytes: size });
    parts.sort(byName);
  }

  async #latestIn(file: string, part: Part): Promise<string> {
    const latest = part.latest ?? (await stateOf(this.#pathOf(file, part))).latest;
    // Versions may have been appended meanwhile.
    part.latest ??= latest;
    return part.latest;
  }

  async #partsIn(file: string): Promise<Part[]> {
    const known = this.#known.get(file);
    if (known !== undefined) return known;
    const savings = this.#savings;
    const parts: Part[] = [];
    for (const name of (await unlessMissing(readdir(join(this.#directory, file)))) ?? []) {
      if (!name.endsWith(SUFFIX)) continue;
      const found = await unlessMissing(stat(join(this.#directory, file, name)));
      if (found !== undefined) parts.push({ name, bytes: found.size });
    }
    parts.sort(byName);
    // A saving that began or ended meanwhile knows the parts better.
    if (savings === this.#savings) this.#known.set(file, parts);
    return this.#known.get(file) ?? parts;
  }

  async #remove(file: string, parts: Part[], these: readonly Part[]): Promise<void> {
    if (these.length === 0) return;
    for (const part of these) {
      await rm(this.#pathOf(file, part), { force: true });
      parts.splice(parts.indexOf(part), 1);
    }
    await syncDirectory(join(this.#directory, file));
  }

  async #removeAll(file: string): Promise<void> {
    this.#known.delete(file);
    const directory = join(this.#directory, file);
    if (!existsSync(directory)) return;
    await rm(directory, { recursive: true, force: true });
    await syncDirectory(dirname(directory));
  }

  #pathOf(file: string, { name }: Part): string {
    return join(this.#directory, file, name);
  }
}

const SUFFIX = '.jsonl';
// Enough for the largest possible version, so that the names sort as the numbers do.
const DIGITS = 16;

const numberOfPart = (first: number): string => `${String(first).padStart(DIGITS, '0')}${SUFFIX}`;

const nameOfPart = (key: string, first: number): string => `${nameOf(key)}-${numberOfPart(first)}`;

const documentOf = ({ name }: Part): string => name.slice(0, -DIGITS - SUFFIX.length);

const firstIn = ({ name }: Part): number => Number(name.slice(-DIGITS - SUFFIX.length, -SUFFIX.length));

const byName = (one: Part, other: Part): number => (one.name < other.name ? -1 : 1);

/** The parts of a document, oldest first. */
function partsOf(parts: readonly Part[], key: string): Part[] {
  const document = `${nameOf(key)}-`;
  return parts.filter((part) => documentOf(part) === document);
}

/** A client chooses a document's name, so it is not used as the name of a file. */
const nameOf = (key: string): string => createHash('sha256').update(key).digest('hex').slice(0, 32);

/** Cuts versions into groups whose lines fit a part, one by one. A version that is longer is a group of its own. */
function* inGroups(
  versions: readonly StoredDocument[],
  partBytes: number,
): Generator<{ group: StoredDocument[]; bytes: number }> {
  let group: StoredDocument[] = [];
  let bytes = 0;
  for (const version of versions) {
    const length = lineBytes(version);
    if (group.length > 0 && bytes + length > partBytes) {
      yield { group, bytes };
      group = [];
      bytes = 0;
    }
    group.push(version);
    bytes += length;
  }
  if (group.length > 0) yield { group, bytes };
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

async function unlessMissing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
