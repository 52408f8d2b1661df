import type { DocumentRequest } from '../../shared/document.js';

/**
 * A condition upon the document that is there: given its version (0: there is none), what does not hold, by the name
 * that whoever asked calls it, or undefined when the request may go on.
 */
export type Precondition = (version: number) => string | undefined;

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
export function judge(precondition: Precondition | undefined, version: number): void {
  const failed = precondition?.(version);
  if (failed !== undefined) throw new PreconditionFailed(failed, version);
}
