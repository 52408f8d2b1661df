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
const HOW = `The Moddable SDK builds the firmware, and is not set up here. These commands install it:

  npx xs-dev@0.30.3 setup --target-branch 8.2.3
  git clone --branch v6.0 --depth 1 --recursive https://github.com/espressif/esp-idf ~/.local/share/esp32/esp-idf
  npx xs-dev@0.30.3 setup --device esp32

Then open a new terminal and try again.`;

/** @throws SdkMissing */
export function findSdk({ MODDABLE, IDF_PATH }: NodeJS.ProcessEnv, target: string): Sdk {
  if (!MODDABLE) throw new SdkMissing(HOW);
  const mcconfig = join(MODDABLE, 'build/bin', PLATFORMS[process.platform] ?? '', 'release/mcconfig');
  if (!existsSync(mcconfig)) throw new SdkMissing(`${mcconfig} is not there.\n${HOW}`);
  if (target.startsWith('esp32/') && !IDF_PATH) throw new SdkMissing(`IDF_PATH is not set.\n${HOW}`);
  return { directory: MODDABLE, mcconfig };
}

/** @throws SdkMissing, with one line, for an SDK or an ESP-IDF that this firmware is not written for */
export function checkVersions({ directory }: Sdk, target: string, idf = ''): void {
  const sdk = read(directory, 'tools/VERSION')?.trim();
  if (sdk === undefined || !SDK_VERSION.test(sdk))
    throw new SdkMissing(
      `the Moddable SDK in ${directory} is ${sdk ?? 'of no known version'}, not 8.2: manifests/README.md says how to install it`,
    );
  if (!target.startsWith('esp32/')) return;
  const wanted = versionIn(
    read(directory, 'build/devices/esp32/manifest.json'),
    /"EXPECTED_ESP_IDF": *"v(\d+)\.(\d+)/,
  );
  const found = versionIn(
    read(idf, 'tools/cmake/version.cmake'),
    /IDF_VERSION_MAJOR (\d+)\)[\s\S]*IDF_VERSION_MINOR (\d+)\)/,
  );
  if (wanted !== undefined && found === wanted) return;
  throw new SdkMissing(
    `the Moddable SDK ${sdk} builds with ESP-IDF ${wanted}, and ${idf} is ${found ?? 'none'}: manifests/README.md says how to install it`,
  );
}

/** Minor versions differ in what they call their modules. */
const SDK_VERSION = /^8\.2\./;

function versionIn(text: string | undefined, form: RegExp): string | undefined {
  const match = form.exec(text ?? '');
  return match === null ? undefined : `${match[1]}.${match[2]}`;
}

function read(directory: string, path: string): string | undefined {
  const file = join(directory, path);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

export interface Target {
  /** The chip, by the SDK's name for it, such as `esp32c3`. */
  chip: string;
  /** It is flashed and traces over the chip's own USB. */
  usesUsb: boolean;
  /**
   * What the target adds to ESP-IDF's configuration, which would replace what our manifest adds; undefined where there
   * is nothing of that kind.
   */
  sdkconfig: string | undefined;
}

/** @throws SdkMissing for a target that the SDK does not know */
export function targetOf({ directory }: Sdk, target: string): Target {
  const [platform, name = ''] = target.split('/');
  if (platform !== 'esp32') return { chip: '', usesUsb: false, sdkconfig: undefined };
  const folder = join(directory, 'build/devices/esp32/targets', name);
  if (!existsSync(join(folder, 'manifest.json'))) throw new SdkMissing(`the SDK has no target ${target}`);
  const { build = {} } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as {
    build?: { ESP32_SUBCLASS?: string; SDKCONFIGPATH?: string; USE_USB?: string };
  };
  const { ESP32_SUBCLASS: chip = 'esp32', SDKCONFIGPATH: given } = build;
  if (CHIPS_WITHOUT_WIFI.includes(chip)) throw new SdkMissing(`${target} has no Wi-Fi`);
  const usesUsb = build.USE_USB !== undefined;
  if (given === undefined) return { chip, usesUsb, sdkconfig: undefined };
  const path = given.startsWith('./') ? join(folder, given) : given.replace('$(MODDABLE)', directory);
  return { chip, usesUsb, sdkconfig: readFileSync(join(path, 'sdkconfig.defaults'), 'utf8') };
}

const CHIPS_WITHOUT_WIFI = ['esp32h2'];

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
