import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

interface Manifest {
  creation: { main: string };
  modules: Record<string, string | string[]>;
  preload: string[];
  typescript: { tsconfig: { compilerOptions: Record<string, boolean> } };
  platforms: Record<string, { modules: Record<string, string> }>;
}

const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
const manifest = readJson('manifests/manifest.json') as Manifest;

const modulesIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map((name) => `${folder}/${name.replace('.ts', '')}`)
    .sort();

test('names of modules mirror the disk, by which relative imports are found', () => {
  assert.is(manifest.modules['shared/*'], '../shared/*');
  assert.is(manifest.modules['firmware/*'], '../firmware/*');
  assert.is(manifest.creation.main, 'firmware/main');
});

test('every module is preloaded but the program itself, which must run on the board', () => {
  const modules = [...modulesIn('shared'), ...modulesIn('firmware')];
  const leftOut = (manifest.modules['~'] as string[]).map((path) => path.replace('../', ''));
  assert.equal(
    manifest.preload,
    modules.filter((name) => name !== manifest.creation.main && !leftOut.includes(name)),
  );
});

test('what is left out, no module of the panel imports', () => {
  const imported = modulesIn('firmware').filter((name) =>
    /from '\.\.\/shared\/document\.js'/.test(readFileSync(`${name}.ts`, 'utf8')),
  );
  assert.equal(imported, []);
});

test('the SDK compiles as strictly as the project checks', () => {
  const { compilerOptions } = readJson('tsconfig.json') as { compilerOptions: Record<string, unknown> };
  for (const [option, value] of Object.entries(manifest.typescript.tsconfig.compilerOptions)) {
    assert.is(compilerOptions[option], value, option);
  }
  assert.ok(manifest.typescript.tsconfig.compilerOptions.strict);
});

test('the preload that holds the program back until there is Wi-Fi is left out', () => {
  for (const platform of ['esp', 'esp32']) {
    assert.is(manifest.platforms[platform]?.modules['~'], `$(BUILD)/devices/${platform}/setup/network`);
  }
});

test.run();
