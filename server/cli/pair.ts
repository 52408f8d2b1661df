import type { Token } from '../access/tokens.js';
import { pairingText } from '../app/pairing.js';
import { pathOf } from './api.js';
import type { Call } from './command.js';

/**
 * Makes a token for a phone, for one panel or for all, and prints the link that pairs the phone, also as a QR code. With
 * `--own` the link has the token that the command line itself uses.
 */
export async function pair(call: Call): Promise<void> {
  const { api, given, json, print } = call;
  const { hubs } = (await api.call('GET', pathOf('hubs'))) as { hubs: { app_urls: string[] }[] };
  const urls = hubs.flatMap(({ app_urls }) => app_urls);
  const secret = given.own === true ? api.token : await makeSecret(call);
  print(json ? JSON.stringify({ urls, secret }) : pairingText(urls, secret));
}

async function makeSecret({ api, given, words }: Call): Promise<string> {
  const { role = 'app', description = 'phone', expires } = given;
  const body = JSON.stringify({
    role,
    description,
    expires_at: expires,
    twin_ids: words.length > 0 ? words : null,
  });
  const { secret } = (await api.call('POST', '/tokens', body)) as { token: Token; secret: string };
  return secret;
}
