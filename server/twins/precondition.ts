import type { DocumentRequest } from '../../shared/document.js';
import type { StoredDocument } from '../storage/storage.js';

/**
 * A condition on the present document, undefined when there is none. It returns the name of the condition that does not
 * hold, in the words of the interface that made the request, or undefined when the request may go on.
 */
export type Precondition = (present: StoredDocument | undefined) => string | undefined;

/** A put or a patch; its precondition is judged in the same instant as the change is decided, before `version` is. */
export interface ConditionalRequest extends DocumentRequest {
  readonly precondition?: Precondition | undefined;
}

/** `actual` is the document's present version (0: there is none). */
export class PreconditionFailed extends Error {
  override name = 'PreconditionFailed';
  constructor(
    readonly precondition: string,
    readonly actual: number,
  ) {
    super(actual === 0 ? 'there is no such document' : `the document has version ${actual}`);
  }
}

/** @throws PreconditionFailed */
export function judge(precondition: Precondition | undefined, present: StoredDocument | undefined): void {
  const failed = precondition?.(present);
  if (failed !== undefined) throw new PreconditionFailed(failed, present?.version ?? 0);
}
