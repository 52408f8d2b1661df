import { CURRENT } from '../../shared/panel.js';
import type { Role, Token } from './tokens.js';

export interface Permission {
  resource: 'twin_document' | 'twin' | 'device' | 'hub' | 'token';
  action: 'read' | 'write';
}

/** The token may not do this. */
export class PermissionDenied extends Error {
  override name = 'PermissionDenied';
  constructor(readonly permission: Permission) {
    super('permission denied');
  }
}

const READABLE: readonly Permission['resource'][] = ['twin_document', 'twin', 'device', 'hub'];

/** @param document the document that is written, where it is one */
const RULES: Record<Role, (permission: Permission, document: string | undefined) => boolean> = {
  owner: () => true,
  app: ({ resource, action }, document) =>
    action === 'read' ? READABLE.includes(resource) : resource === 'twin_document' && document !== CURRENT,
  reader: ({ resource, action }) => action === 'read' && READABLE.includes(resource),
};

/** @throws PermissionDenied */
export function authorize(token: Token, permission: Permission, document?: string): void {
  if (!RULES[token.role](permission, document)) throw new PermissionDenied(permission);
}
