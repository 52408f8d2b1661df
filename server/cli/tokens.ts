/** The commands that make, list and revoke tokens, and that pair a phone with one. */

import { callOf } from '../../shared/call.js';
import { hubOf, pathOf } from '../../shared/rest.js';
import type { Token } from '../access/tokens.js';
import { pairingText } from '../app/pairing.js';
import { type Call, show, table } from './command.js';
import { handOver } from './handing-over.js';
import { DEVICE, idsOf } from './names.js';

interface NewToken {
  token: Token;
  secret: string;
}

export async function createToken(call: Call): Promise<void> {
  const { role = 'owner', twin, description, expires } = call.given;
  const twin_ids =
    typeof twin === 'string'
      ? await idsOf(
          call.api,
          DEVICE,
          twin.split(',').map((name) => name.trim()),
        )
      : undefined;
  const made = await makeToken(call, { role, description, twin_ids, expires_at: expires });
  const text = ({ token, secret }: NewToken): string =>
    `${secret}\nis a new token of role ${token.role} for ${twinsOf(token)}, shown this once. Its id: ${token.id}`;
  await giveToken(call, made, () => show(call, made, text));
}

/** A token whose secret does not arrive is of no use, and would stay valid. */
const giveToken = ({ api }: Call, { token }: NewToken, give: () => Promise<void>): Promise<void> =>
  handOver(`the token ${token.id}`, give, () => api.call('DELETE', pathOf('tokens', token.id)));

export async function revokeToken(call: Call): Promise<void> {
  const [id = ''] = call.words;
  await call.api.call('DELETE', pathOf('tokens', id));
  await show(call, { id, revoked: true }, () => 'done');
}

export async function removePin(call: Call): Promise<void> {
  const [id = ''] = call.words;
  await call.api.call('PUT', pathOf('tokens', id, 'pin'), { pin: null });
  await show(call, { id, has_pin: false }, () => 'done');
}

const makeToken = async ({ api }: Call, token: object): Promise<NewToken> =>
  (await api.call('POST', pathOf('tokens'), token)) as NewToken;

const twinsOf = ({ twin_ids }: Token): string => twin_ids?.join(', ') ?? 'all twins';

interface ListedToken extends Token {
  last_seen_at: string | null;
}

export async function listTokens(call: Call): Promise<void> {
  const answer = (await call.api.call('GET', pathOf('tokens'))) as { tokens: ListedToken[] };
  await show(call, answer, ({ tokens }) =>
    table(
      ['id', 'role', 'twins', 'created', 'last seen', 'expires', 'description'],
      tokens.map((token) => [
        token.id,
        token.role,
        twinsOf(token),
        token.created_at,
        token.last_seen_at ?? 'never',
        token.expires_at ?? 'never',
        token.description,
      ]),
    ),
  );
}

const PHONE = 'phone';

/**
 * Makes a token for a phone, for one panel or for all, and prints the link that pairs the phone, also as a QR code. With
 * `--own` the link holds the token that the command line itself uses.
 */
export async function pair(call: Call): Promise<void> {
  const { api, given, words } = call;
  const { app_urls: urls } = await hubOf(api.call);
  if (given.own === true) return show(call, { urls, secret: api.token }, () => pairingText(urls, api.token));
  const { role = 'app', expires } = given;
  const twin_ids = words.length > 0 ? words : null;
  const description = given.description ?? (await nameOfPhone(call));
  const made = await makeToken(call, { role, description, expires_at: expires, twin_ids });
  const { token, secret } = made;
  const end = `token revoke ${token.id}`;
  const until = token.expires_at === null ? '' : `, until ${token.expires_at}`;
  const text = `${pairingText(urls, secret)}\n"${token.description}" has the role ${token.role} for ${twinsOf(token)}${until}. To end it: ${callOf('twin')} ${end}`;
  await giveToken(call, made, () => show(call, { urls, secret, token }, () => text));
}

const nameOfPhone = async ({ ask, json }: Call): Promise<string> =>
  (json ? '' : await ask?.('A name for it, such as kitchen tablet (empty: phone): ')) || PHONE;
