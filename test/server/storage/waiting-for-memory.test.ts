/** Files whose changes take much memory: they are written early, and take no changes until then. */

import { existsSync } from 'node:fs';
import { mkdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readDocuments, StorageUnavailable } from '../../../server/storage/storage.js';
import { put, stored, takesChanges } from './contract.js';
import { DirectoryUnderTest } from './directory-under-test.js';

const test = suite('waiting for memory');
const directory = new DirectoryUnderTest();

test.before.each(async () => {
  await directory.make();
});
test.after.each(() => directory.remove());

const LONG = 1_000_000;
/** With 1 MiB of memory the changes of all files may take 256 KiB, and those of one file a quarter of what is left. */
const SMALL_MEMORY = { memoryBytes: 1024 * 1024, writeBehindMs: LONG };
const LARGE = JSON.stringify({ text: 'x'.repeat(60_000) });

test('a file whose changes take much memory is written at once, and takes no changes until then', async () => {
  const storage = await directory.open(SMALL_MEMORY);
  for (const name of ['twins/a', 'twins/b']) await readDocuments(storage, name);
  const written = put(storage, 'twins/a', 'x', stored(1, LARGE));
  assert.not(takesChanges(storage, 'twins/a'));
  assert.ok(takesChanges(storage, 'twins/b'));
  assert.is((await readDocuments(storage, 'twins/a')).get('x')?.data, LARGE);
  await written;
  const text = await readFile(join(directory.data, 'twins/a.json'), 'utf8');
  assert.is(JSON.parse(text).documents.x.version, 1);
  await storage.close();
});

test('changes of many files that take much memory together are written at once', async () => {
  const storage = await directory.open(SMALL_MEMORY);
  const names = Array.from({ length: 40 }, (_, index) => `twins/${index}`);
  const data = JSON.stringify({ text: 'x'.repeat(7000) });
  for (const name of names) {
    await readDocuments(storage, name);
    await put(storage, name, 'x', stored(1, data));
  }
  assert.ok(existsSync(join(directory.data, 'twins/0.json')));
  await storage.close();
});

test('a file that waits for memory is refused when the disk cannot take it, and goes on when it can', async () => {
  const storage = await directory.open({ ...SMALL_MEMORY, writeBehindMs: 1 });
  await readDocuments(storage, 'twins/a');
  const obstacle = join(directory.data, 'twins/a.json.tmp');
  await mkdir(obstacle, { recursive: true });
  await put(storage, 'twins/a', 'x', stored(1, LARGE));
  try {
    await readDocuments(storage, 'twins/a');
    assert.unreachable('it was opened');
  } catch (error) {
    assert.instance(error, StorageUnavailable);
  }
  await rmdir(obstacle);
  assert.is((await readDocuments(storage, 'twins/a')).get('x')?.data, LARGE);
  await storage.close();
});

test('when the storage closes, a file that waits for memory is opened or refused', async () => {
  const storage = await directory.open(SMALL_MEMORY);
  await readDocuments(storage, 'twins/a');
  const written = put(storage, 'twins/a', 'x', stored(1, LARGE));
  const outcome = readDocuments(storage, 'twins/a').then(
    () => 'opened',
    () => 'refused',
  );
  await storage.close();
  await written;
  assert.match(await outcome, /opened|refused/);
});

test('a start with little memory reads a long journal file by file, and loses no version', async () => {
  const storage = await directory.open({ writeBehindMs: LONG });
  const names = ['twins/a', 'twins/b'];
  const versions = Array.from({ length: 40 }, (_, index) => index + 1);
  for (const name of names) await readDocuments(storage, name);
  for (const version of versions) {
    for (const name of names) await put(storage, name, 'x', stored(version, LARGE));
  }
  await directory.crash();
  await storage.close();
  const next = await directory.open(SMALL_MEMORY);
  for (const name of names) {
    await readDocuments(next, name);
    assert.is((await readDocuments(next, name)).get('x')?.version, 40);
    const past = await next.past(name, 'x', { limit: 100, dataBytes: 1e9 });
    assert.equal(
      past.map(({ version }) => version),
      [...versions].reverse(),
    );
  }
  await next.close();
});

test.run();
