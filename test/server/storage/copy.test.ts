import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { copyContents } from '../../../server/storage/copy.js';
import type { Change } from '../../../server/storage/open-file.js';
import { encodeRecord, writeFrame } from '../../../server/storage/record.js';
import { DamagedJournal } from '../../../server/storage/replay.js';
import { readDocuments, type Storage } from '../../../server/storage/storage.js';
import { needsIn } from '../../programs.js';
import { until } from '../../until.js';
import { past, put, remove, stored } from './contract.js';
import { DirectoryUnderTest } from './directory-under-test.js';

const test = suite('copy');
const directory = new DirectoryUnderTest();

test.before.each(async () => {
  await directory.make();
});
test.after.each(() => directory.remove());

const LONG = 1_000_000;
const FILES = Array.from({ length: 40 }, (_, index) => `twins/${index}`);

/** Copies the directory, and makes the copy the one under test. */
async function copy(): Promise<void> {
  const data = directory.data;
  const target = await directory.make();
  await copyContents(data, target);
  directory.data = target;
}

/** The version of a document in a file; 0 when it is not there. */
const versionIn = async (storage: Storage, file: string): Promise<number> =>
  (await readDocuments(storage, file)).get('d')?.version ?? 0;

test('no write that was acknowledged before the copying began is lost, however fast the journal grows', async () => {
  const storage = await directory.open({ writeBehindMs: 1, journalSegmentBytes: 4096, historyVersions: 50 });
  const acknowledged = new Map(FILES.map((file) => [file, 0]));
  let isOver = false;
  const writing = FILES.map(async (file) => {
    await readDocuments(storage, file);
    for (let version = 1; !isOver; version += 1) {
      await readDocuments(storage, file);
      await put(storage, file, 'd', stored(version, JSON.stringify({ text: 'x'.repeat(200) })));
      acknowledged.set(file, version);
    }
  });
  const original = directory.data;
  const rounds = async () => {
    for (let round = 0; round < 10; round += 1) {
      directory.data = original;
      const before = new Map(acknowledged);
      await copy();
      const restored = await directory.open();
      for (const [file, version] of before) {
        const found = await versionIn(restored, file);
        assert.ok(found >= version, `${file}: ${found} where ${version} was acknowledged`);
        const versions = await past(restored, file, 'd', { limit: 5 });
        assert.equal(
          versions,
          versions.map((_, index) => found - index),
          'the past has no gap',
        );
      }
      await restored.close();
    }
  };
  await rounds().finally(async () => {
    isOver = true;
    await Promise.all(writing);
    await storage.close();
  });
});

test('a copy holds the files, the changes that only the journal holds, and keys that others cannot read', async () => {
  const storage = await directory.open();
  await readDocuments(storage, 'twins/a');
  await put(storage, 'twins/a', 'd', stored(1));
  await storage.close();
  await mkdir(join(directory.data, 'tls'));
  await writeFile(join(directory.data, 'tls', 'authority.pem'), 'key', { mode: 0o600 });
  const running = await directory.open({ writeBehindMs: LONG });
  await readDocuments(running, 'twins/a');
  await put(running, 'twins/a', 'd', stored(2));
  await copy();
  assert.equal((await readdir(directory.data)).sort(), ['format.json', 'history', 'journal', 'tls', 'twins']);
  assert.is((await stat(directory.data)).mode & 0o777, 0o700);
  assert.is((await stat(join(directory.data, 'tls', 'authority.pem'))).mode & 0o777, 0o600);
  const restored = await directory.open();
  assert.equal(await past(restored, 'twins/a', 'd'), [2, 1]);
  await restored.close();
  await running.close();
});

test('a removed document is not in the copy', async () => {
  const storage = await directory.open({ writeBehindMs: LONG });
  await readDocuments(storage, 'twins/a');
  await put(storage, 'twins/a', 'd', stored(1));
  await remove(storage, 'twins/a', 'd');
  await copy();
  const restored = await directory.open();
  assert.is(await versionIn(restored, 'twins/a'), 0);
  await restored.close();
  await storage.close();
});

test('a torn end of the journal, and damage within it, are copied as they are', async () => {
  const storage = await directory.open({ writeBehindMs: LONG });
  await readDocuments(storage, 'twins/a');
  for (const version of [1, 2, 3]) await put(storage, 'twins/a', 'd', stored(version));
  await directory.crash();
  await storage.close();
  const [segment = ''] = await directory.segments();
  const frames = (await readFile(segment)).lastIndexOf('\n') + 1;
  await truncate(segment, frames - 3);
  const torn = directory.data;
  await copy();
  const restored = await directory.open();
  assert.is(await versionIn(restored, 'twins/a'), 2);
  await restored.close();
  directory.data = torn;
  const bytes = await readFile(segment);
  bytes.write('X', bytes.indexOf('"version":1'));
  await writeFile(segment, bytes);
  await copy();
  try {
    await directory.open();
    assert.unreachable('damage was not seen');
  } catch (error) {
    assert.instance(error, DamagedJournal);
  }
});

const withPipes = needsIn(test, 'mkfifo');

/** A segment that the copying reads when and as the test lets it. */
async function makePipe(number: number): Promise<string> {
  const path = join(directory.data, 'journal', `${String(number).padStart(8, '0')}.log`);
  await promisify(execFile)('mkfifo', [path]);
  return path;
}

/** Resolves when the copying reads the pipe, and it goes on when this is closed. */
const openPipe = (path: string): Promise<FileHandle> => open(path, 'w');

withPipes('a change that goes from the journal to its file meanwhile is in the copy', async () => {
  const storage = await directory.open({ writeBehindMs: LONG });
  await readDocuments(storage, 'twins/a');
  await put(storage, 'twins/a', 'd', stored(1));
  const newest = await makePipe(99);
  const copying = copy();
  const pipe = await openPipe(newest);
  await storage.close();
  await pipe.close();
  await copying;
  const restored = await directory.open();
  assert.is(await versionIn(restored, 'twins/a'), 1);
  await restored.close();
});

withPipes(
  'the changes that the newest segment of the copy builds upon are in its earlier segments',
  async () => {
    const storage = await directory.open({ writeBehindMs: LONG });
    await readDocuments(storage, 'twins/a');
    await put(storage, 'twins/a', 'd', stored(1));
    const newest = await makePipe(99);
    const copying = copy();
    const pipe = await openPipe(newest);
    await put(storage, 'twins/a', 'd', stored(2));
    await pipe.writeFile(await frameOf('twins/a', { seq: 3, key: 'd', document: stored(3) }));
    await pipe.close();
    await copying;
    const restored = await directory.open();
    assert.equal(await past(restored, 'twins/a', 'd'), [3, 2, 1]);
    await restored.close();
    await storage.close();
  },
);

async function frameOf(file: string, change: Change): Promise<Buffer> {
  const path = join(await directory.make(), 'frame');
  const handle = await open(path, 'w');
  writeFrame(handle.fd, encodeRecord(file, change), 0);
  await handle.close();
  return readFile(path);
}

withPipes('a frame that is being written is waited for', async () => {
  const frame = await frameOf('twins/a', { seq: 1, key: 'd', document: stored(1) });
  await (await directory.open()).close();
  const path = await makePipe(1);
  const copying = copy();
  const first = await openPipe(path);
  await first.writeFile(frame.subarray(0, -3));
  await first.close();
  await until(() => isUnread(path));
  const second = await Promise.race([openPipe(path), copying]);
  if (second === undefined) return assert.unreachable('the torn frame was copied');
  await second.writeFile(frame);
  await second.close();
  await copying;
  const restored = await directory.open();
  assert.is(await versionIn(restored, 'twins/a'), 1);
  await restored.close();
});

async function isUnread(pipe: string): Promise<boolean> {
  try {
    await (await open(pipe, constants.O_WRONLY | constants.O_NONBLOCK)).close();
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENXIO';
  }
}

test.run();
