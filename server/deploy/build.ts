/**
 * A part of `npm run build`: makes the package, in `dist/` or the folder that is given. What runs in it is plain JavaScript without
 * dependencies, so an installation needs no registry, no compiler and no build.
 */

import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { type Asset, compress, isCompressible, PAGES, type PageName } from '../app/assets.js';
import { assetsOf } from '../app/bundle.js';
import { withCallsOfPackage } from './calls.js';
import { licencesOf } from './licences.js';
import type { Entry } from './packaged/bundle.js';

const ROOT = join(import.meta.dirname, '../..');
const [DIST = join(ROOT, 'dist')] = process.argv.slice(2).map((folder) => resolve(folder));
const BEST_BROTLI = 11;

/** The programs, each a file of the package. */
const PROGRAMS = {
  'alarm-twin': 'server/deploy/alarm-twin.ts',
  server: 'server/main.ts',
  cli: 'server/cli.ts',
  'issuer-thread': 'server/tls/issuer-thread.ts',
  panel: 'firmware/desktop/command-line.ts',
};

/** Modules that need a tool of development, and what stands for each in the package. */
const STAND_INS: Record<string, string> = {
  'server/app/bundle.ts': 'server/deploy/packaged/bundle.ts',
  'server/tls/thread.ts': 'server/deploy/packaged/thread.ts',
  'shared/call.ts': 'server/deploy/packaged/call.ts',
  'firmware/desktop/bundle.ts': 'firmware/desktop/packaged/bundle.ts',
  'firmware/desktop/engine.ts': 'firmware/desktop/packaged/engine.ts',
};

const standIns: Plugin = {
  name: 'stand-ins',
  setup(builder) {
    const byPath = new Map(
      Object.entries(STAND_INS).map(([path, other]) => [join(ROOT, path), join(ROOT, other)]),
    );
    builder.onResolve({ filter: /^\..*\.js$/ }, ({ path, resolveDir }) => {
      const other = byPath.get(join(resolveDir, path.replace(/\.js$/, '.ts')));
      return other === undefined ? undefined : { path: other };
    });
  },
};

/** CommonJS packages ask for Node's modules by `require`. */
const REQUIRE =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

const readJson = (path: string) => JSON.parse(readFileSync(join(ROOT, path), 'utf8'));

/** Resolves with the inputs of the bundle. */
async function buildPrograms(): Promise<string[]> {
  const { metafile, outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: Object.entries(PROGRAMS).map(([out, file]) => ({ in: file, out })),
    outdir: DIST,
    bundle: true,
    write: false,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // Names stay as they are, so that a stack can be read.
    minifySyntax: true,
    minifyWhitespace: true,
    banner: { js: REQUIRE },
    legalComments: 'none',
    plugins: [standIns],
    define: {
      NODE_NEEDED: JSON.stringify(readJson('package.json').engines.node),
      XSNAP_VERSION: JSON.stringify(readJson('node_modules/@agoric/xsnap/package.json').version),
    },
    metafile: true,
    logLevel: 'warning',
  });
  for (const { path, text } of outputFiles) writeFileSync(path, withCallsOfPackage(text));
  return Object.keys(metafile.inputs);
}

async function buildPage(name: PageName): Promise<void> {
  const assets = await assetsOf(name);
  const entries = await Promise.all(assets.map((asset, index) => writeAsset(asset, `${name}-${index}`)));
  writeFileSync(join(DIST, 'app', `${name}.json`), JSON.stringify(entries));
}

/** @param page what its file is called when it is a page, because one address may have several */
async function writeAsset({ body: made, ...asset }: Asset, page: string): Promise<Entry> {
  const body = isCompressible(asset) ? Buffer.from(withCallsOfPackage(made.toString())) : made;
  const file = asset.type.startsWith('text/html') ? `${page}.html` : asset.path;
  const target = join(DIST, 'app', file);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, body);
  // Where the server writes something into a file, it compresses it then.
  const hasCopies = asset.kind !== 'written' && isCompressible(asset);
  if (hasCopies) {
    writeFileSync(`${target}.br`, await compress(body, 'br', BEST_BROTLI));
    writeFileSync(`${target}.gz`, await compress(body, 'gzip', BEST_BROTLI));
  }
  return { ...asset, file, hasCopies };
}

/** The packages whose code is in the app. */
async function inputsOfApp(): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [...Object.values(PAGES).map(({ script }) => script), 'worker/service-worker.ts'].map(
      (file) => join('server/app', file),
    ),
    outdir: DIST,
    bundle: true,
    write: false,
    format: 'esm',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    metafile: true,
  });
  return Object.keys(metafile.inputs);
}

/** What the package says of itself. The project's own says how to work on it. */
function writePackage(): void {
  const { name, version, description, license, type, engines } = readJson('package.json');
  const bin = { [name]: 'alarm-twin.js' };
  const told = { name, version, description, license, type, engines, bin };
  writeFileSync(join(DIST, 'package.json'), `${JSON.stringify(told, null, 2)}\n`);
  copyFileSync(join(ROOT, 'LICENSE'), join(DIST, 'LICENSE'));
  for (const file of ['README.md', 'alarm-twin.service', 'back-off.conf'])
    copyFileSync(join(import.meta.dirname, file), join(DIST, file));
}

rmSync(DIST, { recursive: true, force: true });
mkdirSync(join(DIST, 'app'), { recursive: true });
writePackage();
const inputs = await buildPrograms();
for (const name of Object.keys(PAGES) as PageName[]) await buildPage(name);
writeFileSync(join(DIST, 'THIRD-PARTY-LICENSES'), licencesOf(ROOT, [...inputs, ...(await inputsOfApp())]));
