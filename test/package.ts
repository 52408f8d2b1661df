/** The package, built from the sources as `npm run build` does it, in a folder of a test. */

import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

export function buildPackage(folder: string): void {
  for (const part of ['server/deploy/build.ts', 'firmware/desktop/build.ts'])
    execFileSync(process.execPath, ['--import', 'tsx', part, folder]);
}

/** The bytes of all files below a folder. */
export const bytesBelow = (folder: string): number =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => statSync(join(folder, file)))
    .reduce((sum, stat) => sum + (stat.isFile() ? stat.size : 0), 0);
