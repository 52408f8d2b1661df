/**
 * Run by `npm start` and `npm test` before anything is installed, hence plain JavaScript without a dependency: installs
 * when `node_modules` is not what the lock file says, and otherwise does nothing, in a few milliseconds. With `--server`
 * it never installs: the server and its command line need no XS and no package of development, and a service that starts
 * must not change its own program.
 */

import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const engine = join(root, 'node_modules/@agoric/xsnap/xsnap-native/xsnap/build/bin');
const engineDirectories = { linux: 'lin', darwin: 'mac' };
const howToGetACompiler = {
  linux: 'sudo apt install build-essential   (Debian, Ubuntu, Raspberry Pi OS)',
  darwin: 'xcode-select --install',
};

const readJson = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'));

function fail(...lines) {
  for (const line of lines) console.error(line);
  process.exit(1);
}

function checkNode() {
  const { node } = readJson('package.json').engines;
  const [major, minor] = node.match(/\d+/g).map(Number);
  const [hasMajor, hasMinor] = process.versions.node.split('.').map(Number);
  if (hasMajor > major || (hasMajor === major && hasMinor >= minor)) return;
  fail(
    `Node.js ${major}.${minor} or later is needed; this is ${process.versions.node}.`,
    'See https://nodejs.org/',
  );
}

function checkCompiler() {
  const missing = ['cc', 'make'].filter((program) => !isOnPath(program));
  if (missing.length === 0) return;
  fail(
    `The XS engine of the desktop panel is built with a C compiler and make; missing here: ${missing.join(', ')}.`,
    `Install them, then try again:  ${howToGetACompiler[process.platform] ?? 'see your system'}`,
  );
}

function isOnPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

const hasEngine = () =>
  existsSync(join(engine, engineDirectories[process.platform] ?? '', 'release/xsnap-worker'));

/**
 * npm keeps what it installed in a lock file of its own; packages for other systems are not in it.
 * @param {boolean} withDevelopment whether the packages of development must be there
 */
function isInstalled(withDevelopment) {
  if (!existsSync(join(root, 'node_modules/.package-lock.json'))) return false;
  const installed = readJson('node_modules/.package-lock.json').packages;
  return Object.entries(readJson('package-lock.json').packages).every(
    ([path, { version, optional, dev }]) =>
      path === '' ||
      installed[path]?.version === version ||
      (optional && !installed[path]) ||
      (dev && !withDevelopment),
  );
}

function install() {
  console.log('Installing what the project needs; once, about a minute …');
  const { status } = spawnSync('npm', ['ci', '--include=dev', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) fail('The installation did not succeed; npm says why above.');
}

checkNode();
if (process.argv.includes('--server')) {
  if (!isInstalled(false))
    fail('The packages of this version are not installed. Type:  npm ci --omit=dev --ignore-scripts');
} else if (!isInstalled(true) || !hasEngine()) {
  checkCompiler();
  install();
  if (!hasEngine())
    fail('The XS engine was not built. To see why:  npm rebuild @agoric/xsnap --foreground-scripts');
}
