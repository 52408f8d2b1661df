import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Adapter } from 'lowdb';
import { isObject } from '../../shared/document.js';
import { makeDirectory, removeFile, replaceFile } from './directory.js';
import { decodeDocument, encodeMembers } from './record.js';
import type { Documents } from './storage.js';

/** What one file on disk holds: all documents of the file, and the number of the last change in them. */
export interface Contents {
  seq: number;
  documents: Documents;
}

/** A file that the server did not write like this. It stays as it is, so that the owner can repair or remove it. */
export class DamagedFile extends Error {
  override name = 'DamagedFile';
  constructor(path: string, cause?: unknown) {
    super(`${path} is damaged: restore it from a backup, or remove it to begin without it`, { cause });
  }
}

// In UTF-16 units. Parsing a longer text takes so long that other work must run before the next one is parsed.
const LONG_TEXT = 32_768;

/**
 * The lowdb adapter of one file. When `write` resolves, the file is on stable storage. A file without documents is
 * removed. `read` rejects with DamagedFile.
 * @param turn resolves when a long file may be parsed
 */
export function documentFile(path: string, turn: () => Promise<void>): Adapter<Contents> {
  return {
    async read() {
      const text = await readIfThere(path);
      if (text === undefined) return null;
      if (text.length >= LONG_TEXT) await turn();
      return parse(path, text);
    },
    async write(contents) {
      if (contents.documents.size === 0) return removeFile(path);
      const text = stringify(contents);
      return replaceFile(path, text).catch(async (error) => {
        if (error.code !== 'ENOENT') throw error;
        await makeDirectory(dirname(path));
        return replaceFile(path, text);
      });
    },
  };
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** JSON with one document on each line. The documents are not parsed for it. */
function stringify({ seq, documents }: Contents): string {
  const lines: string[] = [];
  for (const [key, document] of documents) {
    lines.push(`${JSON.stringify(key)}:{${encodeMembers(document)}}`);
  }
  return `{"seq":${seq},"documents":{\n${lines.join(',\n')}\n}}\n`;
}

function parse(path: string, text: string): Contents {
  try {
    const { seq, documents } = JSON.parse(text);
    if (!Number.isSafeInteger(seq) || !isObject(documents)) throw new Error('no seq or no documents');
    return {
      seq,
      documents: new Map(Object.entries(documents).map(([key, value]) => [key, decodeDocument(value)])),
    };
  } catch (error) {
    throw new DamagedFile(path, error);
  }
}

/**
 * Makes a queue that lets one caller continue in each turn of the event loop. It is for work that takes milliseconds
 * and of which much can come at once.
 */
export function oneATurn(): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return () => {
    last = last.then(() => nextTurn());
    return last;
  };
}
