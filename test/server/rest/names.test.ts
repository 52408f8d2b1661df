/** Hostile names, byte by byte: a URL object would tidy them up before they are sent. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BASE, bodyOf, startTestRest, statusOf, type TestRest } from './rest.js';

const test = suite<{ rest: TestRest; id: string }>('hostile names');

test.before(async (context) => {
  context.rest = await startTestRest();
  context.id = (await context.rest.newDevice()).id;
});
test.after(({ rest }) => rest.close());

const BODY = '{"data":{"hostile":true}}';

const put = (rest: TestRest, target: string | Buffer): Promise<string> =>
  rest.raw(
    Buffer.concat([
      Buffer.from('PUT '),
      Buffer.from(target),
      Buffer.from(
        ` HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: ${rest.token}\r\nConnection: close\r\n` +
          `Content-Length: ${BODY.length}\r\n\r\n${BODY}`,
      ),
    ]),
  );

const HOSTILE: Record<string, string> = {
  'the parent directory': '..',
  'the directory itself': '.',
  'the encoded parent directory': '%2e%2e',
  'the encoded parent directory and a slash': '%2e%2e%2f',
  'an encoded path': '..%2F..%2Fetc%2Fpasswd',
  'an encoded backslash': '..%5C..%5Cx',
  'a prototype': '__proto__',
  'an encoded prototype': '%5f%5fproto%5f%5f',
  '300 characters': 'x'.repeat(300),
  '65 characters': 'x'.repeat(65),
  'a byte that is not UTF-8': '%ff',
  'an incomplete character': '%E0%A4%A',
  'a cut percent-encoding': 'a%',
  'a percent-encoding that is none': '%zz',
  'an encoded NUL': 'a%00',
  'an encoded line break': 'a%0d%0aX-Injected:%201',
  'a hidden file': '.hidden',
  'an underscore': '_tags',
  'a space': 'a%20b',
  'an umlaut': '%C3%A4',
  'a surrogate in UTF-8': '%ED%A0%80',
  'a double encoding': '%252e%252e%252f',
  'a wildcard': '%23',
};

for (const [what, name] of Object.entries(HOSTILE)) {
  test(`a document cannot be named: ${what}`, async ({ rest, id }) => {
    const answer = await put(rest, `${BASE}/twins/${id}/documents/${name}`);
    assert.is(statusOf(answer), 400, answer);
    const body = bodyOf(answer);
    assert.is(body.type, 'invalid_arguments');
    assert.is(body.details[0].argument_name, 'document_name');
    assert.not.match(answer, /X-Injected/i);
  });
}

test('a name of raw bytes that are no ASCII is refused or nowhere', async ({ rest, id }) => {
  const prefix = Buffer.from(`${BASE}/twins/${id}/documents/`);
  for (const bytes of [[0xff], [0xc3, 0xa4], [0xe0, 0xa4], [0x61, 0x00], [0x7f]]) {
    const status = statusOf(await put(rest, Buffer.concat([prefix, Buffer.from(bytes)])));
    assert.is(status, 400, String(bytes));
  }
});

test('a raw path upwards leads nowhere', async ({ rest, id }) => {
  const paths = [
    `${BASE}/twins/${id}/documents/../../../../../etc/passwd`,
    `${BASE}/twins/${id}/documents/..\\..\\x`,
    `${BASE}/twins/../devices`,
    `${BASE}/twins/${id}/../../tokens`,
    '/../../../../etc/passwd',
    `//etc/passwd`,
    `${BASE}/twins/${id}/documents/`,
    `${BASE}//twins/${id}/documents/d`,
    'http://evil.example/x',
    '*',
  ];
  for (const path of paths) {
    const answer = await put(rest, path);
    assert.ok([400, 404, 405, 421].includes(statusOf(answer)), `${path}: ${answer}`);
  }
});

test('a name in another place of the address is refused as well', async ({ rest }) => {
  for (const id of ['..', '%2e%2e%2f', '%ff', '%E0%A4%A', '__proto__', 'x'.repeat(300)]) {
    assert.is(statusOf(await put(rest, `${BASE}/twins/${id}/documents/d`)), 400, id);
  }
  assert.is(statusOf(await put(rest, '/iot/v1/regions/%E0%A4%A/devices')), 405);
});

test('names at the edge of what is allowed are taken, encoded or not', async ({ rest, id }) => {
  for (const name of [
    'a',
    'x'.repeat(64),
    '~a.b_c-d',
    '-',
    '_config',
    'constructor',
    'toString',
    'hasOwnProperty',
  ]) {
    const encoded = [...name].map((letter) => `%${letter.charCodeAt(0).toString(16)}`).join('');
    for (const given of [name, encoded]) {
      const answer = await put(rest, `${BASE}/twins/${id}/documents/${given}`);
      assert.is(statusOf(answer), 200, answer);
      assert.is(bodyOf(answer).document_name, name);
    }
  }
});

test('nothing but the files of this device was made by all that', async ({ rest, id }) => {
  const files = await rest.storage.list('');
  const allowed = [
    `devices/${id.slice(0, 2)}`,
    `activity/${id.slice(0, 2)}`,
    `twins/${id.slice(0, 2)}/${id}`,
    'tokens',
    'seen',
    'pins',
    'connected',
    ...['alerts', 'armed', 'deliveries', 'mutes', 'proof', 'subscriptions', 'vapid'].map(
      (name) => `alerts/${name}`,
    ),
  ];
  assert.equal(
    files.filter((file) => !allowed.includes(file)),
    [],
  );
  assert.is(({} as { hostile?: boolean }).hostile, undefined);
});

test.run();
