import { createHash } from 'node:crypto';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { assetsOf } from '../../../server/app/bundle.js';
import type { Language } from '../../../server/app/page/words/languages.js';
import { speechOf } from '../../../server/app/speech.js';
import { speechIn } from '../../../server/app/worker/speech.js';
import { startTestRest, type TestRest } from '../rest/rest.js';

const KIB = 1024;
const LARGEST_APP = 64 * KIB;

const HTML = 'text/html; charset=utf-8';
const SCRIPT = 'text/javascript; charset=utf-8';
const STYLE = 'text/css; charset=utf-8';

/** The files whose addresses stay. */
const FIXED: Record<string, string> = {
  '/': HTML,
  '/service-worker.js': SCRIPT,
  '/manifest.webmanifest': 'application/manifest+json',
  '/icon.svg': 'image/svg+xml',
  '/icon-192.png': 'image/png',
  '/icon-maskable.png': 'image/png',
  '/console': HTML,
};

interface Context {
  rest: TestRest;
  /** The path of what the app loads after its first screen. */
  later: string;
  /** The paths of the files that the console loads at once, from its HTML. */
  console: { script: string; style: string };
}

const test = suite<Context>("the app's files");

test.before(async (context) => {
  const rest = await startTestRest({ region: 'nl-"ams' });
  const [app, page] = await Promise.all(['/', '/console'].map(async (path) => (await get(rest, path)).body));
  const [, later = ''] = /import\("([^"]*\/later-[^"]*)"\)/.exec(app ?? '') ?? [];
  const [, script = ''] = /<script type="module" src="([^"]+)">/.exec(page ?? '') ?? [];
  const [, style = ''] = /<link rel="stylesheet" href="([^"]+)" \/>/.exec(page ?? '') ?? [];
  Object.assign(context, { rest, later, console: { script, style } });
});
test.after(({ rest }) => rest.close());

const typesOf = ({ later, console }: Context): Record<string, string> => ({
  ...FIXED,
  [later]: SCRIPT,
  [console.script]: SCRIPT,
  [console.style]: STYLE,
});

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

/** The texts of the elements that a browser runs or applies as they stand in the page. */
const inlineIn = (html: string, name: string): string[] =>
  [...html.matchAll(new RegExp(`<${name}([^>]*)>(.*?)</${name}>`, 'gs'))]
    .filter(([, attributes = '']) => !/src=|application\/json/.test(attributes))
    .map(([, , text = '']) => text);

const digestOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

test('are there for everyone, each with its type', async (context) => {
  for (const [path, type] of Object.entries(typesOf(context))) {
    const { response, body } = await get(context.rest, path);
    assert.is(response.status, 200, path);
    assert.is(response.headers.get('content-type'), type, path);
    assert.ok(body.length > 0, path);
  }
});

test('run no script and load nothing but their own', async ({ rest, later, console }) => {
  for (const path of ['/', '/console']) {
    const { response, body } = await get(rest, path);
    const policy = response.headers.get('content-security-policy') ?? '';
    assert.match(policy, "default-src 'none'");
    assert.not.match(policy, 'unsafe');
    assert.is(response.headers.get('x-content-type-options'), 'nosniff');
    const allowed = Object.fromEntries(
      policy.split(';').map((each) => [each.split(' ', 1)[0], each.split(' ').slice(1)]),
    );
    for (const name of ['script', 'style'])
      assert.equal(allowed[`${name}-src`], ["'self'", ...inlineIn(body, name).map(digestOf)]);
    const bare = body.replace(/(<(script|style)[^>]*>).*?(?=<\/\2>)/gs, '$1');
    assert.not.match(bare, /\sstyle=|\son\w+=/);
    for (const [, address = ''] of bare.matchAll(/(?:src|href)="([^"]*)"/g))
      assert.match(address, /^\/(?!\/)/);
  }
  for (const path of ['/', later, console.script, console.style, '/service-worker.js']) {
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

test('are compressed as the browser likes it', async ({ rest, console: { style } }) => {
  const plain = (await get(rest, style)).body;
  const decoders = { br: brotliDecompressSync, gzip: gunzipSync };
  for (const [encoding, decode] of Object.entries(decoders)) {
    const { headers, body } = await getEncoded(rest, style, `x-new, ${encoding}`);
    assert.is(headers['content-encoding'], encoding);
    assert.is(decode(body).toString(), plain);
    assert.ok(body.length < plain.length / 2);
  }
});

test('are asked for again each time where the address stays, and sent only when they are others', async ({
  rest,
}) => {
  for (const path of Object.keys(FIXED))
    assert.is((await get(rest, path)).response.headers.get('cache-control'), 'no-cache', path);
  const etag = (await get(rest, '/icon.svg')).response.headers.get('etag') ?? '';
  const again = await get(rest, '/icon.svg', { 'If-None-Match': etag });
  assert.is(again.response.status, 304);
  assert.is(again.body, '');
  const compressed = await get(rest, '/icon.svg', { 'Accept-Encoding': 'gzip', 'If-None-Match': etag });
  assert.is(compressed.response.status, 200);
  assert.is((await get(rest, '/', { 'If-None-Match': etag })).response.status, 200);
});

test('are kept for good where the name changes with the content', async ({ rest, later, console }) => {
  for (const path of [later, ...Object.values(console)]) {
    const { response } = await get(rest, path);
    assert.is(response.headers.get('cache-control'), 'public, max-age=31536000, immutable', path);
    assert.match(path, /^\/(assets\/later|console\/console)-[A-Z0-9]{8}\.(js|css)$/);
  }
});

test('a file of another version is not there', async ({ rest }) => {
  for (const path of ['/assets/app-00000000.js', '/assets/', '/assets/..%2findex.html', '/console/app.js']) {
    const { response, body } = await get(rest, path);
    assert.is(response.status, 404, path);
    assert.match(body, 'unknown resource');
  }
});

test('need no token, and give no data', async (context) => {
  const { rest } = context;
  const { id } = await rest.newDevice();
  const answers = await Promise.all(Object.keys(typesOf(context)).map((path) => get(rest, path)));
  assert.not.ok(answers.some(({ body }) => body.includes(id) || body.includes(rest.token)));
});

test(`take at most ${LARGEST_APP / KIB} KiB in all, compressed, the console apart`, async () => {
  const files = (await assetsOf('app')).filter(({ language = 'de' }) => language === 'de');
  const sizes = files.map(({ body }) => Math.min(body.length, gzipSync(body).length));
  const size = sizes.reduce((sum, each) => sum + each, 0);
  assert.ok(size <= LARGEST_APP, `${size} bytes`);
});

test('come in the language that a person has chosen, else in the best that the browser names', async ({
  rest,
}) => {
  const CASES: [string, Record<string, string>, string][] = [
    ['en', {}, 'The app is loading.'],
    ['de', { 'Accept-Language': 'de-AT,de;q=0.9,en;q=0.8' }, 'Die App wird geladen.'],
    ['fr', { 'Accept-Language': 'it,en;q=0.5,fr;q=0.7' }, 'L’application se charge.'],
    ['en', { 'Accept-Language': 'it' }, 'The app is loading.'],
    ['es', { 'Accept-Language': 'de', Cookie: 'other=1; language=es' }, 'La aplicación se está cargando.'],
    ['en', { 'Accept-Language': 'de', Cookie: 'language=toString' }, 'The app is loading.'],
  ];
  for (const [language, headers, text] of CASES) {
    const { response, body } = await get(rest, '/', headers);
    assert.match(body, `<html lang="${language}"`);
    assert.match(body, text);
    assert.not.match(body, /\{\{/);
    assert.equal(speechIn(body), JSON.parse(JSON.stringify(speechOf(language as Language))));
    assert.is(response.headers.get('vary'), 'Accept-Encoding, Accept-Language, Cookie');
  }
});

test('the page of the console names at once all scripts that it needs at first', async ({
  rest,
  console,
}) => {
  const { body: html } = await get(rest, '/console');
  const { body: code } = await get(rest, console.script);
  const imported = [...code.matchAll(/from"\.\/([^"]+)"/g)].map(([, file]) => file);
  const preloaded = [...html.matchAll(/rel="modulepreload" href="[^"]*\/([^"/]+)"/g)].map(([, file]) => file);
  assert.equal(
    imported.filter((file) => !preloaded.includes(file)),
    [],
  );
});

/** A name within Preact's code. */
const OF_PREACT = /\.__k\b/;

test('the page of the app holds all that its first screen needs, and nothing is sent twice', async ({
  rest,
  later,
}) => {
  const { body: page } = await get(rest, '/');
  assert.not.match(page, /<link rel="(?:stylesheet|modulepreload)"|<script[^>]* src=/);
  const { body: code } = await get(rest, later);
  assert.match(page, OF_PREACT);
  assert.not.match(code, OF_PREACT);
  assert.not.match(code, /\bfrom"/);
});

test('the service worker keeps every file of the app, and is another one when any of them is', async ({
  rest,
}) => {
  const other = await startTestRest({ region: 'nl-ams' });
  const [one, again, changed] = await Promise.all(
    [rest, rest, other].map(async (server) => (await get(server, '/service-worker.js')).body),
  );
  await other.close();
  assert.is(again, one);
  assert.is.not(changed, one);
  for (const { path } of await assetsOf('app'))
    assert.is(one?.includes(JSON.stringify(path)), path !== '/service-worker.js', path);
});

test.run();
