import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { authorize, type Permission, PermissionDenied } from '../../../server/access/permissions.js';
import { ROLES, type Role, type Token } from '../../../server/access/tokens.js';

const tokenOf = (role: Role): Token => ({
  id: 'id',
  role,
  description: '',
  created_at: '2026-03-01T10:00:00.000Z',
  expires_at: null,
});

interface Deed {
  permission: Permission;
  document?: string;
  by: Role[];
}

const everyone = [...ROLES];

const DEEDS: Record<string, Deed> = {
  'read a document': { permission: { resource: 'twin_document', action: 'read' }, by: everyone },
  'list the documents of a twin': { permission: { resource: 'twin', action: 'read' }, by: everyone },
  'read devices': { permission: { resource: 'device', action: 'read' }, by: everyone },
  'read hubs': { permission: { resource: 'hub', action: 'read' }, by: everyone },
  'write desired': {
    permission: { resource: 'twin_document', action: 'write' },
    document: 'desired',
    by: ['owner', 'app'],
  },
  'write current': {
    permission: { resource: 'twin_document', action: 'write' },
    document: 'current',
    by: ['owner'],
  },
  'delete a whole twin': { permission: { resource: 'twin', action: 'write' }, by: ['owner'] },
  'write devices': { permission: { resource: 'device', action: 'write' }, by: ['owner'] },
  'read tokens': { permission: { resource: 'token', action: 'read' }, by: ['owner'] },
  'write tokens': { permission: { resource: 'token', action: 'write' }, by: ['owner'] },
};

for (const [deed, { permission, document, by }] of Object.entries(DEEDS)) {
  for (const role of ROLES) {
    const may = by.includes(role);
    test(`a token of role ${role} may ${may ? '' : 'not '}${deed}`, () => {
      try {
        authorize(tokenOf(role), permission, document);
      } catch (error) {
        assert.instance(error, PermissionDenied);
        assert.equal((error as PermissionDenied).permission, permission);
        assert.not(may);
        return;
      }
      assert.ok(may);
    });
  }
}

test.run();
