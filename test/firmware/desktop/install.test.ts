import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite<{ root: string }>('install');

const INSTALLED = 'node_modules/.package-lock.json';
const LOCK = { packages: { '': {}, 'node_modules/a': { version: '1.0.0' } } };
const WORKERS = ['lin', 'mac'].map(
  (system) => `node_modules/@agoric/xsnap/xsnap-native/xsnap/build/bin/${system}/release/xsnap-worker`,
);

const write = (root: string, path: string, text: string, mode = 0o644): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text, { mode });
};

/** A project with nothing installed, and a PATH on which only node is found. */
test.before.each((context) => {
  const root = mkdtempSync(join(tmpdir(), 'install-'));
  context.root = root;
  mkdirSync(join(root, 'firmware/desktop'), { recursive: true });
  cpSync('firmware/desktop/install.mjs', join(root, 'firmware/desktop/install.mjs'));
  write(root, 'package.json', '{"engines":{"node":">=20.15"}}');
  write(root, 'package-lock.json', JSON.stringify(LOCK));
  mkdirSync(join(root, 'bin'));
  symlinkSync(process.execPath, join(root, 'bin/node'));
});

test.after.each(({ root }) => rmSync(root, { recursive: true, force: true }));

const addProgram = (root: string, name: string, script = ''): void =>
  write(root, `bin/${name}`, `#!/bin/sh\n${script}\n`, 0o755);

const addCompiler = (root: string): void => {
  addProgram(root, 'cc');
  addProgram(root, 'make');
};

/** An npm that notes how it was called and installs what the lock file says. */
const addNpm = (root: string): void => {
  write(root, 'installed.json', JSON.stringify(LOCK));
  for (const [index] of WORKERS.entries()) write(root, `worker-${index}`, '');
  const copies = WORKERS.map((worker) => `/bin/mkdir -p ${dirname(worker)}; /bin/cp worker-0 ${worker}`);
  addProgram(root, 'npm', `echo "$@" > called; ${copies.join('; ')}; /bin/cp installed.json ${INSTALLED}`);
};

interface Ending {
  code: number;
  output: string;
}

const install = (root: string, ...args: string[]): Promise<Ending> =>
  new Promise((resolve) => {
    const script = join(root, 'firmware/desktop/install.mjs');
    execFile(
      process.execPath,
      [script, ...args],
      { env: { PATH: join(root, 'bin') } },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
      },
    );
  });

test('installs a fresh clone, and the second time has nothing to do', async ({ root }) => {
  addCompiler(root);
  addNpm(root);
  const first = await install(root);
  assert.is(first.code, 0, first.output);
  assert.match(first.output, 'Installing');
  rmSync(join(root, 'called'));
  assert.equal(await install(root), { code: 0, output: '' });
  assert.not.ok(existsSync(join(root, 'called')));
});

test('installs again when the lock file changed', async ({ root }) => {
  addCompiler(root);
  addNpm(root);
  await install(root);
  rmSync(join(root, 'called'));
  write(root, 'package-lock.json', '{"packages":{"":{},"node_modules/a":{"version":"1.0.1"}}}');
  await install(root);
  assert.ok(existsSync(join(root, 'called')));
});

test('takes a package for another system as installed', async ({ root }) => {
  addCompiler(root);
  addNpm(root);
  await install(root);
  rmSync(join(root, 'called'));
  const elsewhere = { ...LOCK.packages, 'node_modules/b': { version: '1.0.0', optional: true } };
  write(root, 'package-lock.json', JSON.stringify({ packages: elsewhere }));
  assert.is((await install(root)).code, 0);
  assert.not.ok(existsSync(join(root, 'called')));
});

test('names a missing compiler and what to install, and does not begin', async ({ root }) => {
  addNpm(root);
  const { code, output } = await install(root);
  assert.is(code, 1);
  assert.match(output, 'missing here: cc, make');
  assert.match(output, /apt install build-essential|xcode-select --install/);
  assert.not.ok(existsSync(join(root, 'called')));
});

test('names the Node version that is needed', async ({ root }) => {
  write(root, 'package.json', '{"engines":{"node":">=99.1"}}');
  const { code, output } = await install(root);
  assert.is(code, 1);
  assert.match(output, `Node.js 99.1 or later is needed; this is ${process.versions.node}`);
});

test('for the server it installs nothing, and says in one line what to type', async ({ root }) => {
  addCompiler(root);
  addNpm(root);
  const { code, output } = await install(root, '--server');
  assert.is(code, 1);
  assert.match(output, /^The packages .* are not installed\. Type: {2}npm ci --omit=dev --ignore-scripts\n$/);
  assert.not.ok(existsSync(join(root, 'called')));
});

test('the server needs no compiler, no engine and no package of development', async ({ root }) => {
  const lock = { packages: { ...LOCK.packages, 'node_modules/d': { version: '1.0.0', dev: true } } };
  write(root, 'package-lock.json', JSON.stringify(lock));
  write(root, INSTALLED, JSON.stringify(LOCK));
  assert.equal(await install(root, '--server'), { code: 0, output: '' });
});

test('says so when npm fails', async ({ root }) => {
  addCompiler(root);
  addProgram(root, 'npm', 'exit 1');
  const { code, output } = await install(root);
  assert.is(code, 1);
  assert.match(output, 'did not succeed');
});

test('says so when npm succeeds without building the engine', async ({ root }) => {
  addCompiler(root);
  addProgram(root, 'npm', 'exit 0');
  const { code, output } = await install(root);
  assert.is(code, 1);
  assert.match(output, 'The XS engine was not built');
});

test.run();
