import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import type { Bundle } from './trace.js';

const DESKTOP = import.meta.dirname;
const FIRMWARE = join(DESKTOP, '..');
const ROOT = join(FIRMWARE, '..');
const MODULES = join(DESKTOP, 'modules');
const MANIFEST = join(ROOT, 'manifests/manifest.json');

const BOARD = join(FIRMWARE, 'boards/desktop.ts');
/** What a manifest gives its board by this name. */
const BOARD_SPECIFIER = /\/boards\/board\.js$/;
/** Of the parts of boards, those that this one has. */
const BOARD_PARTS = ['platform', 'station', 'ticks'].map((part) => `firmware/boards/sdk/${part}`);

/** The SDK's bare specifiers and what stands for them here. */
const PLATFORM = {
  timer: join(MODULES, 'timer.ts'),
  time: join(MODULES, 'time.ts'),
  sntp: join(MODULES, 'sntp.ts'),
  'mc/config': join(MODULES, 'config.ts'),
  'embedded:io/analog': join(MODULES, 'analog.ts'),
  'embedded:io/digital': join(MODULES, 'digital.ts'),
  'embedded:storage/key-value': join(MODULES, 'key-value.ts'),
  'embedded:network/interface/wifi': join(MODULES, 'wifi.ts'),
  'embedded:network/mqtt/client': join(MODULES, 'mqtt-client.ts'),
};

let firmware: Promise<Bundle> | undefined;

/** The firmware as it ships, bundled once for a process however many panels it runs. */
export const bundleFirmware = (): Promise<Bundle> => {
  firmware ??= bundle(join(FIRMWARE, 'main.ts'));
  return firmware;
};

/**
 * Bundles a program, with every module of the firmware and all that is built in frozen before it runs.
 * @param modules more that stands for the SDK's, or something else than here: paths by specifier
 */
export const bundle = (main: string, modules: Record<string, string> = {}): Promise<Bundle> =>
  bundleEntry([FROZEN, main], [BOARD], modules);

/** Bundles what a board has in its ROM, and no program: the modules that are frozen, but for the board itself. */
export const bundleModules = (): Promise<Bundle> => bundleEntry([FROZEN], [], {});

async function bundleEntry(
  imports: string[],
  alsoFrozen: string[],
  modules: Record<string, string>,
): Promise<Bundle> {
  const { outputFiles } = await build({
    stdin: { contents: entry(imports), resolveDir: ROOT, sourcefile: 'entry.ts' },
    bundle: true,
    write: false,
    outdir: ROOT,
    format: 'iife',
    // As modules are. XS tells of an exception without its stack when it ends the whole script.
    banner: { js: '"use strict"; try {' },
    footer: { js: '} catch (error) { throw error?.stack ?? error; }' },
    target: 'es2022',
    charset: 'utf8',
    sourcemap: 'external',
    alias: { ...PLATFORM, ...modules },
    plugins: [board, freezing(alsoFrozen)],
    absWorkingDir: ROOT,
    logLevel: 'silent',
  });
  const [map, script] = outputFiles;
  if (map === undefined || script === undefined) throw new Error('esbuild gave no bundle');
  return { source: script.text, map: map.text };
}

/** Imports are carried out in their order: what XS lacks here, the modules and their freezing, the program. */
const entry = (imports: string[]): string =>
  [join(MODULES, 'host.ts'), ...imports].map((path) => `import ${JSON.stringify(path)};`).join('\n');

const FROZEN = 'frozen-modules';

const board: Plugin = {
  name: 'board',
  setup(builder) {
    builder.onResolve({ filter: BOARD_SPECIFIER }, () => ({ path: BOARD }));
  },
};

/** A module of the panel: what it does not export lies in ROM as well. */
const OWN_MODULE = /\/(firmware|shared)\/[^/]+\.ts$/;
const INNER_VALUES = 'innerValues';

/** The same module with one more export, which lists the values that it has for itself. */
function withInnerValues(source: string): string {
  const names = [...source.matchAll(/^const (\w+)/gm)].map(([, name]) => name);
  return `${source}\nexport const ${INNER_VALUES} = () => [${names.join()}];`;
}

/** A module that imports those which the SDK would preload on a board, freezes them as it does, and keeps them. */
const freezing = (also: string[]): Plugin => ({
  name: 'freezing',
  setup(builder) {
    builder.onResolve({ filter: new RegExp(`^${FROZEN}$`) }, () => ({ path: FROZEN, namespace: FROZEN }));
    builder.onLoad({ filter: /.*/, namespace: FROZEN }, () => ({
      contents: frozenModules(also),
      resolveDir: ROOT,
    }));
    builder.onLoad({ filter: OWN_MODULE }, ({ path }) => ({
      contents: withInnerValues(readFileSync(path, 'utf8')),
      loader: 'ts',
    }));
  },
});

function frozenModules(also: string[]): string {
  const { preload } = JSON.parse(readFileSync(MANIFEST, 'utf8')) as { preload: string[] };
  const ofPanel = preload.filter((name) => /^(shared|firmware)\/(?!boards\/)/.test(name)).concat(BOARD_PARTS);
  const modules = ofPanel.map((name) => join(ROOT, `${name}.ts`)).concat(Object.values(PLATFORM), also);
  return [
    `import { deepFreeze, intrinsics, refuseFrozenJson } from ${JSON.stringify(join(MODULES, 'freeze.ts'))};`,
    ...modules.map((path, index) => `import * as module${index} from ${JSON.stringify(path)};`),
    `const modules = [${modules.map((_, index) => `{ ...module${index} }`).join()}];`,
    'refuseFrozenJson();',
    `const inner = modules.map((module) => module.${INNER_VALUES}?.());`,
    'deepFreeze([modules, inner, ...intrinsics()]);',
    "Object.defineProperty(globalThis, 'preloaded', { value: modules });",
  ].join('\n');
}
