/**
 * The rules by which the tests resolve manifests, and the same manifests through the SDK's own `mcconfig` where the SDK
 * is (`MODDABLE`). That needs no compiler.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve as resolvePath } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findSdk, type Sdk, SdkMissing } from '../../firmware/desktop/board/sdk.js';
import { type Manifest, modulesOf, resolve } from './manifests.js';
import { SDK_MANIFESTS } from './sdk-manifests.js';

const test = suite<{ folder: string }>('manifests');

test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'manifests-'));
});
test.after.each(({ folder }) => rmSync(folder, { recursive: true }));

function resolved(folder: string, manifest: Manifest, sdk: Record<string, Manifest> = {}) {
  const path = join(folder, 'manifest.json');
  writeFileSync(path, JSON.stringify(manifest));
  return resolve(path, 'esp32/nodemcu', sdk);
}

const numbered = (number: number): Manifest => ({ config: { number } });

test('of several platforms that match, the first one that names the target applies alone', ({ folder }) => {
  const of = (platforms: Manifest['platforms'] & object) => resolved(folder, { platforms }).config.number;
  const [esp32, target, any, others] = [numbered(1), numbered(2), numbered(3), numbered(4)];
  assert.is(of({ esp32, 'esp32/nodemcu': target, 'esp32/*': any, '...': others }), 2);
  assert.is(of({ esp32, 'esp32/*': any, 'esp32/nodemcu': target }), 3);
  assert.is(of({ '*/nodemcu': any, 'esp32/nodemcu': target }), 3);
  assert.is(of({ '...': others, esp32 }), 1);
  assert.is(of({ '...': others, 'esp32/esp32c3': target }), 4);
});

test('an included manifest counts once and before the one that includes it', ({ folder }) => {
  const include = ['$(MODDABLE)/a.json', '$(MODDABLE)/b.json'];
  const sdk = {
    'a.json': { include: './b.json', config: { own: 'a', led: { pin: 8 } }, preload: 'a' },
    'b.json': { config: { own: 'b', led: { rainbow: true } }, modules: { a: './a' } },
  };
  const { config, preload } = resolved(folder, { include, config: { led: { rainbow: false } } }, sdk);
  assert.equal(config, { own: 'a', led: { rainbow: false, pin: 8 } });
  assert.equal(preload, ['a']);
});

test('a module that is left out is not preloaded either, whichever manifest names it', ({ folder }) => {
  const sdk = { 'a.json': { modules: { 'setup/a': './x/a', b: './b' }, preload: ['setup/a', 'b'] } };
  const include = '$(MODDABLE)/a.json';
  assert.equal(resolved(folder, { include, modules: { '~': '$(MODDABLE)/x/a' } }, sdk).preload, ['b']);
});

test('a manifest of the SDK that has no record is named', ({ folder }) => {
  assert.throws(() => resolved(folder, { include: '$(MODDABLE)/a.json' }), /no record of \/sdk\/a\.json/);
});

function sdkHere(): Sdk | undefined {
  try {
    return findSdk(process.env, 'sim/nodemcu');
  } catch (error) {
    if (error instanceof SdkMissing) return undefined;
    throw error;
  }
}

interface Flat {
  config: Record<string, unknown>;
  creation: Record<string, unknown>;
}

/** What `mcconfig` makes of the manifest: it writes a flat manifest, and a makefile with the preloads. */
function resolvedBy({ mcconfig }: Sdk, target: string, folder: string): Flat & { preload: string[] } {
  execFileSync(mcconfig, ['-p', target, '-o', folder, MANIFEST], { stdio: 'pipe' });
  const output = join(folder, 'tmp', target, 'release/alarm-panel');
  const flat = JSON.parse(readFileSync(join(output, 'manifest_flat.json'), 'utf8')) as Flat;
  return { ...flat, preload: preloadsOf(readFileSync(join(output, 'makefile'), 'utf8')) };
}

/** There a name with a scheme, such as `embedded:io/digital`, is a path: `~.embedded/io/digital.xsb`. */
const preloadsOf = (makefile: string): string[] =>
  [...makefile.matchAll(/^\t-p (?:~\.(\w+)\/)?(\S+?)\.xsb\\?$/gm)].map(([, scheme, name]) =>
    scheme === undefined ? String(name) : `${scheme}:${name}`,
  );

const MANIFEST = 'manifests/esp32.json';
/** The documented ones, which the record knows as well, and one that no manifest of ours names. */
const RECORDED = ['esp32/nodemcu', 'esp32/esp32c3', 'esp32/esp32s3', 'esp32/lolin_c3mini'];
const UNLISTED = 'esp32/wt32_eth01';

const sdk = sdkHere();
if (sdk === undefined) console.log('not run: mcconfig itself, for there is no Moddable SDK (MODDABLE)');
else {
  for (const target of [...RECORDED, UNLISTED]) {
    test(`mcconfig links nothing into ${target} that holds the panel back or plays with its LED`, ({
      folder,
    }) => {
      const { preload, config, creation } = resolvedBy(sdk, target, folder);
      assert.ok(preload.includes('firmware/start'));
      assert.ok(preload.includes('embedded:network/interface/wifi'));
      assert.equal(
        preload.filter((name) => /^setup\/(?!target$)/.test(name)),
        [],
      );
      assert.is((config.led as { rainbow: boolean }).rainbow, false);
      assert.is(creation.main, 'firmware/main');
    });
  }

  test("TypeScript takes the panel with the SDK's own types", ({ folder }) => {
    resolvedBy(sdk, 'esp32/nodemcu', folder);
    const modules = join(folder, 'tmp/esp32/nodemcu/release/alarm-panel/modules');
    const project = join(modules, 'panel.json');
    const files = [...modulesOf(MANIFEST).values()].map((file) => resolvePath(file));
    const compilerOptions = { rootDir: '/', noEmit: true };
    writeFileSync(project, JSON.stringify({ extends: './tsconfig-base.json', compilerOptions, files }));
    const { stdout } = spawnSync('node_modules/.bin/tsc', ['-p', project], { encoding: 'utf8' });
    assert.is(stdout, '');
  });

  for (const target of RECORDED) {
    test(`mcconfig resolves ${target} as these tests do`, ({ folder }) => {
      const real = resolvedBy(sdk, target, folder);
      const ours = resolve(MANIFEST, target, SDK_MANIFESTS);
      const own = (names: string[]) => names.filter((name) => /^(firmware|shared|setup)\//.test(name));
      assert.equal(own(ours.preload), own(real.preload));
      assert.equal(
        ours.preload.filter((name) => !real.preload.includes(name)),
        [],
      );
      for (const [name, value] of Object.entries(ours.config))
        if (name !== 'led') assert.equal(real.config[name], value, name);
    });
  }
}

test.run();
