import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { circles, upwardArrows } from './structure/layers.js';
import { measurePuts } from './structure/puts.js';
import { importsOf, readSources, type Source, syntaxNodes } from './structure/sources.js';

const LONGEST_FILE = 400;
/** `npm run figures` prints what these bound. */
// One of them is `calls.ts`: the storage decides, because an engine of several servers may have to decide again.
const MOST_FILES_OF_A_PUT = { rest: 20, inband: 19 };
const TOP_LEVEL = [
  ...['package.json', 'firmware', 'server', 'shared', 'manifests', 'test', 'README.md'],
  ...['tsconfig.json', 'package-lock.json', 'LICENSE'],
];
const VAGUE_NAMES = /(^|[/.-])(utils?|utilities|helpers?|commons?|managers?)([/.-]|$)/i;
/** Modules that the SDK, or on a desktop its stand-in, gives the firmware. */
const PLATFORM_MODULES =
  /^(timer|time|file|resetReason|mc\/config|sntp|embedded:.+|crypt|curve|ecdsa|ecp|pkcs8|x509)$/;
const BROWSER_PACKAGES = ['preact', 'eventsource-parser', 'mqtt', 'icu-minify', '@schummar/icu-type-parser'];
const NETWORK_PARTS =
  /^(server\/(rest|mqtt|app)\/|(polka|sirv|ws|mqtt|mqtt-packet|aedes)$|node:(http|https|http2|net|tls|dgram)$)/;

const sources = readSources();
const packages = JSON.parse(readFileSync('package.json', 'utf8')) as {
  dependencies: Record<string, string>;
};

const below =
  (...folders: string[]) =>
  (path: string): boolean =>
    folders.some((folder) => path.startsWith(`${folder}/`));
const isOnNode = (path: string): boolean =>
  below('firmware/desktop')(path) && !below('firmware/desktop/modules')(path);
const isProduct = below('server', 'firmware', 'shared');
const isTest = (path: string): boolean => path.endsWith('.test.ts');
/** `@scope/name/inner` belongs to the package `@scope/name`, and `name/inner` to `name`. */
const packageOf = (specifier: string): string => /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
const isOfProject = below('server', 'firmware', 'shared', 'test');
const isBuiltIn = (specifier: string): boolean =>
  specifier.startsWith('node:') || builtinModules.includes(specifier);

interface Arrow {
  rule: string;
  from: (path: string) => boolean;
  allows: (imported: string) => boolean;
}

const ARROWS: Arrow[] = [
  {
    rule: 'shared/ imports nothing outside itself but the number of the version',
    from: below('shared'),
    allows: (imported) => below('shared')(imported) || imported === 'package.json',
  },
  {
    rule: 'the firmware imports itself, shared/ and platform modules, nothing of Node or npm',
    from: (path) => below('firmware')(path) && !isOnNode(path),
    allows: (imported) => below('firmware', 'shared')(imported) || PLATFORM_MODULES.test(imported),
  },
  {
    rule: 'the desktop host never imports the server',
    from: isOnNode,
    allows: (imported) => !below('server')(imported),
  },
  {
    rule: 'the server never imports the firmware',
    from: below('server'),
    allows: (imported) => !below('firmware')(imported),
  },
  {
    rule: 'twins/ and storage/ know neither HTTP nor MQTT',
    // The lock listens on a Unix socket, which is no network. A database is reached by one, and speaks neither.
    from: (path) =>
      below('server/twins', 'server/storage')(path) &&
      !['server/storage/lock.ts', 'server/storage/postgres/connection.ts'].includes(path),
    allows: (imported) => !NETWORK_PARTS.test(imported),
  },
  {
    rule: 'storage/ knows nothing of what is kept in it',
    from: below('server/storage'),
    allows: (imported) => !below('server/twins', 'server/devices', 'server/access')(imported),
  },
  {
    rule: 'tls/ knows nothing of those for which it makes certificates',
    from: below('server/tls'),
    allows: (imported) =>
      !below('server/rest', 'server/mqtt', 'server/app', 'server/devices', 'server/twins')(imported),
  },
  {
    rule: 'rest/ never imports mqtt/',
    from: below('server/rest'),
    allows: (imported) => !below('server/mqtt')(imported),
  },
  {
    rule: 'mqtt/ never imports rest/',
    from: below('server/mqtt'),
    allows: (imported) => !below('server/rest')(imported),
  },
  {
    rule: 'only the server as a whole knows homeassistant/',
    from: (path) => isProduct(path) && path !== 'server/server.ts' && !below('server/homeassistant')(path),
    allows: (imported) => !below('server/homeassistant')(imported),
  },
  {
    rule: 'a server without Home Assistant loads no MQTT client',
    from: (path) => below('server')(path) && !below('server/homeassistant', 'server/app')(path),
    allows: (imported) => packageOf(imported) !== 'mqtt',
  },
  {
    rule: 'homeassistant/ never imports rest/ or mqtt/',
    from: below('server/homeassistant'),
    allows: (imported) => !below('server/rest', 'server/mqtt')(imported),
  },
  {
    rule: 'what runs in the browser imports itself, shared/, its libraries and the form of a device',
    from: below('server/app/page', 'server/app/console', 'server/app/worker'),
    allows: (imported) =>
      below('server/app/page', 'server/app/console', 'server/app/worker', 'shared')(imported) ||
      BROWSER_PACKAGES.includes(packageOf(imported)) ||
      imported === 'server/devices/device',
  },
  {
    rule: 'no part of the product imports a test',
    from: isProduct,
    allows: (imported) => !below('test')(imported),
  },
  {
    rule: 'what runs outside tests comes from the dependencies, not from those of development',
    from: isProduct,
    allows: (imported) =>
      isOfProject(imported) ||
      imported === 'package.json' ||
      isBuiltIn(imported) ||
      PLATFORM_MODULES.test(imported) ||
      packageOf(imported) in packages.dependencies,
  },
];

const wrongImports = ({ from, allows }: Arrow, files: Source[]): string[] =>
  files
    .filter(({ path }) => from(path))
    .flatMap(({ path, imports }) =>
      imports.filter((imported) => !allows(imported)).map((imported) => `${path} imports ${imported}`),
    );

for (const arrow of ARROWS) {
  test(arrow.rule, () => assert.equal(wrongImports(arrow, sources), []));
}

test('no files import each other in a circle', () => {
  assert.equal(circles(sources), []);
});

test('no part of the server imports one that stands above it', () => {
  assert.equal(upwardArrows(sources.filter(({ path }) => isProduct(path))), []);
});

test('a put of a document passes few files of the server, by REST as in-band', async () => {
  const { rest, inband } = await measurePuts();
  assert.ok(rest.has('server/twins/twins.ts') && inband.has('server/twins/twins.ts'));
  assert.ok(rest.size <= MOST_FILES_OF_A_PUT.rest, [...rest.keys()].join('\n'));
  assert.ok(inband.size <= MOST_FILES_OF_A_PUT.inband, [...inband.keys()].join('\n'));
});

test('a circle of imports is found, and not what only leads to it', () => {
  const file = (path: string, ...imports: string[]): Source => ({ path, text: '', imports });
  const files = [file('a.ts', 'b'), file('b.ts', 'c'), file('c.ts', 'b', 'd'), file('d.ts', 'node:fs')];
  assert.equal(circles(files), [['b', 'c']]);
});

test('an arrow that leads upwards is found', () => {
  const file = { path: 'server/storage/x.ts', text: '', imports: ['server/twins/twins', 'shared/panel'] };
  assert.equal(upwardArrows([file]), ['server/storage/x.ts → server/twins/twins']);
});

test('every import of a file leads to a file', () => {
  const known = new Set(sources.map(({ path }) => path.replace(/(\.d)?\.\w+$/, '')));
  const astray = sources.flatMap(({ path, imports }) =>
    imports
      .filter((imported) => isOfProject(imported) && !known.has(imported))
      .map((to) => `${path} → ${to}`),
  );
  assert.equal(astray, []);
});

test(`no file is longer than ${LONGEST_FILE} lines`, () => {
  const long = sources.filter(({ text }) => text.split('\n').length - 1 > LONGEST_FILE);
  assert.equal(
    long.map(({ path }) => path),
    [],
  );
});

test('no name says nothing', () => {
  assert.equal(
    sources.map(({ path }) => path).filter((path) => VAGUE_NAMES.test(path)),
    [],
  );
});

test('at the top stands only what belongs there', () => {
  const ignored = readFileSync('.gitignore', 'utf8')
    .split('\n')
    .map((line) => line.replace(/\/$/, ''));
  const strangers = readdirSync('.').filter(
    (name) => !name.startsWith('.') && !TOP_LEVEL.includes(name) && !ignored.includes(name),
  );
  assert.equal(strangers, []);
});

test('a test file, and nothing else, ends by running its suite', () => {
  const endsByRunning = (text: string): boolean =>
    /^\w+\.run\(\);$/.test(text.trimEnd().split('\n').at(-1) ?? '');
  const odd = sources.filter(({ path, text }) => below('test')(path) && isTest(path) !== endsByRunning(text));
  assert.equal(
    odd.map(({ path }) => path),
    [],
  );
});

const suitesOf = (text: string): string[] => [
  ...(/^import \{[^}]*\btest\b[^}]*\} from 'uvu';$/m.test(text) ? ['test'] : []),
  ...[...text.matchAll(/^const (\w+) = (?:suite|overEach)\b/gm)].map(([, name]) => name ?? ''),
];

test('every suite that a test file makes is run, and no test is singled out', () => {
  const lost = sources
    .filter(({ path }) => isTest(path))
    .flatMap(({ path, text }) => {
      const idle = suitesOf(text).filter((name) => !text.includes(`\n${name}.run();`));
      return [...idle.map((name) => `${path}: ${name}`), ...(/\.only\(/.test(text) ? [`${path}: only`] : [])];
    });
  assert.equal(lost, []);
});

test('a suite that is made is found, whatever its form', () => {
  const text =
    "import { suite, test } from 'uvu';\nconst a = suite<Context>('a');\nconst b = overEach('b');\n";
  assert.equal(suitesOf(text), ['test', 'a', 'b']);
});

/** uvu takes a text there for the message of the failure, and expects nothing of the exception. */
function textsForExceptions({ path, text }: Pick<Source, 'path' | 'text'>): string[] {
  if (!text.includes('assert.throws(')) return [];
  return syntaxNodes(text, path)
    .filter(({ type, callee }) => type === 'CallExpression' && callee?.property?.name === 'throws')
    .filter(({ arguments: [, expected] = [] }) => /^(String|Template)Literal$/.test(expected?.type ?? ''))
    .map(() => path);
}

test('an exception is expected by a pattern or a function, not by a text', () => {
  assert.equal(sources.flatMap(textsForExceptions), []);
  const text = "assert.throws(() => f('a', 'b'), 'c'); assert.throws(() => f('a', 'b'), /c/);";
  assert.equal(textsForExceptions({ path: 'x.ts', text }), ['x.ts']);
});

test('a test stands in test/, where the place of what it tests says', () => {
  assert.equal(
    sources.filter(({ path }) => isTest(path) && !below('test')(path)).map(({ path }) => path),
    [],
  );
});

test('the lock file names no registry', () => {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, { resolved?: string }>;
  };
  const named = Object.entries(lock.packages).filter(([, { resolved }]) => resolved !== undefined);
  assert.equal(named, []);
});

test('the imports of a file are all found, whatever their form', () => {
  const text = `
    import a from './a.js';
    import type { B } from '../b.js';
    export * from 'c';
    export { d } from '../../shared/d.js';
    export const e = (f: import('./f.js').F) => import('node:e');
    const not = "import './one.js'"; // import './either.js'
  `;
  assert.equal(importsOf(text, 'server/rest/x.ts'), [
    'server/rest/a',
    'server/b',
    'c',
    'shared/d',
    'server/rest/f',
    'node:e',
  ]);
});

test('an arrow that points the wrong way is found', () => {
  const text = "import type { Route } from '../rest/route.js';";
  const file = { path: 'server/mqtt/x.ts', text, imports: importsOf(text, 'server/mqtt/x.ts') };
  const broken = ARROWS.filter((arrow) => wrongImports(arrow, [file]).length > 0);
  assert.equal(
    broken.map(({ rule }) => rule),
    ['mqtt/ never imports rest/'],
  );
});

test.run();
