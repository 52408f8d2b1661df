/** What can go wrong between phone and server: what it is, and what to do. Pure. */

import type { RestError } from '../../../../shared/rest.js';

export type Fault =
  | 'revoked'
  | 'expired'
  | 'no-token'
  | 'not-allowed'
  | 'panel-unknown'
  | 'storage-full'
  | 'too-many'
  | 'server-away'
  | 'server-fault';

export interface Words {
  readonly what: string;
  readonly todo: string;
}

const NEW_LINK = 'Ask for a new pairing link: on the server, npm run twin -- pair prints one.';

export const WORDS: Record<Fault, Words> = {
  revoked: { what: 'This phone is no longer paired.', todo: NEW_LINK },
  expired: { what: 'The pairing of this phone has expired.', todo: NEW_LINK },
  'no-token': {
    what: 'That is no pairing code.',
    todo: 'Copy the whole link, or the whole code: 36 letters and digits with four dashes.',
  },
  'not-allowed': {
    what: 'This phone may look, but not arm or disarm.',
    todo: 'Pair it again with a link made for an app.',
  },
  'panel-unknown': {
    what: 'The server does not know this panel any more.',
    todo: 'It was removed. Choose another from the list.',
  },
  'storage-full': {
    what: 'The server cannot write: its disk is full or broken.',
    todo: 'Nothing was changed. Make room on the server, then try again.',
  },
  'too-many': { what: 'Too many requests.', todo: 'Nothing was changed. Wait a minute, then try again.' },
  'server-away': {
    what: 'No answer from the server.',
    todo: 'Check that this phone is on the network and the server is running. The app goes on trying.',
  },
  'server-fault': {
    what: 'The server made a mistake.',
    todo: 'Try again. If it stays so, look into the log of the server.',
  },
};

/** Whether the token is of no use after this fault. */
export const endsPairing = (fault: Fault): boolean => fault === 'revoked' || fault === 'expired';

export function faultOf(status: number, { reason, resource }: RestError): Fault {
  if (status === 401) return reason === 'expired' ? 'expired' : 'revoked';
  if (status === 404 && resource === 'device') return 'panel-unknown';
  return BY_STATUS[status] ?? 'server-fault';
}

const BY_STATUS: Record<number, Fault> = {
  403: 'not-allowed',
  429: 'too-many',
  // A reverse proxy answers this when the server is away.
  502: 'server-away',
  503: 'storage-full',
  504: 'server-away',
};
