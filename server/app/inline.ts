/**
 * Puts the script and the style of a page into its HTML, so that on a slow network nothing else is waited for. What the script
 * imports later stays in files of its own, and takes from the page what both need.
 */

import { basename } from 'node:path';
import { type BuildOptions, type BuildResult, build, type OutputFile, type Plugin } from 'esbuild';

export type Built = BuildResult<{ metafile: true; write: false }>;

/** What stands in the page, by the name of the file that it was. */
const INLINED = 'globalThis.inlined';

/** The script of a page and all that it imports at once, each by its file's name; and what it imports later. */
export function importsOf({ metafile }: Built, script: string): { atOnce: string[]; later: string[] } {
  const found = { atOnce: new Set([script]), later: new Set<string>() };
  for (const file of found.atOnce) {
    for (const { path, kind } of metafile.outputs[file]?.imports ?? [])
      found[kind === 'dynamic-import' ? 'later' : 'atOnce'].add(path);
  }
  return { atOnce: [...found.atOnce], later: [...found.later] };
}

interface Inlined {
  readonly script: string;
  readonly later: readonly OutputFile[];
}

/**
 * Makes one script of a page's script and all that it imports at once.
 *
 * @param script the name of its file
 * @param folder of the addresses of what is imported later
 */
export async function inlined(
  built: Built,
  script: string,
  folder: string,
  options: BuildOptions & { write: false },
): Promise<Inlined> {
  const { atOnce, later } = importsOf(built, script);
  const again = (entry: string, contents: string, plugin: Plugin) =>
    build({
      ...options,
      stdin: { contents, resolveDir: '/', sourcefile: entry },
      plugins: [plugin],
      outdir: '/',
      entryNames: `${entry.replace(/-[^-]*$/, '')}-[hash]`,
    }).then(({ outputFiles: [file] }) => {
      if (file === undefined) throw new Error(`esbuild made nothing of ${entry}`);
      return file;
    });
  const files = await Promise.all(
    later.map(async (file) => [file, await again(file, textOf(built, file), takesFromPage(atOnce))] as const),
  );
  const addresses = new Map(files.map(([file, { path }]) => [file, folder + basename(path)]));
  const parts = atOnce.filter((file) => file !== script);
  const first = [
    ...parts.map((file, index) => `import * as part${index} from './${file}';`),
    `import './${script}';`,
    `${INLINED} = {${parts.map((file, index) => `'./${file}': part${index}`)}};`,
  ].join('\n');
  const { text } = await again(script, first, takesFromBuilt(built, addresses));
  return { script: text, later: files.map(([, file]) => file) };
}

function textOf({ outputFiles }: Built, file: string): string {
  const found = outputFiles.find(({ path }) => basename(path) === file);
  if (found === undefined) throw new Error(`esbuild made no ${file}`);
  return found.text;
}

/** For a part that comes later: what stands in the page is taken from there. */
const takesFromPage = (atOnce: readonly string[]): Plugin => ({
  name: 'takes from the page',
  setup(builder) {
    builder.onResolve({ filter: /^\.\// }, ({ path }) => {
      if (!atOnce.includes(basename(path))) throw new Error(`${path} does not stand in the page`);
      return { path, namespace: 'page' };
    });
    builder.onLoad({ filter: /./, namespace: 'page' }, ({ path }) => ({
      contents: `module.exports = ${INLINED}[${JSON.stringify(path)}]`,
    }));
  },
});

/** For the page: the files that were built are put together, and those that come later have addresses. */
const takesFromBuilt = (built: Built, addresses: ReadonlyMap<string, string>): Plugin => ({
  name: 'takes from what was built',
  setup(builder) {
    builder.onResolve({ filter: /^\.\// }, ({ path }) => {
      const file = basename(path);
      const address = addresses.get(file);
      return address === undefined ? { path: file, namespace: 'built' } : { path: address, external: true };
    });
    builder.onLoad({ filter: /./, namespace: 'built' }, ({ path }) => ({ contents: textOf(built, path) }));
  },
});

/** An element with this text. @throws Error where the text would end it, or not be taken as it is */
export function element(name: 'script' | 'style', attributes: string, text: string): string {
  if (/<\/(?:script|style)|<!--/i.test(text)) throw new Error(`this text cannot stand in a ${name}`);
  return `<${name}${attributes}>${text}</${name}>`;
}
