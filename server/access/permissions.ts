import { CURRENT } from '../../shared/panel.js';
import type { Role, Token } from './tokens.js';

export interface Permission {
  resource:
    | 'twin_document'
    | 'twin'
    | 'device'
    | 'hub'
    | 'token'
    | 'own_token'
    | 'metrics'
    | 'alert'
    | 'alert_channel'
    | 'alert_subscription';
  action: 'read' | 'write';
}

/** The token may not do this. */
export class PermissionDenied extends Error {
  override name = 'PermissionDenied';
  constructor(
    readonly permission: Permission,
    readonly tokenId: string,
  ) {
    super('permission denied');
  }
}

const READABLE: readonly Permission['resource'][] = [
  'twin_document',
  'twin',
  'device',
  'hub',
  'own_token',
  'alert',
];

/** What is not of one twin, and what a token for some twins changes for itself or for its own twins only. */
const OF_ITS_OWN: readonly Permission['resource'][] = ['alert', 'alert_subscription', 'own_token'];

/** @param document the name of the document that is written */
const RULES: Record<Role, (permission: Permission, document: string | undefined) => boolean> = {
  owner: () => true,
  app: ({ resource, action }, document) =>
    action === 'read'
      ? READABLE.includes(resource)
      : OF_ITS_OWN.includes(resource) || (resource === 'twin_document' && document !== CURRENT),
  reader: ({ resource, action }) =>
    action === 'read'
      ? READABLE.includes(resource) || resource === 'metrics'
      : resource === 'alert_subscription' || resource === 'own_token',
};

/** Checks that the token's role may do this. @throws PermissionDenied */
export function authorize(token: Token, permission: Permission, document?: string): void {
  if (!RULES[token.role](permission, document)) throw new PermissionDenied(permission, token.id);
}

const OF_ALL_TWINS: readonly Permission['resource'][] = ['token', 'metrics', 'alert_channel'];

/**
 * Checks that a token for some twins only may do this with this twin or its device. When the request is not about one
 * twin, such a token may only read, acknowledge alerts, subscribe to them, set its PIN and end itself, and sees only its own twins. It may not read
 * or write tokens, metrics and the channels of alerts.
 * @throws PermissionDenied
 */
export function confine(token: Token, permission: Permission, twinId: string | undefined): void {
  if (token.twin_ids === null) return;
  const { resource, action } = permission;
  const mayWithout = action === 'read' || OF_ITS_OWN.includes(resource);
  const may = twinId === undefined ? mayWithout : token.twin_ids.includes(twinId);
  if (OF_ALL_TWINS.includes(resource) || !may) throw new PermissionDenied(permission, token.id);
}
