/** What a twin refuses. An interface may show each of these messages to its client. */

export type Reason = 'required' | 'format' | 'constraint';

/** The request itself cannot be carried out, whatever the twin holds. */
export class InvalidRequest extends Error {
  override name = 'InvalidRequest';
  constructor(
    /** Which part of the request: `body`, `version`, `data`, `document_name`, or another by its own name. */
    readonly argument: string,
    readonly reason: Reason,
    message: string,
  ) {
    super(message);
  }
}

export class InvalidName extends InvalidRequest {
  override name = 'InvalidName';
  constructor() {
    super('document_name', 'format', 'document name is not valid');
  }
}

/** The document would exceed LIMITS.dataBytes, or the twin LIMITS.documents. */
export class DocumentTooLarge extends InvalidRequest {
  override name = 'DocumentTooLarge';
  constructor() {
    super('data', 'constraint', 'document too large');
  }
}

export class TooManyDocuments extends InvalidRequest {
  override name = 'TooManyDocuments';
  constructor() {
    super('document_name', 'constraint', 'too many documents');
  }
}

export class DocumentNotFound extends Error {
  override name = 'DocumentNotFound';
  constructor(
    readonly twinId: string,
    readonly documentName: string,
  ) {
    super('document not found');
  }
}

/** `expected` is what the request carried, `actual` the document's present version (0: there is none). */
export class VersionMismatch extends Error {
  override name = 'VersionMismatch';
  constructor(
    readonly twinId: string,
    readonly documentName: string,
    readonly expected: number,
    readonly actual: number,
  ) {
    super('document version mismatch');
  }
}

/** `actual` is the document's present version (0: there is none). */
export class PreconditionFailed extends Error {
  override name = 'PreconditionFailed';
  constructor(
    /** The condition that does not hold, in the words of the interface that made the request. */
    readonly precondition: string,
    readonly actual: number,
  ) {
    super(actual === 0 ? 'there is no such document' : `the document has version ${actual}`);
  }
}
