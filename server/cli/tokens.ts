/** The commands that make, list and revoke tokens, and that pair a phone with one. */

import { hubOf, pathOf } from '../../shared/rest.js';
import type { Token } from '../access/tokens.js';
import { pairingText } from '../app/pairing.js';
import { type Call, show, table } from './command.js';

interface NewToken {
  token: Token;
  secret: string;
}

export async function createToken(call: Call): Promise<void> {
  const { role = 'owner', twin, description, expires } = call.given;
  const twin_ids = typeof twin === 'string' ? twin.split(',').map((id) => id.trim()) : undefined;
  const made = await makeToken(call, { role, description, twin_ids, expires_at: expires });
  show(
    call,
    made,
    ({ token, secret }) =>
      `${secret}\nis a new token of role ${token.role} for ${twinsOf(token)}, shown this once. Its id: ${token.id}`,
  );
}

const makeToken = async ({ api }: Call, token: object): Promise<NewToken> =>
  (await api.call('POST', pathOf('tokens'), token)) as NewToken;

const twinsOf = ({ twin_ids }: Token): string => twin_ids?.join(', ') ?? 'all twins';

export async function listTokens(call: Call): Promise<void> {
  const answer = (await call.api.call('GET', pathOf('tokens'))) as { tokens: Token[] };
  show(call, answer, ({ tokens }) =>
    table(
      ['id', 'role', 'twins', 'created', 'expires', 'description'],
      tokens.map((token) => [
        token.id,
        token.role,
        twinsOf(token),
        token.created_at,
        token.expires_at ?? 'never',
        token.description,
      ]),
    ),
  );
}

/**
 * Makes a token for a phone, for one panel or for all, and prints the link that pairs the phone, also as a QR code. With
 * `--own` the link holds the token that the command line itself uses.
 */
export async function pair(call: Call): Promise<void> {
  const { api, given, words, json, print } = call;
  const { app_urls: urls } = await hubOf(api.call);
  const { role = 'app', description = 'phone', expires } = given;
  const twin_ids = words.length > 0 ? words : null;
  const secret =
    given.own === true
      ? api.token
      : (await makeToken(call, { role, description, expires_at: expires, twin_ids })).secret;
  print(json ? JSON.stringify({ urls, secret }) : pairingText(urls, secret));
}
