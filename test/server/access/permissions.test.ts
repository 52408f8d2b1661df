import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { authorize, confine, type Permission, PermissionDenied } from '../../../server/access/permissions.js';
import { ROLES, type Role, type Token } from '../../../server/access/tokens.js';

const tokenOf = (role: Role, twin_ids: string[] | null = null): Token => ({
  id: 'id',
  role,
  description: '',
  twin_ids,
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
  'see what it is itself': { permission: { resource: 'own_token', action: 'read' }, by: everyone },
  'end itself': { permission: { resource: 'own_token', action: 'write' }, by: everyone },
  'read the metrics': { permission: { resource: 'metrics', action: 'read' }, by: ['owner', 'reader'] },
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

interface Reach {
  permission: Permission;
  /** With its own twin, with another, and with none in particular. */
  may: [boolean, boolean, boolean];
}

const REACHES: Record<string, Reach> = {
  'read documents': { permission: { resource: 'twin_document', action: 'read' }, may: [true, false, true] },
  'write documents': {
    permission: { resource: 'twin_document', action: 'write' },
    may: [true, false, false],
  },
  'write a twin': { permission: { resource: 'twin', action: 'write' }, may: [true, false, false] },
  'read devices': { permission: { resource: 'device', action: 'read' }, may: [true, false, true] },
  'write devices': { permission: { resource: 'device', action: 'write' }, may: [true, false, false] },
  'read hubs': { permission: { resource: 'hub', action: 'read' }, may: [true, false, true] },
  'read tokens': { permission: { resource: 'token', action: 'read' }, may: [false, false, false] },
};

function confined(token: Token, permission: Permission, twinId: string | undefined): boolean {
  try {
    confine(token, permission, twinId);
    return true;
  } catch (error) {
    assert.instance(error, PermissionDenied);
    return false;
  }
}

for (const [deed, { permission, may }] of Object.entries(REACHES)) {
  test(`what a token for one twin may do: ${deed}`, () => {
    const token = tokenOf('owner', ['mine']);
    assert.equal(
      ['mine', 'other', undefined].map((twinId) => confined(token, permission, twinId)),
      may,
    );
  });

  test(`a token for all twins may ${deed} if its role allows it`, () => {
    for (const twinId of ['mine', 'other', undefined]) {
      assert.ok(confined(tokenOf('owner'), permission, twinId));
    }
  });
}

test.run();
