import type { StoredDocument } from '../storage/storage.js';

/** One document of one twin; never changed once made. */
export class Document {
  #json: string | undefined;

  constructor(
    readonly twinId: string,
    readonly name: string,
    private readonly stored: StoredDocument,
  ) {}

  get version(): number {
    return this.stored.version;
  }

  /** RFC 3339, the server's clock at the accepted write. */
  get updatedAt(): string {
    return this.stored.updatedAt;
  }

  /** The content as compact JSON. */
  get data(): string {
    return this.stored.data;
  }

  /** The document as every interface shows it, a TwinDocument of `shared/document.ts` as compact JSON. */
  get json(): string {
    this.#json ??= `{"twin_id":"${this.twinId}","document_name":"${this.name}","version":${this.version},"data":${this.data},"updated_at":"${this.updatedAt}"}`;
    return this.#json;
  }
}
