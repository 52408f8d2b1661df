/** The mark of a data directory whose documents are in a database now. No server may take the directory by mistake. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { callOf } from '../../shared/call.js';
import { replaceFile } from './directory.js';

export const MOVED_FILE = 'moved.json';

/** Where the documents of a directory are. */
export interface Moved {
  /** The address of the database, without its password. */
  readonly database: string;
  /** The id of the hub, by which the database is known again under another address. */
  readonly hub: string;
  /** When they were moved, RFC 3339. */
  readonly at: string;
}

/** The documents of the directory are in a database. */
export class DirectoryMoved extends Error {
  override name = 'DirectoryMoved';
  constructor(directory: string, { database, at }: Moved) {
    super(
      `${directory} is no longer in use: its data were moved to ${database} on ${at}. Start the server with TWIN_DATABASE, ` +
        `or take the data back with ${callOf('twin')} migrate --back`,
    );
  }
}

/** From now on the directory is not the truth. The mark is on stable storage when it resolves. */
export const markMoved = (directory: string, moved: Moved): Promise<void> =>
  replaceFile(join(directory, MOVED_FILE), `${JSON.stringify(moved)}\n`);

/** Where the documents of a directory are, or undefined when they are in it. @throws Error when the mark is damaged */
export async function movedFrom(directory: string): Promise<Moved | undefined> {
  const path = join(directory, MOVED_FILE);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    const { database, hub, at } = JSON.parse(text) as Record<string, unknown>;
    if (typeof database === 'string' && typeof hub === 'string' && typeof at === 'string')
      return { database, hub, at };
  } catch {
    // Not JSON: damaged, as is JSON without an address.
  }
  throw new Error(
    `${path} is damaged: the data of ${directory} were moved to a database, whose address is lost`,
  );
}

/** @throws DirectoryMoved */
export async function refuseMoved(directory: string): Promise<void> {
  const moved = await movedFrom(directory);
  if (moved !== undefined) throw new DirectoryMoved(directory, moved);
}
