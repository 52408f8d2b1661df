import type { IncomingMessage } from 'node:http';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OriginPolicy } from '../../../server/access/origin-policy.js';

const policy = new OriginPolicy({
  names: ['localhost', '127.0.0.1', '::1', 'alarm.lan', '192.0.2.7', '2001:db8::7'],
  origins: ['https://phone.example'],
});

interface Given {
  host?: string;
  origin?: string;
  encrypted?: boolean;
  localAddress?: string;
}

const judge = ({ host, origin, encrypted, localAddress }: Given) =>
  policy.refusalOf({
    headers: { ...(host !== undefined && { host }), ...(origin !== undefined && { origin }) },
    socket: { encrypted, localAddress } as unknown as IncomingMessage['socket'],
  });

const OWN = [
  'localhost',
  'localhost:8080',
  'LOCALHOST:8080',
  'alarm.lan',
  'alarm.lan.',
  'Alarm.Lan.:8443',
  '127.0.0.1:1',
  '[::1]',
  '[::1]:8080',
  '[2001:DB8::7]:8443',
  '2001:db8::7',
  '192.0.2.7',
];

const STRANGE = [
  undefined,
  '',
  ':8080',
  'evil.example',
  'evil.example:8080',
  'alarm.lan.evil.example',
  'evil-alarm.lan',
  'xalarm.lan',
  'alarm.lan@evil.example',
  'alarm.lan:8080:8080',
  'alarm.lan,evil.example',
  'localhost.evil.example',
  '192.0.2.8',
  '[2001:db8::8]',
  '127.0.0.1.evil.example',
  '0.0.0.0',
  '0',
  '2130706433',
];

for (const host of OWN) {
  test(`${host} is a name of the server`, () => assert.is(judge({ host }), undefined));
}

for (const host of STRANGE) {
  test(`${host === undefined ? 'no name' : `"${host}"`} is none`, () => {
    assert.is(judge(host === undefined ? {} : { host }), 'host_refused');
  });
}

test('the address that a connection came to is a name of the server, for that connection only', () => {
  assert.is(judge({ host: '198.51.100.9:8080', localAddress: '198.51.100.9' }), undefined);
  assert.is(judge({ host: '198.51.100.9:8080', localAddress: '::ffff:198.51.100.9' }), undefined);
  assert.is(judge({ host: '[fd00::9]', localAddress: 'fd00::9' }), undefined);
  assert.is(judge({ host: '198.51.100.9', localAddress: '127.0.0.1' }), 'host_refused');
});

const origins: [string, Given, ReturnType<typeof judge>][] = [
  ['a client that is not a browser sends no origin', { host: 'alarm.lan' }, undefined],
  ["the server's own", { host: 'alarm.lan:8080', origin: 'http://alarm.lan:8080' }, undefined],
  ['its own by TLS', { host: 'alarm.lan', origin: 'https://alarm.lan', encrypted: true }, undefined],
  ['its own in other letters', { host: 'Alarm.Lan', origin: 'http://alarm.lan' }, undefined],
  ['one that is listed', { host: 'alarm.lan', origin: 'https://phone.example' }, undefined],
  ['a stranger', { host: 'alarm.lan', origin: 'https://evil.example' }, 'origin_refused'],
  ['none that a page may tell', { host: 'alarm.lan', origin: 'null' }, 'origin_refused'],
  ['nothing', { host: 'alarm.lan', origin: '' }, 'origin_refused'],
  ['another port', { host: 'alarm.lan:8080', origin: 'http://alarm.lan:3000' }, 'origin_refused'],
  [
    'one of another program on this machine',
    { host: 'alarm.lan', origin: 'http://localhost' },
    'origin_refused',
  ],
  ['without TLS, to TLS', { host: 'alarm.lan', origin: 'http://alarm.lan', encrypted: true }, undefined],
  [
    'by TLS, from a proxy that ends it',
    { host: 'alarm.lan:8080', origin: 'https://alarm.lan:8080' },
    undefined,
  ],
  ['a proxy that asks by another name', { host: '127.0.0.1:8080', origin: 'https://alarm.lan' }, undefined],
  ['an IPv6 address of its own', { host: 'alarm.lan', origin: 'https://[2001:db8::7]' }, undefined],
  ['another port of another name', { host: 'alarm.lan', origin: 'http://localhost:3000' }, 'origin_refused'],
  ['its own by another scheme', { host: 'alarm.lan', origin: 'ftp://alarm.lan' }, 'origin_refused'],
  ['its own with more behind', { host: 'alarm.lan', origin: 'https://alarm.lan/x' }, 'origin_refused'],
  ['its own before an @', { host: 'alarm.lan', origin: 'https://alarm.lan@evil.example' }, 'origin_refused'],
  ['one that only begins so', { host: 'alarm.lan', origin: 'https://phone.example.evil' }, 'origin_refused'],
  ['any', { host: 'alarm.lan', origin: '*' }, 'origin_refused'],
  ['its own, by a strange name', { host: 'evil.example', origin: 'http://evil.example' }, 'host_refused'],
  [
    'one that is listed, by a strange name',
    { host: 'evil', origin: 'https://phone.example' },
    'host_refused',
  ],
];

for (const [what, given, verdict] of origins) {
  test(`an origin: ${what}`, () => assert.is(judge(given), verdict));
}

test.run();
