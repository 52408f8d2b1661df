import { CURRENT } from '../../shared/panel.js';
import type { Role, Token } from './tokens.js';

export interface Permission {
  resource: 'twin_document' | 'twin' | 'device' | 'hub' | 'token' | 'own_token' | 'metrics';
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

const READABLE: readonly Permission['resource'][] = ['twin_document', 'twin', 'device', 'hub', 'own_token'];

/** @param document the document that is written, where it is one */
const RULES: Record<Role, (permission: Permission, document: string | undefined) => boolean> = {
  owner: () => true,
  app: ({ resource, action }, document) =>
    action === 'read' ? READABLE.includes(resource) : resource === 'twin_document' && document !== CURRENT,
  reader: ({ resource, action }) =>
    action === 'read' && (READABLE.includes(resource) || resource === 'metrics'),
};

/** Whether the role may. @throws PermissionDenied */
export function authorize(token: Token, permission: Permission, document?: string): void {
  if (!RULES[token.role](permission, document)) throw new PermissionDenied(permission, token.id);
}

const OF_THE_WHOLE: readonly Permission['resource'][] = ['token', 'metrics'];

/**
 * Whether a token that is for some twins only may do this with that twin, or its device. Where it is about no certain one
 * it may read, and sees only its own; it makes no devices, and has nothing to do with tokens
 * and the numbers of the server.
 * @throws PermissionDenied
 */
export function confine(token: Token, permission: Permission, twinId: string | undefined): void {
  if (token.twin_ids === null) return;
  const { resource, action } = permission;
  const may = twinId === undefined ? action === 'read' : token.twin_ids.includes(twinId);
  if (OF_THE_WHOLE.includes(resource) || !may) throw new PermissionDenied(permission, token.id);
}
