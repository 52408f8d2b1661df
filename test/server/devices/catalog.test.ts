/** The listing of all devices, and how it follows what is changed. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Catalog } from '../../../server/devices/catalog.js';
import { EVERYTHING } from '../../../server/devices/listing.js';
import { memoryStorage } from '../../../server/storage/memory.js';
import {
  putDocument,
  removeDocument,
  type Storage,
  type StoredDocument,
} from '../../../server/storage/storage.js';
import { sharedMemory } from '../storage/shared-memory.js';

const FOLDER = 'devices/';
const fileOf = (id: string): string => `${FOLDER}${id.slice(0, 2)}`;
const record = JSON.stringify({
  name: 'panel',
  status: 'enabled',
  allow_insecure: false,
  created_at: '',
  updated_at: '',
});

async function put(storage: Storage, id: string, catalog?: Catalog): Promise<void> {
  const edit = await putDocument(storage, fileOf(id), id, record);
  catalog?.changed(id, edit?.document as StoredDocument);
}

async function remove(storage: Storage, id: string, catalog?: Catalog): Promise<void> {
  await removeDocument(storage, fileOf(id), id);
  catalog?.changed(id);
}

const idsIn = async (catalog: Catalog): Promise<string[]> =>
  (await (await catalog.current()).select({ ...EVERYTHING, orderBy: undefined })).ids;

/** A storage that counts the reads. */
function counting(storage: Storage): Storage & { reads: number } {
  const counted = {
    ...storage,
    reads: 0,
    read: (...given: Parameters<Storage['read']>) => {
      counted.reads += 1;
      storage.read(...given);
    },
  };
  return counted as Storage & { reads: number };
}

test('the files are read for the first list, and not for the next', async () => {
  const storage = counting(memoryStorage());
  const catalog = new Catalog(storage, FOLDER);
  await put(storage, 'aa1', catalog);
  await put(storage, 'bb1', catalog);
  assert.is(storage.reads, 0);
  assert.equal(await idsIn(catalog), ['aa1', 'bb1']);
  const { reads } = storage;
  await put(storage, 'aa2', catalog);
  await remove(storage, 'bb1', catalog);
  assert.equal(await idsIn(catalog), ['aa1', 'aa2']);
  assert.is(storage.reads, reads);
});

test('what is changed while the files are read for the first time counts', async () => {
  const storage = memoryStorage();
  const catalog = new Catalog(storage, FOLDER);
  for (let n = 0; n < 40; n++) await put(storage, `${n + 10}`, catalog);
  const first = catalog.current();
  await remove(storage, '49', catalog);
  await put(storage, '00', catalog);
  await first;
  const ids = await idsIn(catalog);
  assert.equal([ids.length, ids[0], ids.at(-1)], [40, '00', '48']);
});

test('a list that failed is read again', async () => {
  const storage = memoryStorage();
  const catalog = new Catalog(storage, FOLDER);
  await put(storage, 'aa1', catalog);
  let fails = true;
  const failing: Storage = {
    ...storage,
    list: (prefix) => (fails ? Promise.reject(new Error('not now')) : storage.list(prefix)),
  };
  const other = new Catalog(failing, FOLDER);
  assert.is(await other.current().catch((error) => error.message), 'not now');
  fails = false;
  assert.equal(await idsIn(other), ['aa1']);
});

test('where servers share the files, each list has what any of them has changed', async () => {
  const { join } = sharedMemory();
  const [one, other] = [join(), join()];
  const catalog = new Catalog(one, FOLDER);
  await put(other, 'aa1');
  await put(one, 'aa2', catalog);
  assert.equal(await idsIn(catalog), ['aa1', 'aa2']);
  await remove(other, 'aa1');
  await put(other, 'bb1');
  assert.equal(await idsIn(catalog), ['aa2', 'bb1']);
  await remove(one, 'aa2', catalog);
  assert.equal(await Promise.all([idsIn(catalog), idsIn(catalog)]), [['bb1'], ['bb1']]);
});

test.run();
