/** The package, built from the sources and installed where there is no registry, no compiler and no other package. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildPackage } from '../package.js';
import { pathOf } from '../programs.js';
import { type Program, startProgram } from './process.js';

export interface Installed {
  /** The folder in which `npm install` ran. */
  readonly folder: string;
  /** The folder of the package. */
  readonly root: string;
  /** The only folder of the PATH. */
  readonly programs: string;
  /** Runs a command to its end, in the network without a way out. */
  run(command: string[], env?: Record<string, string>): Promise<Run>;
  /** Starts `alarm-twin` there. */
  start(args: string[], env?: Record<string, string>): Program;
  close(): Promise<void>;
}

export interface Run {
  code: number | null;
  output: string;
}

/** The program that installing the package puts into the folder. */
export const ALARM_TWIN = 'node_modules/.bin/alarm-twin';

function packPackage(folder: string): string {
  const dist = join(folder, 'dist');
  buildPackage(dist);
  execFileSync('npm', ['pack', dist, '--silent', '--pack-destination', folder]);
  const tarball = readdirSync(folder).find((file) => file.endsWith('.tgz'));
  if (tarball === undefined) throw new Error('npm pack made no package');
  return join(folder, tarball);
}

const executable = (program: string): string => {
  const path = pathOf(program);
  if (path === undefined) throw new Error(`${program} is not installed`);
  return path;
};

/** Builds the package and installs it. */
export async function installPackage(): Promise<Installed> {
  const place = mkdtempSync(join(tmpdir(), 'package-'));
  const tarball = packPackage(place);
  const [folder, programs, home] = ['folder', 'bin', 'home'].map((name) => join(place, name)) as [
    string,
    string,
    string,
  ];
  for (const made of [folder, programs, home]) mkdirSync(made);
  symlinkSync(process.execPath, join(programs, 'node'));
  for (const program of ['sh', 'env', 'sleep']) symlinkSync(executable(program), join(programs, program));

  const up = `${executable('ip')} link set lo up && echo up && exec sleep infinity`;
  const network = startProgram([executable('unshare'), '-rn', 'sh', '-c', up]);
  await network.line((line) => (line === 'up' ? line : undefined));
  const inside = [executable('nsenter'), '-t', `${network.pid}`, '-U', '-n', '--preserve-credentials'];

  const start = (command: string[], env: Record<string, string> = {}): Program =>
    startProgram([...inside, `--wd=${folder}`, ...command], {
      ...{ PATH: programs, HOME: home, XDG_CACHE_HOME: join(home, '.cache'), TWIN_TOKEN: '' },
      ...env,
    });
  const run = async (command: string[], env?: Record<string, string>): Promise<Run> => {
    const program = start(command, env);
    program.endInput();
    const { code } = await program.ended;
    return { code, output: program.lines.join('\n') };
  };
  const npm = realpathSync(executable('npm'));
  const { code, output } = await run(['node', npm, 'install', '--no-audit', '--no-fund', tarball]);
  if (code !== 0) throw new Error(`npm install failed:\n${output}`);
  return {
    folder,
    root: join(folder, 'node_modules/alarm-twin'),
    programs,
    run,
    start: (args, env) => start([ALARM_TWIN, ...args], env),
    async close() {
      await network.stop('SIGKILL');
      rmSync(place, { recursive: true, force: true });
    },
  };
}
