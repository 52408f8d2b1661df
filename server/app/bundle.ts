/** Makes the files of the app and of the console from their sources in this folder. */

import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type BuildOptions, build, type OutputFile, stop } from 'esbuild';
import { type Asset, COPIED, MARKS, PAGES, type PageName, WORKER_PATH } from './assets.js';
import { type Built, element, importsOf, inlined } from './inline.js';
import { inLanguage, LANGUAGES } from './speech.js';

const SOURCES = import.meta.dirname;

const HTML = 'text/html; charset=utf-8';
const JAVASCRIPT = 'text/javascript; charset=utf-8';
const CSS = 'text/css; charset=utf-8';

/** In the HTML of a page these stand for what it loads, or for what stands in it instead: in its head, and at its end. */
const HEAD_MARK = '{{head}}';
const END_MARK = '{{end}}';

const OPTIONS = {
  bundle: true,
  minify: true,
  write: false,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  logLevel: 'silent',
} satisfies BuildOptions;

let underWay = 0;

/** Makes all files of a page. */
export async function assetsOf(name: PageName): Promise<Asset[]> {
  underWay += 1;
  try {
    return name === 'app' ? await makeApp() : await makePage(name);
  } finally {
    underWay -= 1;
    // esbuild's process would stay, and take more memory than all the files.
    if (underWay === 0) await stop();
  }
}

async function makeApp(): Promise<Asset[]> {
  const copies = COPIED.map(async ([path, type, file]): Promise<Asset> => {
    return { path, type, kind: 'fixed', body: await readFile(join(SOURCES, file)) };
  });
  const [page, ...parts] = await makePage('app');
  const pages = LANGUAGES.map(
    (language): Asset => ({ ...page, language, body: inLanguage(page.body, language) }),
  );
  const files = [...pages, ...parts, ...(await Promise.all(copies))];
  return [...files, await makeWorker(files)];
}

/** The worker keeps copies of the other files. Their digest changes the worker when one of them changes. */
async function makeWorker(files: readonly Asset[]): Promise<Asset> {
  const { outputFiles } = await build({
    ...OPTIONS,
    entryPoints: [join(SOURCES, 'worker/service-worker.ts')],
    define: {
      FILES: JSON.stringify([...new Set(files.map(({ path }) => path))]),
      HASHED: JSON.stringify(PAGES.app.folder),
      DIGEST: JSON.stringify(MARKS.digest),
    },
  });
  const [output] = outputFiles;
  if (output === undefined) throw new Error('esbuild made no worker');
  return { path: WORKER_PATH, type: JAVASCRIPT, kind: 'written', body: Buffer.from(output.contents) };
}

/** The HTML comes first. */
async function makePage(name: PageName): Promise<[Asset, ...Asset[]]> {
  const { path, html, script, style, early, folder } = PAGES[name];
  const [text, built] = await Promise.all([
    readFile(join(SOURCES, html), 'utf8'),
    build({
      ...OPTIONS,
      entryPoints: [script, style].map((file) => ({ in: join(SOURCES, file), out: name })),
      // Here the outputs would lie, if they were written.
      outdir: SOURCES,
      absWorkingDir: SOURCES,
      splitting: true,
      entryNames: '[name]-[hash]',
      chunkNames: '[name]-[hash]',
      metafile: true,
    }),
  ]);
  const scriptFile = fileOf(built, script);
  const styleFile = fileOf(built, style);
  const page = (head: string, end: string): Asset => {
    const body = text.replace(HEAD_MARK, () => head).replace(END_MARK, () => end);
    return { path, type: HTML, kind: 'written', body: Buffer.from(body) };
  };
  const hashed = ({ path: file, contents }: OutputFile): Asset => {
    const type = file.endsWith('.css') ? CSS : JAVASCRIPT;
    return { path: folder + basename(file), type, kind: 'hashed', body: Buffer.from(contents) };
  };
  if (early === undefined) {
    const tags = tagsOf(folder, styleFile.name, importsOf(built, scriptFile.name).atOnce);
    return [page(tags, ''), ...built.outputFiles.map(hashed)];
  }
  const { script: first, later } = await inlined(built, scriptFile.name, folder, OPTIONS);
  const head = element('script', '', await makeEarly(early)) + element('style', '', styleFile.text.trim());
  return [page(head, element('script', ' type="module"', first)), ...later.map(hashed)];
}

/** A script that runs before the others, whatever those are waiting for. It shares no part with them. */
async function makeEarly(file: string): Promise<string> {
  const { outputFiles } = await build({ ...OPTIONS, format: 'iife', entryPoints: [join(SOURCES, file)] });
  const [output] = outputFiles;
  if (output === undefined) throw new Error(`esbuild made nothing of ${file}`);
  return output.text.trim();
}

/** What was made of a source. */
function fileOf(
  { metafile: { outputs }, outputFiles }: Built,
  source: string,
): { name: string; text: string } {
  const name = Object.keys(outputs).find((file) => outputs[file]?.entryPoint === source);
  const file = outputFiles.find(({ path }) => basename(path) === name);
  if (name === undefined || file === undefined) throw new Error(`esbuild made nothing of ${source}`);
  return { name, text: file.text };
}

/** What the page loads at once: its style, its script, and all that the script imports, so that no part is waited for twice. */
const tagsOf = (folder: string, style: string, [script, ...parts]: readonly string[]): string =>
  [
    `<link rel="stylesheet" href="${folder}${style}" />`,
    `<script type="module" src="${folder}${script}"></script>`,
    ...parts.map((file) => `<link rel="modulepreload" href="${folder}${file}" />`),
  ].join('\n    ');
