import { ROLES, type Tokens } from '../access/tokens.js';
import { InvalidRequest } from '../twins/errors.js';
import { parseObject } from '../twins/request.js';
import { boundedText, DESCRIPTION_LENGTH, field, idParam, oneOf } from './params.js';
import type { Router } from './router.js';

const READ = { resource: 'token', action: 'read' } as const;
const WRITE = { resource: 'token', action: 'write' } as const;

/** For owners: `{"role","description"?,"expires_at"?}` makes a token, whose `secret` is shown this once. */
export function routeTokens(router: Router, tokens: Tokens): void {
  router.on('GET', '/tokens', READ, (call) => call.send(200, JSON.stringify({ tokens: tokens.list() })));

  router.on('POST', '/tokens', WRITE, (call) =>
    call.body((bytes) => {
      const body = parseObject(bytes);
      const role = oneOf('role', field(body, 'role', 'text'), ROLES);
      const description = boundedText(body, 'description', DESCRIPTION_LENGTH) ?? '';
      const expires_at = timeOrNull(field(body, 'expires_at', 'text'));
      tokens
        .create({ role, description, expires_at })
        .then((made) => call.send(200, JSON.stringify(made)))
        .catch((error) => call.fail(error));
    }),
  );

  router.on('DELETE', '/tokens/:token_id', WRITE, async (call) => {
    await tokens.revoke(idParam(call, 'token_id'));
    call.sendNothing();
  });
}

function timeOrNull(given: string | undefined): string | null {
  if (given === undefined) return null;
  const time = new Date(given);
  if (Number.isNaN(time.getTime())) throw new InvalidRequest('expires_at', 'format', 'not an RFC 3339 time');
  return time.toISOString();
}
