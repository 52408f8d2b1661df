/**
 * XS with 32 bits, as it is on an ESP32: slots of 16 bytes and keys of two, without what a debugger needs. Built once,
 * from the sources of @agoric/xsnap with the package's own makefile, into a cache.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Toolchain } from './toolchain.js';

export interface Engine {
  /** Paths. */
  readonly worker: string;
  readonly bytecode: string;
}

const require = createRequire(import.meta.url);
const PACKAGE = dirname(require.resolve('@agoric/xsnap/package.json'));
const SOURCES = join(PACKAGE, 'xsnap-native/xsnap/sources');
const MAKEFILES = join(PACKAGE, 'xsnap-native/xsnap/makefiles/lin');
const XS = join(PACKAGE, 'moddable/xs');
const CACHE = join(dirname(dirname(PACKAGE)), '.cache/xs-32');
/** In the directory of a build. */
const WORKER = 'bin/lin/release/xsnap-worker';
const OBJECTS = 'tmp/lin/release/xsnap-worker';
const BYTECODE = 'bytecode';

/** As in the makefile, but for `mxDebug`. */
const OPTIONS = [
  ...['-w', '-O1', '-fno-common', '-DINCLUDE_XSPLATFORM', '-DXSPLATFORM=\\"xsnapPlatform.h\\"'],
  ...[
    'mxLockdown',
    'mxMetering',
    'mxNoConsole',
    'mxBoundsCheck',
    'mxParse',
    'mxRun',
    'mxSloppy',
    'mxSnapshot',
  ],
  ...['mxRegExpUnicodePropertyEscapes', 'mxStringNormalize', 'mxMinusZero'],
].map((option) => (option.startsWith('-') ? option : `-D${option}=1`));
const INCLUDES = [join(XS, 'includes'), join(XS, 'platforms'), join(XS, 'sources'), SOURCES].map(
  (path) => `-I${path}`,
);

/** @throws Error with what the compiler said */
export function build({ compiler, emulator }: Toolchain): Engine {
  const { version } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as { version: string };
  const built = join(CACHE, version);
  if (!existsSync(built)) {
    mkdirSync(CACHE, { recursive: true });
    const directory = mkdtempSync(join(CACHE, 'building-'));
    buildIn(directory, compiler.join(' '));
    // Another process may have been faster.
    if (existsSync(built)) rmSync(directory, { recursive: true });
    else renameSync(directory, built);
  }
  return {
    worker: runnable(join(built, WORKER), emulator),
    bytecode: runnable(join(built, BYTECODE), emulator),
  };
}

/** The path of the program, or of a script beside it that runs it in the emulator. */
function runnable(program: string, emulator: string[]): string {
  if (emulator.length === 0) return program;
  const script = `${program}.emulated`;
  const made = `${script}.${process.pid}`;
  writeFileSync(made, `#!/bin/sh\nexec ${emulator.join(' ')} '${program}' "$@"\n`, { mode: 0o755 });
  // Another process may be running the old one.
  renameSync(made, script);
  return script;
}

function buildIn(directory: string, compiler: string): void {
  const variables = {
    GOAL: 'release',
    CC: compiler,
    MODDABLE: join(PACKAGE, 'moddable'),
    BUILD_DIR: directory,
    C_OPTIONS: [...OPTIONS, '-DXSNAP_VERSION=\\"32\\"', '-DXSNAP_TEST_RECORD=0', ...INCLUDES].join(' '),
  };
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  run('make', ['-f', 'xsnap-worker.mk', ...assignments], MAKEFILES);
  const source = join(import.meta.dirname, 'bytecode.c');
  const objects = `${join(directory, OBJECTS)}/!(xsnap-worker).o`;
  const options = [...OPTIONS, ...INCLUDES].join(' ');
  const command = `${compiler} ${options} ${source} ${objects} -ldl -lm -lpthread -o ${BYTECODE}`;
  run('bash', ['-O', 'extglob', '-c', command], directory);
}

function run(program: string, args: string[], cwd: string): void {
  execFileSync(program, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
}
