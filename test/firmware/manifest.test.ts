import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { importsOf, readSources } from '../structure/sources.js';
import { modulesOf, readManifest, resolve, SDK } from './manifests.js';
import { SDK_MANIFESTS, SDK_WITHOUT_NETWORK } from './sdk-manifests.js';

const PROGRAM = 'manifests/manifest.json';
const BOARDS = ['manifests/esp32.json', 'manifests/simulator.json'];
const BOARD = 'firmware/boards/board';
/** Modules of the SDK, by their names. */
const PLATFORM = /^(timer|time|file|resetReason|mc\/config|embedded:.+|crypt|curve|ecdsa|ecp|pkcs8|x509)$/;
/** What stands in the place of a module of the SDK, by its name there. It imports the firmware's types only. */
const REPLACED = 'ssl/cert';

const program = readManifest(PROGRAM);
const preloaded = (path: string): string[] => resolve(path, '').preload.sort();
const sourceOf = (file: string): string => readFileSync(file, 'utf8');

test('every manifest is one of those that are tested here', () => {
  const found = readdirSync('manifests').filter((name) => name.endsWith('.json'));
  assert.equal(found.map((name) => join('manifests', name)).sort(), [...BOARDS, PROGRAM].sort());
});

for (const path of BOARDS) {
  test(`${path} includes what there is, and chooses the board`, () => {
    assert.ok(resolve(path, '').manifests.has(PROGRAM));
    assert.is(modulesOf(path).get(BOARD), `firmware/boards/${path.replace(/^.*\/|\.json$/g, '')}.ts`);
  });

  test(`${path} names its modules as the disk does, by which relative imports are found`, () => {
    const astray = [...modulesOf(path)].filter(
      ([name, file]) => name !== BOARD && name !== REPLACED && `${name}.ts` !== file,
    );
    assert.equal(astray, []);
    assert.is(program.creation?.main, 'firmware/main');
  });

  test(`${path} has every module that one of its modules imports`, () => {
    const modules = modulesOf(path);
    const missing = [...modules.values()].flatMap((file) =>
      importsOf(sourceOf(file), file)
        .filter((name) => !modules.has(name) && !PLATFORM.test(name))
        .map((name) => `${file} imports ${name}`),
    );
    assert.equal(missing, []);
  });

  test(`${path} preloads every module but those that touch the board as they load`, () => {
    const modules = [...modulesOf(path).keys()].filter((name) => name !== 'firmware/main' && name !== BOARD);
    assert.equal(preloaded(path), modules.sort());
  });

  test(`${path} has an output of its own`, () => {
    const names = BOARDS.map((each) => readManifest(each).build?.NAME);
    assert.ok(names.every((name) => name !== undefined));
    assert.is(new Set(names).size, BOARDS.length);
  });
}

/** The board that runs on Node. What the firmware needs of shared/ is checked by its imports. */
const ELSEWHERE = ['firmware/boards/desktop.ts'];
const isOfBoards = (path: string): boolean =>
  path.startsWith('firmware/') && !path.startsWith('firmware/desktop/') && !path.endsWith('.d.ts');

test('every module of the firmware is in a manifest', () => {
  const listed = new Set(BOARDS.flatMap((path) => [...modulesOf(path).values()]));
  const forgotten = readSources()
    .map(({ path }) => path)
    .filter((path) => isOfBoards(path) && !listed.has(path));
  assert.equal(forgotten.sort(), ELSEWHERE);
});

test('a path that leads nowhere is found', () => {
  const directory = mkdtempSync(join(tmpdir(), 'manifest-'));
  const path = join(directory, 'manifest.json');
  writeFileSync(path, JSON.stringify({ modules: { 'firmware/main': './nowhere' } }));
  assert.throws(() => modulesOf(path), /leads to no module/);
  rmSync(directory, { recursive: true });
});

test('the SDK compiles as strictly as the project checks', () => {
  const optionsIn = (file: string): Record<string, unknown> =>
    (JSON.parse(sourceOf(file)) as { compilerOptions: Record<string, unknown> }).compilerOptions;
  // As the firmware is measured: fields that are only declared take no bytecode.
  const compilerOptions = { ...optionsIn('tsconfig.json'), ...optionsIn('firmware/tsconfig.json') };
  const { types, ...strictness } = program.typescript?.tsconfig.compilerOptions ?? {};
  for (const [option, value] of Object.entries(strictness)) assert.is(compilerOptions[option], value, option);
  assert.ok(strictness.strict);
  assert.is(strictness.useDefineForClassFields, false);
  assert.equal(types, [
    '$(MODDABLE)/typings/embedded_io/socket/tls',
    '$(MODDABLE)/typings/embedded_io/socket/udp',
  ]);
});

const TARGETS = ['nodemcu', 'esp32c3', 'esp32s3', 'lolin_c3mini', 'unlisted'].map((name) => `esp32/${name}`);
const onTarget = (target: string, sdk = SDK_MANIFESTS) => resolve('manifests/esp32.json', target, sdk);

for (const target of TARGETS) {
  test(`${target} runs the panel as soon as it starts, and waits for no network`, () => {
    const { modules, preload, creation } = onTarget(target);
    assert.is(creation.main, 'firmware/main');
    const held = preload.filter((name) => name.startsWith('setup/') && name !== 'setup/target');
    assert.equal(held, []);
    assert.is(modules.get('firmware/boards/board'), 'firmware/boards/esp32.ts');
  });

  test(`${target} has its LED and its loudspeaker to itself`, () => {
    const { config } = onTarget(target);
    assert.is((config.led as { rainbow: boolean }).rainbow, false);
    assert.is(config.startupSound, false);
  });

  test(`${target} has every module of the SDK that the panel imports, even if the SDK brings no network`, () => {
    for (const sdk of [SDK_MANIFESTS, SDK_WITHOUT_NETWORK]) {
      const { modules } = onTarget(target, sdk);
      const missing = [...modules.values()]
        .filter((file) => !file.startsWith(SDK) && file !== 'firmware/boards/simulator.ts')
        .flatMap((file) => importsOf(sourceOf(file), file))
        .filter((name) => PLATFORM.test(name) && name !== 'mc/config' && !modules.has(name));
      assert.equal(missing, []);
    }
  });
}

for (const target of [...TARGETS, 'sim/nodemcu']) {
  test(`${target} has certificates judged by the panel, and not by the SDK`, () => {
    const board = target.startsWith('sim/') ? 'simulator' : 'esp32';
    const { modules, preload } = resolve(`manifests/${board}.json`, target, SDK_MANIFESTS);
    assert.is(modules.get(REPLACED), 'firmware/boards/tls/cert.ts');
    assert.ok(preload.includes(REPLACED));
    assert.ok(modules.get('ssl/handshake')?.startsWith(SDK));
  });
}

test('a module that the SDK preloads is left out only where the manifest says so', () => {
  const program = resolve('manifests/manifest.json', 'esp32/nodemcu', SDK_MANIFESTS);
  assert.ok(program.preload.includes('setup/network'));
});

test('a watchdog watches over the program on an ESP32', () => {
  const { build } = readManifest('manifests/esp32.json');
  const options = sourceOf(join('manifests', build?.SDKCONFIGPATH ?? '', 'sdkconfig.defaults'));
  assert.match(options, /^CONFIG_ESP_TASK_WDT_EN=y$/m);
  assert.match(options, /^CONFIG_ESP_TASK_WDT_PANIC=y$/m);
});

/** GPIOs that no target here needs for its boot, its flash, its console or its USB, and that can be pulled up. */
const FREE_PINS: Record<string, number[]> = {
  'esp32/nodemcu': [4, 13, 16, 17, 18, 19, 21, 22, 23, 25, 26, 27, 32, 33],
  'esp32/esp32c3': [0, 1, 3, 4, 5, 6, 7, 10],
  'esp32/esp32s3': [1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 21, 38, 39, 40, 41, 42, 47],
  'esp32/lolin_c3mini': [0, 1, 3, 4, 5, 6, 10],
};

test('the pins of every target are free, and no two of them the same', () => {
  const { platforms = {} } = readManifest('manifests/esp32.json');
  const targets = Object.entries(platforms).filter(([name]) => name.includes('/'));
  assert.equal(targets.map(([name]) => name).sort(), Object.keys(FREE_PINS).sort());
  for (const [name, { config = {} }] of targets) {
    const { doorPin, sirenPin, ledPin } = config as Record<string, number>;
    const pins = [doorPin, sirenPin, name === 'esp32/nodemcu' ? 25 : ledPin];
    for (const pin of pins) assert.ok(FREE_PINS[name]?.includes(pin ?? -1), `${name}: ${pin}`);
    assert.is(new Set([doorPin, sirenPin, ledPin]).size, 3);
  }
  // Its own LED, which only shines during the boot.
  assert.is(platforms['esp32/nodemcu']?.config?.ledPin, 2);
});

test.run();
