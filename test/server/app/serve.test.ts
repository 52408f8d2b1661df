import { get as httpGet, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bundleApp } from '../../../server/app/bundle.js';
import { APP_PATHS, CONSOLE_PATHS } from '../../../server/app/paths.js';
import { startTestRest, type TestRest } from '../rest/rest.js';

const KIB = 1024;
const LARGEST_APP = 60 * KIB;

const TYPES: Record<string, string> = {
  '/': 'text/html; charset=utf-8',
  '/app.js': 'text/javascript; charset=utf-8',
  '/app.css': 'text/css; charset=utf-8',
  '/service-worker.js': 'text/javascript; charset=utf-8',
  '/manifest.webmanifest': 'application/manifest+json',
  '/icon.svg': 'image/svg+xml',
  '/icon-192.png': 'image/png',
  '/icon-maskable.png': 'image/png',
  '/console': 'text/html; charset=utf-8',
  '/console.js': 'text/javascript; charset=utf-8',
  '/console.css': 'text/css; charset=utf-8',
};

const test = suite<{ rest: TestRest }>("the app's files");

test.before(async (context) => {
  context.rest = await startTestRest({ region: 'nl-"ams' });
});
test.after(({ rest }) => rest.close());

async function get({ url }: TestRest, path: string, headers: Record<string, string> = {}) {
  const response = await fetch(url + path, { headers: { 'Accept-Encoding': 'identity', ...headers } });
  return { response, body: await response.text() };
}

/** As it is on the wire: fetch would decode it. */
async function getEncoded({ url }: TestRest, path: string, encoding: string) {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    httpGet(url + path, { headers: { 'Accept-Encoding': encoding } }, resolve).on('error', reject);
  });
  return { headers: answer.headers, body: await buffer(answer) };
}

test('are there for everyone, each with its type', async ({ rest }) => {
  assert.equal([...APP_PATHS, ...CONSOLE_PATHS].sort(), Object.keys(TYPES).sort());
  for (const [path, type] of Object.entries(TYPES)) {
    const { response, body } = await get(rest, path);
    assert.is(response.status, 200, path);
    assert.is(response.headers.get('content-type'), type, path);
    assert.ok(body.length > 0, path);
  }
});

test('run no script and load nothing but their own', async ({ rest }) => {
  for (const path of ['/', '/console']) {
    const { response, body } = await get(rest, path);
    const policy = response.headers.get('content-security-policy') ?? '';
    assert.match(policy, "default-src 'none'");
    assert.match(policy, "script-src 'self'");
    assert.not.match(policy, 'unsafe');
    assert.is(response.headers.get('x-content-type-options'), 'nosniff');
    assert.not.match(body, /<script(?![^>]*src=)|\sstyle=|\son\w+=/);
    for (const [, address = ''] of body.matchAll(/(?:src|href)="([^"]*)"/g))
      assert.match(address, /^\/(?!\/)/);
  }
  for (const path of ['/app.js', '/app.css', '/console.css', '/service-worker.js']) {
    const { body } = await get(rest, path);
    const addresses = (body.match(/https?:\/\/[\w.-]+/g) ?? []).filter(
      (each) => !each.includes('www.w3.org'),
    );
    assert.equal(addresses, [], path);
  }
});

test('know the region, whatever it is called', async ({ rest }) => {
  assert.match((await get(rest, '/')).body, 'data-region="nl-&quot;ams"');
});

test('are compressed as the browser likes it', async ({ rest }) => {
  const plain = (await get(rest, '/app.css')).body;
  const decoders = { br: brotliDecompressSync, gzip: gunzipSync };
  for (const [encoding, decode] of Object.entries(decoders)) {
    const { headers, body } = await getEncoded(rest, '/app.css', `x-new, ${encoding}`);
    assert.is(headers['content-encoding'], encoding);
    assert.is(decode(body).toString(), plain);
    assert.ok(body.length < plain.length / 2);
  }
});

test('are asked for again each time, and sent only when they are others', async ({ rest }) => {
  const { response } = await get(rest, '/app.js');
  assert.is(response.headers.get('cache-control'), 'no-cache');
  const etag = response.headers.get('etag') ?? '';
  const again = await get(rest, '/app.js', { 'If-None-Match': etag });
  assert.is(again.response.status, 304);
  assert.is(again.body, '');
  const compressed = await get(rest, '/app.js', { 'Accept-Encoding': 'gzip', 'If-None-Match': etag });
  assert.is(compressed.response.status, 200);
  assert.is((await get(rest, '/app.css', { 'If-None-Match': etag })).response.status, 200);
});

test('need no token, and give no data', async ({ rest }) => {
  const { id } = await rest.newDevice();
  const answers = await Promise.all(Object.keys(TYPES).map((path) => get(rest, path)));
  assert.not.ok(answers.some(({ body }) => body.includes(id) || body.includes(rest.token)));
});

test(`take at most ${LARGEST_APP / KIB} KiB in all, compressed, the console apart`, async () => {
  const files = await bundleApp('fr-par');
  assert.equal(files.map(({ path }) => path).sort(), [...APP_PATHS].sort());
  const sizes = files.map(({ body }) => Math.min(body.length, gzipSync(body).length));
  const size = sizes.reduce((sum, each) => sum + each, 0);
  assert.ok(size <= LARGEST_APP, `${size} bytes`);
});

test('the service worker is another one when any other file is', async () => {
  const worker = async (region: string) =>
    (await bundleApp(region)).find(({ path }) => path === '/service-worker.js')?.body.toString();
  const one = await worker('fr-par');
  assert.is(await worker('fr-par'), one);
  assert.is.not(await worker('nl-ams'), one);
  for (const path of APP_PATHS) assert.is(one?.includes(JSON.stringify(path)), path !== '/service-worker.js');
});

test.run();
