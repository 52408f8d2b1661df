/** The contents of a data directory as files of a storage: which there are, and how they are written. */

import { existsSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isDocuments, othersIn } from '../backup/keys.js';
import { documentFile } from '../storage/document-file.js';
import { writeFormat } from '../storage/format.js';
import { History } from '../storage/history.js';
import { MOVED_FILE } from '../storage/moved.js';
import type { Storage } from '../storage/storage.js';
import { isContent } from '../storage/swap.js';
import { isTwinFile } from '../twins/twins.js';
import { type WholeFile, withoutBirth } from './whole-file.js';

/** No version is dropped on the way. The server drops what is too much by its own settings. */
export const EVERYTHING = { historyVersions: Number.MAX_SAFE_INTEGER, historyBytes: Number.MAX_SAFE_INTEGER };

/** For the documents in memory, in bytes. No client waits. */
export const MEMORY_BYTES = 64 * 1024 * 1024;

const JOURNAL = 'journal';
const HISTORY = 'history';
/** The directories that hold no files of the storage. */
const OTHERS = [JOURNAL, HISTORY, 'tls'];

/** The names of all files of the storage that is open in a data directory. */
export async function namesIn(data: string, storage: Pick<Storage, 'list'>): Promise<string[]> {
  const names: string[] = [];
  for (const name of await storage.list('')) if (await isOfStorage(data, name)) names.push(name);
  return names;
}

/** At the top there are settings, too. A file further down that holds no documents is damaged, and not left out. */
async function isOfStorage(data: string, name: string): Promise<boolean> {
  const [top = '', ...rest] = name.split('/');
  if (!isContent(top) || OTHERS.includes(top)) return false;
  const path = join(data, `${name}.json`);
  return rest.length > 0 || !existsSync(path) || isDocuments(path);
}

/** Writes files into an empty directory, in the present format. A storage can be opened on it afterwards. */
export async function writeDirectory(directory: string, files: AsyncIterable<WholeFile>): Promise<void> {
  const history = new History(
    join(directory, HISTORY),
    { versions: EVERYTHING.historyVersions, bytes: EVERYTHING.historyBytes },
    (error) => {
      throw error;
    },
  );
  await mkdir(join(directory, JOURNAL), { mode: 0o700 });
  for await (const { name, documents } of files) {
    if (isTwinFile(name))
      await history.save(name, {
        fresh: true,
        documents: documents.map(({ key, document, past }) => ({
          key,
          fresh: true,
          versions: [...past, withoutBirth(document)],
        })),
      });
    await documentFile(join(directory, `${name}.json`), async () => undefined).write({
      seq: 0,
      documents: new Map(documents.map(({ key, document }) => [key, document])),
    });
  }
  await writeFormat(directory);
}

/** Copies what belongs to a data directory and is not of the storage, such as the keys. The mark stays behind. */
export async function copyOthers(data: string, target: string): Promise<void> {
  for (const name of await othersIn(data))
    if (name !== MOVED_FILE) await cp(join(data, name), join(target, name), { recursive: true });
}
