/**
 * XS with 32 bits, as it is on an ESP32: slots of 16 bytes and keys of two, without what a debugger needs. Built once,
 * from the sources of @agoric/xsnap with the package's own makefile, into a cache.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

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
const COMPILER = ['gcc', '-m32'] as const;
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

/** Whether this machine can compile for 32 bits and run the result. */
export function canBuild(): boolean {
  if (process.platform !== 'linux' || process.arch !== 'x64') return false;
  try {
    const program = '#include <stdio.h>\nint main(void) { return 0; }\n';
    execFileSync(COMPILER[0], [COMPILER[1], '-xc', '-o', '/dev/null', '-'], {
      input: program,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    return true;
  } catch {
    return false;
  }
}

/** @throws Error with what the compiler said */
export function build(): Engine {
  const { version } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as { version: string };
  const built = join(CACHE, version);
  if (!existsSync(built)) {
    mkdirSync(CACHE, { recursive: true });
    const directory = mkdtempSync(join(CACHE, 'building-'));
    buildIn(directory);
    // Another process may have been faster.
    if (existsSync(built)) rmSync(directory, { recursive: true });
    else renameSync(directory, built);
  }
  return { worker: join(built, WORKER), bytecode: join(built, BYTECODE) };
}

function buildIn(directory: string): void {
  const variables = {
    GOAL: 'release',
    CC: COMPILER.join(' '),
    MODDABLE: join(PACKAGE, 'moddable'),
    BUILD_DIR: directory,
    C_OPTIONS: [...OPTIONS, '-DXSNAP_VERSION=\\"32\\"', '-DXSNAP_TEST_RECORD=0', ...INCLUDES].join(' '),
  };
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  run('make', ['-f', 'xsnap-worker.mk', ...assignments], MAKEFILES);
  const source = join(import.meta.dirname, 'bytecode.c');
  const objects = `${join(directory, OBJECTS)}/!(xsnap-worker).o`;
  const options = [...OPTIONS, ...INCLUDES].join(' ');
  const command = `${COMPILER.join(' ')} ${options} ${source} ${objects} -ldl -lm -lpthread -o ${BYTECODE}`;
  run('bash', ['-O', 'extglob', '-c', command], directory);
}

function run(program: string, args: string[], cwd: string): void {
  execFileSync(program, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
}
