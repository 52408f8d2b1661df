/** Pairs a phone: it gets its token by a link, which it opens or scans as a QR code. */

import { type AddressInfo, isIP, isIPv6 } from 'node:net';
import { renderUnicodeCompact } from 'uqr';
import { LOOPBACK } from '../names.js';

export interface AppListener {
  readonly address: Pick<AddressInfo, 'address' | 'port'>;
  readonly secure: boolean;
}

const EVERY_ADDRESS = ['0.0.0.0', '::'];

/**
 * The app's addresses, the best for a phone first. One with TLS is better, because without TLS a browser keeps nothing for
 * a page. An IPv4 address is better than a name, because a phone may not be able to look up names.
 * @param names by which this machine is reached, those of the loopback included
 * @param chosen whether the owner chose the names; then their order stays
 */
export function appUrls(
  listeners: readonly AppListener[],
  names: readonly string[],
  chosen: boolean,
): string[] {
  const outside = names.filter((name) => !LOOPBACK.includes(name));
  const ordered = chosen ? outside : [...outside].sort((one, other) => rank(one) - rank(other));
  const urls = listeners.flatMap(({ address: { address, port }, secure }) => {
    const hosts = EVERY_ADDRESS.includes(address) ? [...ordered, 'localhost'] : [address];
    return hosts.map((host) => ({
      host,
      url: `${secure ? 'https' : 'http'}://${inUrl(host)}:${port}`,
      secure,
    }));
  });
  const worth = ({ host, secure }: (typeof urls)[number]): number =>
    LOOPBACK.includes(host) ? (secure ? 3 : 2) : secure ? 0 : 1;
  return urls.sort((one, other) => worth(one) - worth(other)).map(({ url }) => url);
}

const rank = (name: string): number => (isIP(name) === 4 ? 0 : isIP(name) === 6 ? 2 : 1);

const inUrl = (host: string): string => (isIPv6(host) ? `[${host}]` : host);

/** The token stands behind the `#`. Browsers do not send that part to a server. */
const pairingLink = (url: string, token: string): string => `${url}/#token=${token}`;

const isOfThisMachine = (url: string): boolean =>
  LOOPBACK.includes(new URL(url).hostname.replace(/[[\]]/g, ''));

/** Tells a person at the terminal how to pair a phone. @param urls as {@link appUrls} gives them */
export function pairingText(urls: readonly string[], token: string): string {
  const phone = urls.find((url) => !isOfThisMachine(url));
  const here = urls.find(isOfThisMachine);
  const lines: string[] = [];
  if (phone !== undefined) {
    const link = pairingLink(phone, token);
    lines.push('Pair a phone: scan this with its camera, or open the link on it.', '');
    lines.push(renderUnicodeCompact(link, { ecc: 'L', border: 2 }), '', `  ${link}`);
  }
  if (here !== undefined) lines.push('Open the app on this computer:', `  ${pairingLink(here, token)}`);
  return lines.join('\n');
}
