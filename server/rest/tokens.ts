import { isDeviceId, type JsonObject } from '../../shared/document.js';
import type { Pins } from '../access/pins.js';
import { ROLES, type Token, type Tokens } from '../access/tokens.js';
import type { Devices } from '../devices/devices.js';
import { InvalidRequest } from '../twins/errors.js';
import type { Call } from './call.js';
import { boundedText, DESCRIPTION_LENGTH, field, oneOf, timeField } from './params.js';
import type { Router } from './router.js';

const READ = { resource: 'token', action: 'read' } as const;
const WRITE = { resource: 'token', action: 'write' } as const;
const OWN = { resource: 'own_token', action: 'read' } as const;
const END_OWN = { resource: 'own_token', action: 'write' } as const;

/**
 * For owners of all twins: `{"role","description"?,"twin_ids"?,"expires_at"?}` makes a token, whose `secret` is shown this
 * once. Without `twin_ids`, or with null, it is for all twins.
 *
 * For any token: `/tokens/self` is the token itself, which can be read and ended.
 */
export function routeTokens(
  router: Router,
  { tokens, devices, pins }: { readonly tokens: Tokens; readonly devices: Devices; readonly pins: Pins },
): void {
  const show = (token: Token): object => shown(token, tokens, pins);

  router.on('GET', '/tokens', READ, async (call) => call.sendObject({ tokens: tokens.list().map(show) }));

  // With any token a client can find out what it may do.
  router.on('GET', '/tokens/self', OWN, async (call) => call.sendObject(show(call.token)));

  router.on('DELETE', '/tokens/self', END_OWN, (call) => revoke(call, call.token.id));

  router.on('POST', '/tokens', WRITE, async (call) => {
    const body = await call.object();
    const input = {
      role: oneOf('role', field(body, 'role', 'text'), ROLES),
      description: boundedText(body, 'description', DESCRIPTION_LENGTH) ?? '',
      twin_ids: twinIds(body),
      expires_at: expiry(body),
    };
    for (const id of input.twin_ids ?? []) await devices.get(id);
    const made = await tokens.create(input, call);
    call.audit('token_created', { token_id: made.token.id, reason: `role ${made.token.role}` });
    call.sendObject(made);
  });

  router.on('DELETE', '/tokens/:token_id', WRITE, (call) => revoke(call, call.id('token_id')));

  async function revoke(call: Call, id: string): Promise<void> {
    await tokens.revoke(id, call);
    call.audit('token_revoked', { token_id: id });
    call.sendNothing();
  }
}

/** A token with when it was used last, and whether it has a PIN. */
export const shown = (token: Token, tokens: Tokens, pins: Pins): object => ({
  ...token,
  last_seen_at: tokens.lastSeenAt(token),
  has_pin: pins.has(token.id),
});

/** @returns null where it is absent or null */
function twinIds(body: JsonObject): string[] | null {
  const given = Object.hasOwn(body, 'twin_ids') ? body.twin_ids : undefined;
  if (given === undefined || given === null) return null;
  const wrong = (help: string) => new InvalidRequest('twin_ids', 'format', help);
  if (!Array.isArray(given) || given.length === 0) throw wrong('not a list of one twin or more');
  const ids = given.map((id) => (typeof id === 'string' ? id.toLowerCase() : ''));
  if (!ids.every(isDeviceId)) throw wrong('not all of them are UUIDs');
  return [...new Set(ids)];
}

function expiry(body: JsonObject): string | null {
  const time = timeField(body, 'expires_at');
  if (time === undefined) return null;
  if (time.getTime() <= Date.now()) throw new InvalidRequest('expires_at', 'constraint', 'not in the future');
  return time.toISOString();
}
