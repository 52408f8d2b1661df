import type { IncomingMessage } from 'node:http';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Proxies } from '../../../server/access/proxies.js';
import { readSettings } from '../../../server/config.js';

const proxies = new Proxies(readSettings({ TWIN_PROXIES: '127.0.0.1, 10.0.0.0/8, fd00::/8' }).proxies);

const clientOf = (remoteAddress: string, forwarded?: string): string =>
  proxies.clientOf({
    socket: { remoteAddress } as IncomingMessage['socket'],
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  });

const CASES: [what: string, from: string, forwarded: string | undefined, client: string][] = [
  ['a client without a proxy', '192.0.2.7', undefined, '192.0.2.7'],
  ['a client that invents a proxy', '192.0.2.7', '198.51.100.1', '192.0.2.7'],
  ['a proxy that tells its client', '127.0.0.1', '198.51.100.1', '198.51.100.1'],
  ['a proxy whose address is mapped into IPv6', '::ffff:127.0.0.1', '198.51.100.1', '198.51.100.1'],
  ['a proxy of a network', '10.9.8.7', '2001:db8::1', '2001:db8::1'],
  ['a proxy behind another', 'fd00::1', '198.51.100.1, 10.0.0.1', '198.51.100.1'],
  ['a client behind a proxy that invents others', '127.0.0.1', '203.0.113.9, 198.51.100.1', '198.51.100.1'],
  ['a client that names the proxy', '127.0.0.1', '127.0.0.1', '127.0.0.1'],
  ['a proxy that tells nothing', '127.0.0.1', undefined, '127.0.0.1'],
  ['a proxy that tells no address', '127.0.0.1', '198.51.100.1, unknown', '127.0.0.1'],
  ['no address behind a proxy', '127.0.0.1', 'unknown, 10.0.0.1', '10.0.0.1'],
];

for (const [what, from, forwarded, client] of CASES) {
  test(`${what}: ${client}`, () => assert.is(clientOf(from, forwarded), client));
}

test('without a setting no proxy is believed', () => {
  const none = new Proxies(readSettings().proxies);
  assert.not(none.has('127.0.0.1'));
});

test.run();
