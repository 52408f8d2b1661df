/** Of the SDK only what the flash command touches: an `mcconfig` that writes down how it was called. */

import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const PLATFORM = process.platform === 'darwin' ? 'mac' : 'lin';

/** @returns the path of its `mcconfig` */
export function fakeSdk(directory: string, exitCode = 0): string {
  const mcconfig = join(directory, `build/bin/${PLATFORM}/release/mcconfig`);
  mkdirSync(dirname(mcconfig), { recursive: true });
  writeFileSync(
    mcconfig,
    `#!/bin/sh\necho "$UPLOAD_PORT $*" >> "${join(directory, 'calls')}"\nexit ${exitCode}\n`,
  );
  chmodSync(mcconfig, 0o755);
  write(directory, 'tools/VERSION', '8.2.3\n');
  write(directory, 'build/devices/esp32/manifest.json', '{ "build": { "EXPECTED_ESP_IDF": "v6.0" } }');
  fakeTarget(directory, 'nodemcu', {});
  fakeIdf(directory, 6, 0);
  return mcconfig;
}

export const fakeTarget = (directory: string, name: string, build: Record<string, string>): void =>
  write(directory, `build/devices/esp32/targets/${name}/manifest.json`, JSON.stringify({ build }));

/** Of ESP-IDF its version, in the folder `idf`. */
export const fakeIdf = (directory: string, major: number, minor: number): void =>
  write(
    directory,
    'idf/tools/cmake/version.cmake',
    `set(IDF_VERSION_MAJOR ${major})\nset(IDF_VERSION_MINOR ${minor})\nset(IDF_VERSION_PATCH 0)\n`,
  );

function write(directory: string, path: string, text: string): void {
  const file = join(directory, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** The port and the arguments of each call. */
export const callsOf = (directory: string): string[] =>
  readFileSync(join(directory, 'calls'), 'utf8').trim().split('\n');
