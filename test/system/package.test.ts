/** The package as a person installs it: without a registry, a compiler, tsx or esbuild. */

import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { extract } from 'tar';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { workerPath } from '../../firmware/desktop/engine.js';
import { bytesBelow } from '../package.js';
import { needsIn, needsNamespaces, pathOf } from '../programs.js';
import { ALARM_TWIN, type Installed, installPackage } from './installed.js';
import type { Program } from './process.js';

const MIB = 1024 * 1024;
const LARGEST_PACKAGE = 15 * MIB;
const URL = 'http://127.0.0.1:8080';

interface Context {
  installed: Installed;
  server: Program;
  token: string;
  /** The settings of the command line. */
  access: Record<string, string>;
}

const tests = suite<Context>('package');
const withPrograms = needsIn(tests, 'ip', 'nsenter', 'curl', 'ps');
const test = withPrograms === tests ? needsNamespaces(tests) : withPrograms;
const canRun = test === tests;

tests.before(async (context) => {
  if (!canRun) return;
  context.installed = await installPackage();
  context.server = context.installed.start(['server']);
  context.token = await context.server.line((line) => /^Owner token, .*: (.+)$/.exec(line)?.[1]);
  await context.server.line((line) => (isListening(line) ? line : undefined));
  context.access = { TWIN_TOKEN: context.token, TWIN_URL: URL };
});

tests.after(async ({ installed, server }) => {
  if (!canRun) return;
  await server.stop();
  await installed.close();
});

const isListening = (line: string): boolean => line.includes('"msg":"listening"');

/** Runs a command of the package that must succeed. */
async function twin({ installed, access }: Context, ...args: string[]): Promise<string> {
  const { code, output } = await installed.run([ALARM_TWIN, ...args], access);
  assert.is(code, 0, output);
  return output;
}

const get = async ({ installed }: Context, path: string, ...options: string[]): Promise<string> =>
  (await installed.run([pathOf('curl') ?? 'curl', '-sS', ...options, URL + path])).output;

test(`it takes at most ${LARGEST_PACKAGE / MIB} MiB, and needs no other package`, ({ installed }) => {
  const packages = readdirSync(join(installed.folder, 'node_modules')).filter(
    (name) => !name.startsWith('.'),
  );
  assert.equal(packages, ['alarm-twin']);
  assert.ok(bytesBelow(installed.root) <= LARGEST_PACKAGE, `${bytesBelow(installed.root)} bytes`);
});

test('the project itself is not packed by mistake', () => {
  const { status, stderr } = spawnSync('npm', ['pack', '--dry-run'], { encoding: 'utf8' });
  assert.is.not(status, 0);
  assert.match(stderr, 'npm run build && npm pack ./dist');
});

test('it holds the licences of all whose code is in it', ({ installed }) => {
  const text = readFileSync(join(installed.root, 'THIRD-PARTY-LICENSES'), 'utf8');
  for (const name of ['polka', 'mqtt-packet', 'lowdb', 'pino', 'ws', 'preact', 'mqtt', '@peculiar/x509'])
    assert.match(text, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+: [\\w.-]+$`, 'm'));
});

test('it says what it can do, as it is called', async (context) => {
  const help = await twin(context, '--help');
  assert.match(help, /alarm-twin server .*\n.*alarm-twin panel .*\n.*alarm-twin COMMAND/);
  for (const program of [[], ['server'], ['panel']])
    assert.match(await twin(context, ...program, '--version'), /^\d+\.\d+\.\d+$/);
  assert.match(await twin(context, 'server', '--help'), 'alarm-twin server');
  assert.match(await twin(context, 'panel', '--help'), 'alarm-twin panel --server');
  assert.not.match(help, 'npm run');
});

test('it refuses what it does not know, and says where the help is', async ({ installed, access }) => {
  const { code, output } = await installed.run([ALARM_TWIN, 'constructor'], access);
  assert.is(code, 2);
  assert.match(output, /^alarm-twin: .*alarm-twin --help/);
});

test('a phone is paired, and gets an app that was built before', async (context) => {
  assert.match(await twin(context, 'pair'), /#token=[0-9a-f-]{36}/);
  const page = await get(context, '/');
  assert.match(page, 'alarm-twin pair');
  assert.not.match(page, 'npm run');
  assert.match(page, '/service-worker.js');
  const [, script = ''] = /import\("([^"]*\/later-[^"]*)"\)/.exec(page) ?? [];
  const headers = await get(context, script, '-o', '/dev/null', '-D', '-', '-H', 'Accept-Encoding: br');
  assert.match(headers, /Content-Encoding: br/);
  assert.match(headers, /immutable/);
  assert.match(await get(context, '/console'), '<title>');
});

test('the server is one process of plain Node', async (context) => {
  await get(context, '/console');
  const { pid } = context.server;
  const children = execFileSync('ps', ['-e', '-o', 'ppid=,args=']).toString();
  assert.equal(
    children.split('\n').filter((line) => line.trim().startsWith(`${pid} `)),
    [],
  );
  const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean);
  assert.equal(command.slice(1), [ALARM_TWIN, 'server']);
});

test('a device is made, and its panel runs, is armed and says so', async (context) => {
  const { installed } = context;
  const made = await twin(context, 'device', 'create', 'front-door', '--allow-insecure', '--json');
  const { device, password } = JSON.parse(made) as { device: { id: string }; password: string };
  const cache = join(installed.folder, 'cache');
  mkdirSync(join(cache, 'alarm-twin'), { recursive: true });
  const { version } = JSON.parse(readFileSync('node_modules/@agoric/xsnap/package.json', 'utf8'));
  copyFileSync(workerPath(), join(cache, 'alarm-twin', `xsnap-worker-${version}-${process.arch}`));
  const panel = installed.start(
    ['panel', '--server', 'mqtt://127.0.0.1:1883', '--device', device.id, '--flash', 'flash.json', '--json'],
    { XDG_CACHE_HOME: cache, PANEL_PASSWORD: password },
  );
  await panel.line((line) => (line.includes('"online":true') ? line : undefined));
  await twin(context, 'arm', 'front-door');
  await panel.line((line) => (line.includes('"armed":true') ? line : undefined));
  assert.match(await twin(context, 'status', 'front-door'), 'armed');
  assert.is((await panel.stop()).code, 0);
});

test('a backup brings back what was deleted, while the server runs', async (context) => {
  const { server } = context;
  await twin(context, 'device', 'create', 'garage');
  await twin(context, 'backup', 'house.backup');
  await twin(context, 'device', 'delete', 'garage', '--yes');
  const before = server.lines.filter(isListening).length;
  await twin(context, 'restore', 'house.backup');
  let seen = 0;
  await server.line((line) => (isListening(line) && ++seen > before ? line : undefined));
  assert.match(await twin(context, 'device', 'list'), 'garage');
});

test('data of an earlier version are migrated when the package starts', async (context) => {
  const { installed } = context;
  const data = join(installed.folder, 'earlier');
  mkdirSync(data, { mode: 0o700 });
  await extract({ file: 'test/system/formats/format-0.tar.gz', cwd: data });
  const { storedToken, panels } = JSON.parse(readFileSync('test/system/formats/format-0.json', 'utf8')) as {
    storedToken: string;
    panels: { id: string }[];
  };
  const server = installed.start(['server'], {
    TWIN_DATA: data,
    ...{ TWIN_HTTP: '127.0.0.1:8180', TWIN_MQTT: '127.0.0.1:0', TWIN_HTTPS: '', TWIN_MQTTS: '' },
  });
  await server.line((line) => (isListening(line) ? line : undefined));
  const access = { TWIN_TOKEN: storedToken, TWIN_URL: 'http://127.0.0.1:8180' };
  const list = await twin({ ...context, access }, 'device', 'list');
  for (const { id } of panels) assert.match(list, id);
  assert.ok(readdirSync(data).some((name) => name.startsWith('before-format-')));
  assert.is((await server.stop()).code, 0);
});

const PANEL = [
  'panel',
  '--server',
  'mqtt://127.0.0.1:1883',
  '--device',
  'd',
  '--password',
  'p',
  '--flash',
  'f',
];

test('a panel says what it needs where XS cannot be built', async ({ installed }) => {
  const { code, output } = await installed.run([ALARM_TWIN, ...PANEL]);
  assert.is(code, 1);
  assert.match(output, /builds the XS engine, with a C compiler, make, npm and access to the npm registry/);
  assert.match(output, 'missing here: cc, make, npm');
});

test('a panel builds XS once, where that can be done', async ({ installed }) => {
  const engine = `node_modules/@agoric/xsnap/xsnap-native/xsnap/build/bin`;
  const script = (name: string, text: string): void => {
    writeFileSync(join(installed.programs, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(installed.programs, name), 0o755);
  };
  script('cc', '');
  script('make', '');
  const systems = ['lin', 'mac'].map((system) => `${engine}/${system}/release`);
  // It stands for npm, and notes what it has to install.
  script(
    'npm',
    `test "$1" = --version && exit; /bin/cat package.json >> ${installed.folder}/asked; ` +
      systems.map((path) => `/bin/mkdir -p ${path}; /bin/cp ${workerPath()} ${path}/xsnap-worker`).join('; '),
  );
  for (const round of [1, 2]) {
    const panel = installed.start(PANEL);
    panel.type('quit');
    assert.is((await panel.ended).code, 0, panel.lines.join('\n'));
    assert.is(
      panel.lines.some((line) => line.includes('Building the XS engine, once')),
      round === 1,
    );
  }
  const asked = JSON.parse(readFileSync(join(installed.folder, 'asked'), 'utf8'));
  assert.match(asked.dependencies['@agoric/xsnap'], /^\d+\.\d+\.\d+$/);
  for (const name of ['cc', 'make', 'npm']) rmSync(join(installed.programs, name));
});

tests.run();
