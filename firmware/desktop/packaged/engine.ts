/** The package brings no XS engine. It is built once for each user, when the first panel is started. */

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { engineFile } from '../engine-file.js';

/** The version of `@agoric/xsnap` with which the package was tested. The build puts it in. */
declare const XSNAP_VERSION: string;

const NEEDED = ['cc', 'make', 'npm'];
const COMPILER: Record<string, string> = {
  linux: 'sudo apt install build-essential',
  darwin: 'xcode-select --install',
};

/** The path of the engine, which is built when it is not there yet. @throws Error when it cannot be built */
export function workerPath(): string {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'alarm-twin');
  const path = join(cache, `xsnap-worker-${XSNAP_VERSION}-${process.arch}`);
  if (!existsSync(path)) buildEngine(cache, path);
  return path;
}

function buildEngine(cache: string, path: string): void {
  const missing = NEEDED.filter((program) => spawnSync(program, ['--version']).error !== undefined);
  if (missing.length > 0) {
    throw new Error(
      'the first panel builds the XS engine, with a C compiler, make, npm and access to the npm registry; ' +
        `missing here: ${missing.join(', ')}. A compiler comes with:  ${COMPILER[process.platform] ?? 'see your system'}`,
    );
  }
  process.stderr.write(`Building the XS engine, once, into ${cache}. It takes about a minute …\n`);
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'build-'));
  try {
    install(folder);
    const built = join(folder, 'xsnap-worker');
    copyFileSync(engineFile(join(folder, 'node_modules/@agoric/xsnap')), built);
    renameSync(built, path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function install(folder: string): void {
  const name = '@agoric/xsnap';
  // Newer versions of npm run the script of a package only where it is allowed.
  const wanted = { private: true, dependencies: { [name]: XSNAP_VERSION }, allowScripts: { [name]: true } };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(wanted));
  const options = ['--ignore-scripts=false', '--no-audit', '--no-fund', '--loglevel=error'];
  // What npm says is no line of the panel.
  const { status } = spawnSync('npm', ['install', ...options], { cwd: folder, stdio: ['ignore', 2, 2] });
  if (status === 0 && existsSync(engineFile(join(folder, 'node_modules', name)))) return;
  throw new Error('npm did not build the XS engine; it says why above. It needs the npm registry, once');
}
