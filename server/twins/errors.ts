/** Why a twin refuses a request. An interface may show each of these messages to its client. */

export type Reason = 'required' | 'format' | 'constraint';

/** The request cannot be carried out, whatever documents the twin has. */
export class InvalidRequest extends Error {
  override name = 'InvalidRequest';
  constructor(
    /** The part of the request that is wrong: `body`, `version`, `data`, `document_name`, or another name. */
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

/** The document would exceed LIMITS.dataBytes. */
export class DocumentTooLarge extends InvalidRequest {
  override name = 'DocumentTooLarge';
  constructor() {
    super('data', 'constraint', 'document too large');
  }
}

/** The twin would exceed LIMITS.documents. */
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

/** `expected` is the version in the request. `actual` is the document's present version, or 0 when there is none. */
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

/** `actual` is the document's present version, or 0 when there is none. */
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
