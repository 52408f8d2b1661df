/** The directory of a server that runs no longer, for the tests of migrations. */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EVERYTHING, namesIn } from '../../../server/migration/directory.js';
import { Adder, type Sum, wholeFiles } from '../../../server/migration/whole-file.js';
import type { Storage } from '../../../server/storage/storage.js';
import { put, remove, stored } from '../storage/contract.js';
import { DirectoryUnderTest } from '../storage/directory-under-test.js';
import { openAuthority, temporaryDirectory } from '../tls/authority.js';

export const HUB = '6f1c2b1e-58a4-4c1e-9a7d-0d5a3f1c2b1e';
export const SECRET = 'sixteen characters';
export const BIRTH = { createdAt: '2026-01-01T00:00:00.000Z', tag: 'ab12' };
export const TWIN = 'twins/ab/abc';

/** It takes long to make, and is the same for all houses. */
const authority = makeAuthority();

async function makeAuthority(): Promise<string> {
  const directory = temporaryDirectory();
  await openAuthority(directory);
  return readFile(join(directory, 'authority.pem'), 'utf8');
}

export class House extends DirectoryUnderTest {
  openAll(): Promise<Storage> {
    return this.open(EVERYTHING);
  }

  /** Some of its documents are in files, others only in the journal. */
  async build(versions = 3): Promise<void> {
    await this.make();
    await mkdir(join(this.data, 'tls'));
    for (const [path, text] of [
      ['tls/authority.pem', await authority],
      ['alerts.json', '{"channels":[],"rules":{"unreachable_after":77}}'],
      ['panel-flash.json', 'armed'],
    ] as const)
      await writeFile(join(this.data, path), text);
    const first = await this.openAll();
    await put(first, 'server', 'hub', stored(1, JSON.stringify({ id: HUB })));
    await put(first, 'tokens', 'k', { ...stored(4), updatedBy: 'the "owner" é' });
    for (let version = 1; version <= versions; version += 1)
      await put(first, TWIN, 'current', { ...stored(version, `{"n":${version}}`), born: BIRTH });
    await put(first, TWIN, '__proto__', stored(1, '{"text":"\\u0000 \\ud800 ü"}'));
    await put(first, 'twins/ab/abd', 'gone', stored(1));
    await remove(first, 'twins/ab/abd', 'gone');
    await put(first, 'twins/ff/without-device', 'current', stored(2));
    await first.close();
    const second = await this.open({ ...EVERYTHING, writeBehindMs: 1_000_000 });
    await put(second, TWIN, 'desired', { ...stored(7), updatedAt: '2026-02-03T04:05:06.789Z' });
    await put(second, 'devices/ab', 'abc', stored(2));
    await this.crash();
    await second.close();
  }

  /** The texts of the authority and of the settings of alerts. */
  keptFiles(): Promise<[string, string]> {
    const read = (path: string) => readFile(join(this.data, path), 'utf8');
    return Promise.all([read('tls/authority.pem'), read('alerts.json')]);
  }

  async sum(): Promise<Sum> {
    const storage = await this.openAll();
    try {
      return await sumOf(storage, await namesIn(this.data, storage));
    } finally {
      await storage.close();
    }
  }

  /** What a server finds in the directory: it starts, or the message with which it ends. */
  start(): Promise<string> {
    return this.openAll().then(
      async (storage) => {
        await storage.close();
        return 'started';
      },
      (error: Error) => error.message,
    );
  }
}

export async function sumOf(storage: Pick<Storage, 'read' | 'past'>, names: string[]): Promise<Sum> {
  const adder = new Adder();
  for await (const file of wholeFiles(storage, names)) adder.add(file);
  return adder.sum();
}
