/** Makes the files of the app and of the console from their sources in this folder. */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BuildOptions, build, stop } from 'esbuild';
import { COPIED } from './paths.js';

export interface Asset {
  /** The path of its address, such as `/app.js`. */
  readonly path: string;
  readonly type: string;
  readonly body: Buffer;
}

const SOURCES = import.meta.dirname;

const HTML = 'text/html; charset=utf-8';
const JAVASCRIPT = 'text/javascript; charset=utf-8';
const CSS = 'text/css; charset=utf-8';

/** @param region the region in the REST paths; it is written into the page */
export const bundleApp = (region: string): Promise<Asset[]> => bundling(() => makeApp(region));

/** See {@link bundleApp}. */
export const bundleConsole = (region: string): Promise<Asset[]> => bundling(() => makeConsole(region));

let underWay = 0;

/** Ends esbuild's process after the last bundle. It would stay, and take more memory than all the files. */
async function bundling(make: () => Promise<Asset[]>): Promise<Asset[]> {
  underWay += 1;
  try {
    return await make();
  } finally {
    underWay -= 1;
    if (underWay === 0) await stop();
  }
}

async function makeApp(region: string): Promise<Asset[]> {
  const files = await Promise.all([
    page('/', 'page/index.html', region),
    bundled('/app.js', JAVASCRIPT, 'page/main.tsx'),
    bundled('/app.css', CSS, 'page/style/main.css'),
    ...COPIED.map(([path, type, file]) => copied(path, type, file)),
  ]);
  // The worker keeps copies of the other files. A digest of them changes the worker when one of them changes.
  const worker = await bundled('/service-worker.js', JAVASCRIPT, 'worker/service-worker.ts', {
    define: { FILES: JSON.stringify(files.map(({ path }) => path)), DIGEST: JSON.stringify(digestOf(files)) },
  });
  return [...files, worker];
}

const makeConsole = (region: string): Promise<Asset[]> =>
  Promise.all([
    page('/console', 'console/index.html', region),
    bundled('/console.js', JAVASCRIPT, 'console/main.tsx'),
    bundled('/console.css', CSS, 'console/style.css'),
  ]);

async function copied(path: string, type: string, file: string): Promise<Asset> {
  return { path, type, body: await readFile(join(SOURCES, file)) };
}

async function page(path: string, file: string, region: string): Promise<Asset> {
  const html = await readFile(join(SOURCES, file), 'utf8');
  return { path, type: HTML, body: Buffer.from(html.replaceAll('{{region}}', escaped(region))) };
}

async function bundled(
  path: string,
  type: string,
  file: string,
  options: Pick<BuildOptions, 'define'> = {},
): Promise<Asset> {
  const { outputFiles } = await build({
    entryPoints: [join(SOURCES, file)],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    logLevel: 'silent',
    ...options,
  });
  const [output] = outputFiles;
  if (output === undefined) throw new Error(`esbuild made nothing of ${file}`);
  return { path, type, body: Buffer.from(output.contents) };
}

function digestOf(files: readonly Asset[]): string {
  const hash = createHash('sha256');
  for (const { body } of files) hash.update(body);
  return hash.digest('hex').slice(0, 16);
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '"': '&quot;' };

const escaped = (text: string): string => text.replace(/[&<"]/g, (letter) => ENTITIES[letter] ?? letter);
