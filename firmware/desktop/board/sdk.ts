/** The Moddable SDK, where it is installed, and its `mcconfig`. */

import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The message says how to get it. */
export class SdkMissing extends Error {
  override name = 'SdkMissing';
}

export interface Sdk {
  /** Paths. */
  readonly directory: string;
  readonly mcconfig: string;
}

const PLATFORMS: Partial<Record<NodeJS.Platform, string>> = { linux: 'lin', darwin: 'mac', win32: 'win' };
const HOW = `The Moddable SDK builds the firmware, and is not set up here. It comes, with all that it needs, by

  npx xs-dev setup
  npx xs-dev setup --device esp32

Then open a new terminal and try again.`;

/** @throws SdkMissing */
export function findSdk({ MODDABLE, IDF_PATH }: NodeJS.ProcessEnv, target: string): Sdk {
  if (!MODDABLE) throw new SdkMissing(HOW);
  const mcconfig = join(MODDABLE, 'build/bin', PLATFORMS[process.platform] ?? '', 'release/mcconfig');
  if (!existsSync(mcconfig)) throw new SdkMissing(`${mcconfig} is not there.\n${HOW}`);
  if (target.startsWith('esp32/') && !IDF_PATH) throw new SdkMissing(`IDF_PATH is not set.\n${HOW}`);
  return { directory: MODDABLE, mcconfig };
}

/**
 * What a target adds to ESP-IDF's configuration, which would replace what our manifest adds; undefined where there is
 * nothing of that kind. @throws SdkMissing for a target that the SDK does not know
 */
export function sdkconfigOf({ directory }: Sdk, target: string): string | undefined {
  const [platform, name = ''] = target.split('/');
  if (platform !== 'esp32') return undefined;
  const folder = join(directory, 'build/devices/esp32/targets', name);
  if (!existsSync(join(folder, 'manifest.json'))) throw new SdkMissing(`the SDK has no target ${target}`);
  const { build } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as {
    build?: { SDKCONFIGPATH?: string };
  };
  const given = build?.SDKCONFIGPATH;
  if (given === undefined) return undefined;
  const path = given.startsWith('./') ? join(folder, given) : given.replace('$(MODDABLE)', directory);
  return readFileSync(join(path, 'sdkconfig.defaults'), 'utf8');
}

export interface Build {
  target: string;
  /** From the project's top. */
  manifest: string;
  port: string | undefined;
  debug: boolean;
}

export const argumentsOf = ({ target, manifest, debug }: Build): string[] => [
  ...(debug ? ['-d'] : []),
  ...['-m', '-p', target, manifest],
];

/** The variables of the environment that `mcconfig` gets besides. */
export const environmentOf = ({ port }: Build): Record<string, string> =>
  port === undefined ? {} : { UPLOAD_PORT: port };

/** Builds the program, and puts it onto the board. Resolves with the exit code. */
export function runMcconfig({ mcconfig }: Sdk, build: Build, root: string): Promise<number> {
  const child = spawn(mcconfig, argumentsOf(build), {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...environmentOf(build) },
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}
