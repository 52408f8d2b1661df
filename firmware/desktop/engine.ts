import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { engineFile } from './engine-file.js';

/** The XS engine that `npm ci` has built. @throws Error when it is not there */
export function workerPath(): string {
  const path = engineFile(dirname(createRequire(import.meta.url).resolve('@agoric/xsnap/package.json')));
  if (existsSync(path)) return path;
  throw new Error('the XS engine has not been built: install a C compiler and make, then run npm ci');
}
