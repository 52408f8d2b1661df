/** Which of the `desired` documents that arrive is obeyed. */

/** Tells one version of a document from every other one. */
export interface DocumentId {
  /** When version 1 was written, in milliseconds since 1970; 0 when the server does not say. */
  readonly created: number;
  /** 0 when the server counts none. */
  readonly version: number;
  /** When this version was written, in milliseconds since 1970; 0 when the server does not say. */
  readonly updated: number;
}

export const NO_DOCUMENT: DocumentId = { created: 0, version: 0, updated: 0 };

/** `late`: a newer one has come on this connection. `older`: from before the document that was obeyed last. */
type Judgement = 'obey' | 'late' | 'older';

/** After so many late answers in a row the next one counts: the document was deleted and made anew. */
const LATE_ANSWERS = 2;

/**
 * Whether a document is from before another one. Not known, hence false, when the server did not date the other. A server
 * that goes on from a backup counts versions again from the one in the backup, but what is written then has a later time.
 */
export const isOlder = (id: DocumentId, than: DocumentId): boolean =>
  than.created !== 0 &&
  id.updated <= than.updated &&
  (id.created < than.created || (id.created === than.created && id.version < than.version));

/** Whether it is the same version of the same document. Not known, hence false, when the server counts none. */
export const isSame = (id: DocumentId, other: DocumentId): boolean =>
  id.version > 0 && JSON.stringify({ ...id }) === JSON.stringify({ ...other });

/** Whether no version was written between the two, as far as the server dates and counts them. */
export const follows = (id: DocumentId, before: DocumentId): boolean =>
  id.created === before.created &&
  (id.created === 0 || id.version === before.version || id.version === before.version + 1);

/**
 * Documents of one connection are obeyed in the order of their versions; one that was made anew counts as newer. The
 * answer to a question may come from a server that was restored from an old backup: when it is older than the document
 * that was obeyed last it is not obeyed. A push is obeyed, because somebody writes in that moment.
 */
export class Desired {
  /** Of this connection. */
  private newest: DocumentId | undefined;
  private lateAnswers = 0;

  /** A new connection begins, or the document is known to be gone: any version may come next. */
  forget(): void {
    this.newest = undefined;
    this.lateAnswers = 0;
  }

  /** `obeyed` is the document that was obeyed last, on any connection. */
  judge(id: DocumentId, isPush: boolean, obeyed: DocumentId): Judgement {
    const newest = this.newest;
    // An answer may have been on its way when a push overtook it, a push never.
    const isSame = id.created === newest?.created;
    if (
      newest &&
      id.version > 0 &&
      (isSame ? id.version < newest.version : !isPush && id.created < newest.created)
    ) {
      if (!isPush) this.lateAnswers += 1;
      if (this.lateAnswers === LATE_ANSWERS) this.forget();
      return 'late';
    }
    this.newest = id;
    this.lateAnswers = 0;
    return !isPush && isOlder(id, obeyed) ? 'older' : 'obey';
  }
}
