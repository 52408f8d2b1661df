/** What a storage does while its disk is nearly full. The free space is what the test says. */

import { existsSync } from 'node:fs';
import { mkdir, open as openFile, readdir, readFile, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import pino from 'pino';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readSettings } from '../../../server/config.js';
import { copyContents } from '../../../server/storage/copy.js';
import type { DurableStorage, StorageSettings } from '../../../server/storage/durable-storage.js';
import { openStorage } from '../../../server/storage/journaled.js';
import { SHARE_WHEN_SHORT } from '../../../server/storage/reserve.js';
import { readDocuments, StorageUnavailable } from '../../../server/storage/storage.js';
import { isTwinFile } from '../../../server/twins/twins.js';
import { until } from '../../until.js';
import { past, put, remove, stored } from './contract.js';
import { DirectoryUnderTest, fillDisk, restoreDisk } from './directory-under-test.js';

const MIB = 1024 * 1024;
/** An eighth of it is held back, and the disk is short when less than an eighth is free. */
const SIZE = 8 * MIB;

const test = suite<{ disk: { free: number; size: number }; logged: string[] }>('reserve');
const directory = new DirectoryUnderTest();

test.before.each(async (context) => {
  await directory.make();
  context.disk = { free: SIZE, size: SIZE };
  context.logged = [];
});
test.after.each(async () => {
  restoreDisk();
  await directory.remove();
});

interface Given {
  disk: { free: number; size: number };
  logged: string[];
}

const open = ({ disk, logged }: Given, settings: Partial<StorageSettings> = {}): Promise<DurableStorage> =>
  openStorage(
    {
      ...readSettings(),
      data: directory.data,
      journalSegmentBytes: 65_536,
      diskLookMs: 1,
      disk: async () => ({ ...disk }),
      ...settings,
    },
    pino({ level: 'info' }, { write: (line: string) => logged.push(JSON.parse(line).msg) }),
    isTwinFile,
  );

const reserve = (): string => join(directory.data, 'reserve');
const lengthOnDisk = async (): Promise<number> => (await stat(reserve())).size;
const LARGE = JSON.stringify({ text: 'x'.repeat(20_000) });

async function putAsLongAsAdmitted(storage: DurableStorage, file: string): Promise<number> {
  await readDocuments(storage, file);
  for (let version = 1; ; version += 1) {
    try {
      await put(storage, file, 'current', stored(version, LARGE));
    } catch (error) {
      assert.instance(error, StorageUnavailable);
      return version - 1;
    }
  }
}

test('a file holds an eighth of a small disk, and no backup copies it', async (context) => {
  const storage = await open(context);
  await until(() => storage.disk.reserveBytes === SIZE / 8);
  assert.is(await lengthOnDisk(), SIZE / 8);
  assert.not(storage.disk.isShort);
  await storage.close();
  assert.is(await lengthOnDisk(), SIZE / 8);
  const copy = join(directory.data, '..', `${basename(directory.data)}-copy`);
  try {
    await mkdir(copy);
    await copyContents(directory.data, copy);
    assert.not(existsSync(join(copy, 'reserve')));
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
});

test('the file is given back in steps while nearly nothing is free, and made again when there is room', async (context) => {
  const storage = await open(context);
  await until(() => storage.disk.reserveBytes === SIZE / 8);
  context.disk.free = SIZE / 32 - 1;
  await until(() => storage.disk.reserveBytes <= (SIZE / 8) * (3 / 4));
  assert.ok(storage.disk.isShort);
  await until(() => storage.disk.reserveBytes === 0);
  assert.is(await lengthOnDisk(), 0);
  context.disk.free = SIZE / 8;
  await readDocuments(storage, 'twins/ab/a');
  assert.ok(storage.disk.isShort);
  context.disk.free = SIZE / 2;
  await until(() => storage.disk.reserveBytes === SIZE / 8);
  assert.not(storage.disk.isShort);
  assert.equal(context.logged, [
    'the disk is nearly full: no history is kept, and a twin may write little',
    'the disk has room again',
  ]);
  await storage.close();
});

test('while the disk is short the documents are written and no past versions, which are counted', async (context) => {
  const options = { writeBehindMs: 1 };
  const storage = await open(context, options);
  await readDocuments(storage, 'twins/ab/a');
  await put(storage, 'twins/ab/a', 'current', stored(1));
  const history = join(directory.data, 'history/twins/ab/a');
  await until(() => existsSync(history));
  context.disk.free = SIZE / 16;
  await until(() => storage.disk.isShort);
  await put(storage, 'twins/ab/a', 'current', stored(2));
  await until(() => storage.counters.droppedVersions === 1);
  context.disk.free = SIZE;
  await until(() => !storage.disk.isShort);
  await put(storage, 'twins/ab/a', 'current', stored(3));
  await storage.close();
  const again = await open(context);
  assert.equal(await past(again, 'twins/ab/a', 'current'), [3, 1]);
  await again.close();
});

test('what was removed is removed from the history while the disk is short', async (context) => {
  const storage = await open(context, { writeBehindMs: 1 });
  await readDocuments(storage, 'twins/ab/a');
  await put(storage, 'twins/ab/a', 'current', stored(1));
  const history = join(directory.data, 'history/twins/ab/a');
  await until(() => existsSync(history));
  context.disk.free = SIZE / 16;
  await until(() => storage.disk.isShort);
  await remove(storage, 'twins/ab/a', 'current');
  await until(async () => (await readdir(history)).length === 0);
  await storage.close();
});

test('a twin that has written its share is refused, and no other twin, device or token', async (context) => {
  context.disk.free = SIZE / 16;
  const storage = await open(context);
  const admitted = await putAsLongAsAdmitted(storage, 'twins/ab/greedy');
  assert.is(admitted, Math.floor(SHARE_WHEN_SHORT.bytes / 20_100));
  assert.is(storage.counters.refusals, 1);
  assert.ok(storage.healthy);
  await readDocuments(storage, 'twins/ab/other');
  for (let version = 1; version <= 20; version += 1)
    await put(storage, 'twins/ab/other', 'desired', stored(version, '{"alarm_armed":true}'));
  await readDocuments(storage, 'tokens');
  for (let version = 1; version <= 20; version += 1)
    await put(storage, 'tokens', 't', stored(version, LARGE));
  // What is deleted makes room.
  await remove(storage, 'twins/ab/greedy', 'current');
  context.disk.free = SIZE;
  await until(() => !storage.disk.isShort);
  await put(storage, 'twins/ab/greedy', 'current', stored(1, LARGE));
  await storage.close();
});

test('the refusal of a change comes after the answers to those before it, which it leaves as they are', async (context) => {
  context.disk.free = SIZE / 16;
  const storage = await open(context);
  await readDocuments(storage, 'twins/ab/a');
  const answers: string[] = [];
  const write = (version: number, data: string) =>
    put(storage, 'twins/ab/a', 'current', stored(version, data)).then(
      () => answers.push(`${version} written`),
      () => answers.push(`${version} refused`),
    );
  await Promise.all([
    write(1, '{"n":1}'),
    write(2, JSON.stringify({ text: 'x'.repeat(SHARE_WHEN_SHORT.bytes) })),
    write(2, '{"n":2}'),
  ]);
  assert.equal(answers, ['1 written', '2 refused', '2 written']);
  assert.is((await readDocuments(storage, 'twins/ab/a')).get('current')?.data, '{"n":2}');
  await storage.close();
});

test('the journal that has grown by a segment makes the storage look at the disk', async (context) => {
  const storage = await open(context, { diskLookMs: 1_000_000 });
  await readDocuments(storage, 'tokens');
  context.disk.free = SIZE / 16;
  assert.not(storage.disk.isShort);
  for (let version = 1; !storage.disk.isShort && version < 50; version += 1)
    await put(storage, 'tokens', 't', stored(version, LARGE));
  assert.ok(storage.disk.isShort);
  await storage.close();
});

test('on a small disk the journal takes a quarter of it, so that the files have room to leave it', async (context) => {
  const storage = await open(context);
  await readDocuments(storage, 'tokens');
  let most = 0;
  for (let version = 1; version <= 200; version += 1) {
    await put(storage, 'tokens', 't', stored(version, LARGE));
    most = Math.max(most, storage.counters.journalBytes);
  }
  assert.ok(most > SIZE / 8 && most < SIZE / 4 + 2 * LARGE.length, `${most} bytes`);
  await storage.close();
});

test('when a write finds the disk full, the reserve gives space at once', async (context) => {
  const storage = await open(context, { journalRetryMs: 1 });
  await until(() => storage.disk.reserveBytes === SIZE / 8);
  await readDocuments(storage, 'twins/ab/a');
  fillDisk();
  try {
    await put(storage, 'twins/ab/a', 'current', stored(1));
    assert.unreachable();
  } catch (error) {
    assert.instance(error, StorageUnavailable);
  }
  await until(() => storage.disk.reserveBytes < SIZE / 8);
  restoreDisk();
  await until(() => storage.healthy);
  await put(storage, 'twins/ab/a', 'current', stored(1));
  await until(() => storage.disk.reserveBytes === SIZE / 8);
  await storage.close();
});

test('a history that finds the disk full does not keep the document from being written', async (context) => {
  const storage = await open(context, { writeBehindMs: 1, diskLookMs: 1_000_000 });
  await readDocuments(storage, 'twins/ab/a');
  const restore = await failDatasync();
  try {
    await put(storage, 'twins/ab/a', 'current', stored(1));
    await until(() => storage.counters.droppedVersions === 1);
    assert.ok(storage.disk.isShort);
    const file = join(directory.data, 'twins/ab/a.json');
    await until(() => existsSync(file));
    assert.is(JSON.parse(await readFile(file, 'utf8')).documents.current.version, 1);
    assert.equal(context.logged, [
      'the disk is nearly full: no history is kept, and a twin may write little',
    ]);
  } finally {
    restore();
  }
  await storage.close();
});

/** Only the history and the reserve use it. The returned function lets it work again. */
async function failDatasync(): Promise<() => void> {
  const handle = await openFile(process.execPath);
  await handle.close();
  const prototype = Object.getPrototypeOf(handle) as { datasync: () => Promise<void> };
  const { datasync } = prototype;
  prototype.datasync = async () => {
    throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
  };
  return () => {
    prototype.datasync = datasync;
  };
}

test.run();
