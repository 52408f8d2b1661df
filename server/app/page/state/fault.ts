/** What can go wrong between phone and server: what it is, and what to do. */

import type { RestError } from '../../../../shared/rest.js';
import { say } from './say.js';

export type Fault =
  | 'revoked'
  | 'wrong-code'
  | 'expired'
  | 'no-token'
  | 'not-allowed'
  | 'panel-unknown'
  | 'storage-full'
  | 'too-many'
  | 'server-away'
  | 'server-fault'
  | 'not-sent'
  | 'pin-needed'
  | 'pin-wrong'
  | 'pin-locked';

export interface Words {
  readonly what: string;
  readonly todo: string;
}

export function wordsOf(fault: Fault): Words {
  const what = say(`fault.${fault}.what`);
  return { what, todo: endsPairing(fault) ? say('fault.new-link') : say(`fault.${fault}.todo`) };
}

/** Whether the token is of no use after this fault. */
export const endsPairing = (fault: Fault): fault is 'revoked' | 'wrong-code' | 'expired' =>
  fault === 'revoked' || fault === 'wrong-code' || fault === 'expired';

export function faultOf(status: number, { type, reason, resource }: RestError): Fault {
  if (status === 401) return reason === 'expired' ? 'expired' : 'revoked';
  if (status === 404 && resource === 'device') return 'panel-unknown';
  if (type === 'pin_refused') return PIN_FAULTS[reason ?? ''] ?? 'pin-wrong';
  return BY_STATUS[status] ?? 'server-fault';
}

const PIN_FAULTS: Record<string, Fault> = { required: 'pin-needed', locked: 'pin-locked' };

const BY_STATUS: Record<number, Fault> = {
  403: 'not-allowed',
  429: 'too-many',
  // A reverse proxy answers this when the server is away.
  502: 'server-away',
  503: 'storage-full',
  504: 'server-away',
};
