import type { Change } from './open-file.js';
import type { PastRange, StoredDocument } from './storage.js';

/** What the history on disk lacks of one document, oldest first. */
interface Recent {
  /** The history on disk is that of a document which was removed since. */
  fresh: boolean;
  versions: StoredDocument[];
}

/** From one removal of all documents to the next. */
interface Era {
  /** The history on disk is of an era before. */
  fresh: boolean;
  readonly documents: Map<string, Recent>;
}

/** What is about to be saved: as it was when the saving began. */
export interface PastToSave {
  readonly era: Era;
  readonly fresh: boolean;
  readonly documents: readonly {
    key: string;
    recent: Recent;
    fresh: boolean;
    versions: readonly StoredDocument[];
  }[];
}

const NONE: Recent = { fresh: false, versions: [] };

/** The past of a file's documents as far as only the journal and the memory hold it. */
export class Past {
  #era: Era = { fresh: false, documents: new Map() };

  /** @param keep how many versions of a document matter */
  constructor(readonly keep: number) {}

  accept({ key, document }: Change): void {
    if (key === undefined) this.#era = { fresh: true, documents: new Map() };
    else if (document === undefined) this.#era.documents.set(key, { fresh: true, versions: [] });
    else this.#add(key, document);
  }

  #add(key: string, { version, updatedAt, data }: StoredDocument): void {
    const recent = this.#era.documents.get(key) ?? { fresh: false, versions: [] };
    this.#era.documents.set(key, recent);
    // The present version knows the birth, and no past one is asked for its cached JSON.
    recent.versions.push({ version, updatedAt, data });
    if (recent.versions.length >= 2 * this.keep) recent.versions.splice(0, this.keep);
  }

  /** What memory holds of a document; `whole`: there is nothing else. */
  recent(key: string): { versions: readonly StoredDocument[]; whole: boolean } {
    const { fresh, versions } = this.#era.documents.get(key) ?? NONE;
    return { versions, whole: fresh || this.#era.fresh };
  }

  toSave(): PastToSave {
    const documents = [...this.#era.documents].map(([key, recent]) => ({
      key,
      recent,
      fresh: recent.fresh,
      versions: recent.versions.slice(-this.keep),
    }));
    return { era: this.#era, fresh: this.#era.fresh, documents };
  }

  /** It is on disk; what has come meanwhile stays. */
  saved({ era, documents }: PastToSave): void {
    era.fresh = false;
    for (const { key, recent, versions } of documents) {
      if (era.documents.get(key) !== recent) continue;
      const last = versions.at(-1)?.version ?? 0;
      recent.fresh = false;
      recent.versions = recent.versions.filter(({ version }) => version > last);
      if (recent.versions.length === 0) era.documents.delete(key);
    }
  }
}

/** The versions in a range, of which some may come twice. @param versions newest first */
export async function selectPast(
  versions: AsyncIterable<StoredDocument>,
  { since = '', before = Number.POSITIVE_INFINITY, limit, bytes }: PastRange,
): Promise<StoredDocument[]> {
  const selected: StoredDocument[] = [];
  let room = bytes;
  let below = before;
  for await (const document of versions) {
    // A clock that was set back leaves times that do not follow the versions.
    if (document.version >= below || document.updatedAt < since) continue;
    below = document.version;
    room -= document.data.length;
    if (selected.length > 0 && room < 0) break;
    if (selected.push(document) === limit) break;
  }
  return selected;
}
