import type { StoredDocument } from '../storage/storage.js';

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
  ) {}

  /** The document as every interface shows it, a TwinDocument of `shared/document.ts` as compact JSON; made once. */
  get json(): string {
    this.#json ??= `{"twin_id":"${this.twinId}","document_name":"${this.name}","version":${this.version},"data":${this.data},"updated_at":"${this.updatedAt}"}`;
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
  const document = new Document(twinId, name, stored.version, stored.updatedAt, stored.data);
  loaded.set(stored, document);
  return document;
}
