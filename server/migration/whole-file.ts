/** A file of a storage with everything that belongs to it, and a sum over many of them to compare two storages by. */

import { createHash } from 'node:crypto';
import { encodeMembers } from '../storage/record.js';
import { readDocuments, type Storage, type StoredDocument } from '../storage/storage.js';

export interface WholeDocument {
  readonly key: string;
  readonly document: StoredDocument;
  /** The versions before the present one, oldest first. They have no birth, which the present one has. */
  readonly past: readonly StoredDocument[];
}

export interface WholeFile {
  readonly name: string;
  /** In the order of their keys. */
  readonly documents: readonly WholeDocument[];
}

/** What is read from a storage: the files in the order of their names. Files without documents are left out. */
export async function* wholeFiles(
  storage: Pick<Storage, 'read' | 'past'>,
  names: readonly string[],
): AsyncGenerator<WholeFile> {
  for (const name of [...names].sort()) {
    const documents: WholeDocument[] = [];
    for (const [key, document] of [...(await readDocuments(storage, name))].sort(byKey))
      documents.push({ key, document, past: await pastOf(storage, name, key, document) });
    if (documents.length > 0) yield { name, documents };
  }
}

const byKey = ([one]: [string, unknown], [other]: [string, unknown]): number => (one < other ? -1 : 1);

/** How many past versions are asked for at a time, and how many bytes of them. */
const PAGE = { limit: 1000, dataBytes: 4 * 1024 * 1024 };

async function pastOf(
  storage: Pick<Storage, 'past'>,
  file: string,
  key: string,
  { version }: StoredDocument,
): Promise<StoredDocument[]> {
  const newestFirst: StoredDocument[] = [];
  for (let before = version; ; ) {
    const page = await storage.past(file, key, { ...PAGE, before });
    for (const each of page) newestFirst.push(withoutBirth(each));
    before = page.at(-1)?.version ?? 0;
    if (before <= 1) return newestFirst.reverse();
  }
}

/** A version as the history keeps it. */
export const withoutBirth = ({ born: _, ...version }: StoredDocument): StoredDocument => version;

/** What two storages with the same contents have in common. */
export interface Sum {
  readonly files: number;
  readonly documents: number;
  /** Versions before the present ones. */
  readonly past: number;
  /** SHA-256 over a line for each file, document and version, in hexadecimal digits. */
  readonly sha256: string;
}

/** Adds up files as they pass. They must come in the order of their names. */
export class Adder {
  readonly #hash = createHash('sha256');
  readonly #counts = { files: 0, documents: 0, past: 0 };

  add({ name, documents }: WholeFile): void {
    this.#counts.files += 1;
    this.#hash.update(`${name}\n`);
    for (const { key, document, past } of documents) {
      this.#counts.documents += 1;
      this.#counts.past += past.length;
      this.#hash.update(`${JSON.stringify(key)}:{${encodeMembers(document)}}\n`);
      for (const version of past) this.#hash.update(`{${encodeMembers(version)}}\n`);
    }
  }

  /** Adds up the files while another reader takes them. */
  async *pass(files: AsyncIterable<WholeFile>): AsyncGenerator<WholeFile> {
    for await (const file of files) {
      this.add(file);
      yield file;
    }
  }

  /** The sum of all files. It is taken once, at the end. */
  sum(): Sum {
    return { ...this.#counts, sha256: this.#hash.digest('hex') };
  }
}
