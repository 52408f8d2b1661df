/** HTTP requests that are nearly right, each part of them drawn from what servers have stumbled over. */

import { mutated } from './mutate.js';
import { TOKEN, VICTIMS } from './prepare.js';
import type { Random } from './random.js';

const BASE = '/iot/v1/regions/fr-par';
const STRANGER = '99999999-9999-4999-8999-999999999999';
const JSON_BODY = '{"data":{"n":1}}';

const METHODS = ['GET', 'PUT', 'PATCH', 'POST', 'DELETE', 'HEAD', 'OPTIONS'];
const ODD_METHODS = [
  'TRACE',
  'CONNECT',
  'get',
  'BREW',
  'M-SEARCH',
  'QUERY',
  'PRI',
  '',
  'G\0T',
  'A'.repeat(300),
];

const NAMES = ['d0', 'd1', 'desired', 'current', '_config', 'D~-_.'];
const ODD_NAMES = [
  ...[
    '..',
    '.',
    '%2e%2e',
    '%2e%2e%2f',
    '..%2f..%2fetc%2fpasswd',
    '%',
    '%zz',
    '%00',
    '%ff',
    '%c0%af',
    '%0d%0aX:y',
  ],
  ...[
    '__proto__',
    'constructor',
    'x'.repeat(65),
    'x'.repeat(300),
    'ä',
    '😀',
    '\xff\xfe',
    '*',
    '',
    '%20',
    'a;b',
    'a\\b',
  ],
];
const QUERIES = [
  ...[
    '',
    '',
    '',
    '?wait=0',
    '?wait=-1',
    '?wait=1e9',
    '?limit=0',
    '?limit=1001',
    '?since=x',
    '?page=9007199254740993',
  ],
  ...[
    '?since=2026-01-01T00:00:00Z&limit=2',
    '?%',
    '?a=%ff',
    '?__proto__=1',
    '?wait=0&wait=0',
    `?${'a&'.repeat(200)}`,
  ],
];

const TARGETS: readonly ((random: Random) => string)[] = [
  ...new Array<(random: Random) => string>(6).fill((random) => `${documentOf(random)}`),
  (random) => `${documentOf(random)}/history`,
  (random) => `${BASE}/twins/${victimOf(random)}`,
  (random) => `${BASE}/twins/${victimOf(random)}/events`,
  (random) => `${BASE}/devices/${victimOf(random)}`,
  (random) => `${BASE}/devices/${random.oneOf([STRANGER, 'x', '%ff', victimOf(random).toUpperCase()])}`,
  (random) => `${BASE}/devices/${STRANGER}/${random.oneOf(['enable', 'disable', 'renew-certificate', 'x'])}`,
  () => `${BASE}/devices?page_size=2&order_by=name_desc`,
  () => `${BASE}/hubs`,
  (random) => `${BASE}/tokens/${random.oneOf(['self', STRANGER, 'x'])}`,
  (random) =>
    random.oneOf(['/', '/healthz', '/metrics', '/app/..%2f..', '/index.html', '/..', '//', '*', '/mqtt']),
  (random) => `http://${random.oneOf(['127.0.0.1', 'evil.example'])}${documentOf(random)}`,
  (random) => `${BASE}/${'../'.repeat(1 + random.below(9))}etc/passwd`,
  (random) => `${BASE}/${'a/'.repeat(random.below(2000))}`,
];

const victimOf = (random: Random): string => random.oneOf(VICTIMS).id;
const documentOf = (random: Random): string =>
  `${BASE}/twins/${victimOf(random)}/documents/${random.oneOf(random.once(3) ? ODD_NAMES : NAMES)}`;

const HOSTS = ['Host: 127.0.0.1', 'Host: 127.0.0.1', 'Host: 127.0.0.1', 'Host: localhost:1'];
const ODD_HOSTS = [
  '',
  'Host:',
  'Host: evil.example',
  'Host: a\r\nHost: b',
  'Host: [::1',
  'Host: 127.0.0.1@evil',
  'hOsT : x',
];
const AUTHORIZED = `X-Auth-Token: ${TOKEN}`;
const ODD_TOKENS = [
  '',
  'X-Auth-Token:',
  `X-Auth-Token: ${STRANGER}`,
  `${AUTHORIZED}\r\n${AUTHORIZED}`,
  'X-Auth-Token: \xff',
];
const ODD_HEADERS = [
  ...[
    'Expect: 100-continue',
    'Expect: x',
    'Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings',
    'Connection: close',
  ],
  ...[
    'Upgrade: websocket\r\nConnection: Upgrade',
    'Connection: keep-alive, X-Auth-Token',
    'Origin: null',
    'TE: trailers',
  ],
  ...[
    'Origin: https://evil.example',
    'If-Match: "1"',
    'If-Match: *',
    'If-None-Match: W/"1", "2"',
    'If-Match: "',
    'Range: bytes=0-',
  ],
  ...[
    'Last-Event-ID: +,a:1:1',
    'Last-Event-ID: \xff',
    'Content-Type: text/xml',
    'Content-Encoding: gzip',
    'Accept: */*',
  ],
  ...[
    ' leading: space',
    'No-Colon',
    'A:\r\n folded',
    ': none',
    'X:\0',
    'X: a\rb',
    'X : y',
    `X: ${'y'.repeat(20_000)}`,
    '\xff: \xff',
  ],
  ...[
    '__proto__: x',
    'constructor: y',
    'Cookie: a=b',
    'Forwarded: for=1.2.3.4',
    'X-HTTP-Method-Override: DELETE',
  ],
  'X: y\r\n'.repeat(150).trimEnd(),
];

const BODIES = [
  JSON_BODY,
  JSON_BODY,
  '',
  '{"data":{}',
  '[]',
  'null',
  '\xef\xbb\xbf{"data":{}}',
  '{"version":1,"data":{}}',
];

const chunked = (body: string): string => `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;

/** How a body says where it ends: its headers, and what is then sent of it. */
const FRAMINGS: readonly ((body: string, random: Random) => [string, string])[] = [
  ...new Array<(body: string) => [string, string]>(5).fill((body) => [
    `Content-Length: ${body.length}`,
    body,
  ]),
  (body) => ['Transfer-Encoding: chunked', chunked(body)],
  (body) => ['transfer-encoding:\tCHUNKED', chunked(body)],
  (body) => [
    'Transfer-Encoding: chunked',
    body.replace(/./gs, (byte) => `1;x="y"\r\n${byte}\r\n`).concat('0\r\nT: r\r\n\r\n'),
  ],
  (body, random) => [
    'Transfer-Encoding: chunked',
    chunked(body).replace(/^/, random.oneOf(['0x', '-', '+', ' ', '00000', 'f'.repeat(17)])),
  ],
  (body, random) => [
    'Transfer-Encoding: chunked',
    chunked(body).replace(/\r\n/, random.oneOf(['\n', '\r', '', ' \r\n', ';\r\n', '\0\r\n'])),
  ],
  (body, random) => [
    `Content-Length: ${random.oneOf(['-1', '+1', '0x10', '1e1', '', '1 1', '99999999999999999999', '1,1', `${body.length + 9}`])}`,
    body,
  ],
  (body) => ['', body],
];

function requestOf(random: Random): Buffer {
  const method = random.once(10) ? random.oneOf(ODD_METHODS) : random.oneOf(METHODS);
  const target = `${random.oneOf(TARGETS)(random)}${random.oneOf(QUERIES)}`;
  const version = random.once(12)
    ? random.oneOf(['HTTP/1.0', 'HTTP/0.9', 'HTTP/2.0', 'HTTP/1.1 ', '', 'http/1.1'])
    : 'HTTP/1.1';
  const body = random.once(40) ? `{"data":{"x":"${'x'.repeat(140_000)}"}}` : random.oneOf(BODIES);
  const [framing, sent] = random.oneOf(FRAMINGS)(body, random);
  const headers = [
    random.once(12) ? random.oneOf(ODD_HOSTS) : random.oneOf(HOSTS),
    random.once(8) ? random.oneOf(ODD_TOKENS) : AUTHORIZED,
    ...(random.once(2) ? random.some(3, () => random.oneOf(ODD_HEADERS)) : []),
    framing,
  ].filter((line) => line !== '');
  const lineEnd = random.once(30) ? random.oneOf(['\n', '\r', '\r\r\n']) : '\r\n';
  const head = [`${method} ${target} ${version}`, ...headers, '', ''].join(lineEnd);
  return Buffer.from(head + sent, 'latin1');
}

/** One request after the other, some of them changed in a few bytes, as one connection sends them. */
export const requestsOf = (random: Random): Buffer[] =>
  random.some(3, () => {
    const request = requestOf(random);
    return random.once(3) ? mutated(request, random) : request;
  });
