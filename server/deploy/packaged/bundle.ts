/** In the package the files of the app are read, with their compressed copies. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Asset, PageName } from '../../app/assets.js';

const FOLDER = join(import.meta.dirname, 'app');

/** An asset without its contents, and the file that holds them. */
export interface Entry extends Omit<Asset, 'body' | 'compressed'> {
  readonly file: string;
  /** Whether compressed copies lie beside it: `.br` and `.gz`. */
  readonly hasCopies: boolean;
}

export async function assetsOf(name: PageName): Promise<Asset[]> {
  const entries = JSON.parse(await readFile(join(FOLDER, `${name}.json`), 'utf8')) as Entry[];
  return Promise.all(entries.map(read));
}

async function read({ file, hasCopies, ...entry }: Entry): Promise<Asset> {
  const path = join(FOLDER, file);
  const body = await readFile(path);
  if (!hasCopies) return { ...entry, body };
  const [br, gzip] = await Promise.all([readFile(`${path}.br`), readFile(`${path}.gz`)]);
  return { ...entry, body, compressed: { br, gzip } };
}
