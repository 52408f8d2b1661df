/** In the package the firmware's bundle is read. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bundle } from '../trace.js';

/** The firmware as it ships. */
export const bundleFirmware = async (): Promise<Bundle> =>
  JSON.parse(await readFile(join(import.meta.dirname, 'firmware.json'), 'utf8'));
