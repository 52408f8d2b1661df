/**
 * A document's entity tag names its version, its birth and the time of the write, so it never comes back for other
 * content: not when the document is deleted and made again, nor when the server goes on from a backup. `If-Match` and `If-None-Match` are compared with it as
 * [RFC 9110, 13.1] says, for a write at the instant in which the write is decided.
 */

import type { StoredDocument } from '../storage/storage.js';
import { bornOf } from '../twins/document.js';
import { InvalidRequest } from '../twins/errors.js';
import type { Precondition } from '../twins/precondition.js';
import type { Call } from './router.js';

export const etagOf = (document: StoredDocument): string =>
  `"${document.version}-${bornOf(document).tag}-${Date.parse(document.updatedAt).toString(36)}"`;

const IF_MATCH = 'If-Match';
export const IF_NONE_MATCH = 'If-None-Match';

/** The conditions of a request, or undefined when it makes none. @throws InvalidRequest for what is no entity tag */
export function preconditionOf(call: Call): Precondition | undefined {
  const match = call.header('if-match');
  const noneMatch = call.header('if-none-match');
  if (match === undefined && noneMatch === undefined) return undefined;
  // A weak tag is as good as a strong one only for a reader that has the document already [RFC 9110, 13.1.2].
  const wanted = match === undefined ? undefined : matcher(IF_MATCH, match, false);
  const unwanted = noneMatch === undefined ? undefined : matcher(IF_NONE_MATCH, noneMatch, true);
  return (present) => {
    if (wanted?.(present) === false) return IF_MATCH;
    return unwanted?.(present) === true ? IF_NONE_MATCH : undefined;
  };
}

const ENTITY_TAG = /(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g;

/** Whether the present document is among those that the header names. */
function matcher(
  header: string,
  given: string,
  weakToo: boolean,
): (present: StoredDocument | undefined) => boolean {
  if (given.trim() === '*') return (present) => present !== undefined;
  const tags = [...given.matchAll(ENTITY_TAG)];
  if (tags.length === 0 || /[^ \t,]/.test(given.replaceAll(ENTITY_TAG, ''))) {
    throw new InvalidRequest(
      header,
      'format',
      `${header} is neither * nor a list of entity tags, such as "3"`,
    );
  }
  const named = new Set(tags.filter(([, weak]) => weakToo || weak === undefined).map(([, , tag]) => tag));
  return (present) => present !== undefined && named.has(etagOf(present));
}
