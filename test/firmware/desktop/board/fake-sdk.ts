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
  const target = join(directory, 'build/devices/esp32/targets/nodemcu');
  mkdirSync(target, { recursive: true });
  writeFileSync(join(target, 'manifest.json'), '{}');
  return mcconfig;
}

/** The port and the arguments of each call. */
export const callsOf = (directory: string): string[] =>
  readFileSync(join(directory, 'calls'), 'utf8').trim().split('\n');
