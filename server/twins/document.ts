import { randomBytes } from 'node:crypto';
import type { Birth, StoredDocument } from '../storage/storage.js';

const TAG_BYTES = 6;

const newBirth = (createdAt: string): Birth => ({
  createdAt,
  tag: randomBytes(TAG_BYTES).toString('hex'),
});

/**
 * A document's birth as it is shown. A server before version 0.2 stored none: such a document counts as created when that
 * server wrote it last, and the next write stores this time as it was shown.
 */
export const bornOf = ({ born, updatedAt }: StoredDocument): Birth =>
  born ?? { createdAt: updatedAt, tag: '0' };

/** The birth that the next version carries. @param now RFC 3339 */
export function birthAfter(present: StoredDocument | undefined, now: string): Birth {
  if (present === undefined) return newBirth(now);
  return present.born ?? newBirth(present.updatedAt);
}

/** One document of one twin; never changed once made, and stored as it is. */
export class Document implements StoredDocument {
  #json: string | undefined;

  /**
   * @param updatedAt RFC 3339, the server's clock at the accepted write
   * @param data the content as compact JSON
   */
  constructor(
    readonly twinId: string,
    readonly name: string,
    readonly version: number,
    readonly updatedAt: string,
    readonly data: string,
    readonly born: Birth,
  ) {}

  /** The document as every interface shows it, a TwinDocument of `shared/document.ts` as compact JSON; made once. */
  get json(): string {
    this.#json ??= `{"twin_id":"${this.twinId}","document_name":"${this.name}","version":${this.version},"data":${this.data},"created_at":"${this.born.createdAt}","updated_at":"${this.updatedAt}"}`;
    return this.#json;
  }
}

// Those that come from disk; those that were put are documents already.
const loaded = new WeakMap<StoredDocument, Document>();

/** What is stored under a name of a twin, as a document. */
export function documentOf(twinId: string, name: string, stored: StoredDocument): Document {
  if (stored instanceof Document) return stored;
  const known = loaded.get(stored);
  if (known !== undefined) return known;
  const document = pastDocument(twinId, name, stored, bornOf(stored));
  loaded.set(stored, document);
  return document;
}

/** A version of a document whose birth the present version knows. */
export const pastDocument = (
  twinId: string,
  name: string,
  { version, updatedAt, data }: StoredDocument,
  born: Birth,
): Document => new Document(twinId, name, version, updatedAt, data, born);
