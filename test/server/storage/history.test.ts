/** The past versions of documents on disk, through the storage that keeps them. */

import { appendFile, cp, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readDocuments, type Storage } from '../../../server/storage/storage.js';
import { past, put, remove, stored } from './contract.js';
import { DirectoryUnderTest } from './directory-under-test.js';

const test = suite('history');
const directory = new DirectoryUnderTest();

test.before.each(async () => {
  await directory.make();
});
test.after.each(() => directory.remove());

const LONG = 1_000_000;
const FILE = 'twins/ab/abc';

const counting = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

async function putVersions(storage: Storage, from: number, to: number, key = 'current'): Promise<void> {
  await readDocuments(storage, FILE);
  await Promise.all(counting(from, to).map((version) => put(storage, FILE, key, stored(version))));
}

/** Everything to disk, and back. */
async function restart(storage: Storage, versions = 1000): Promise<Storage> {
  await storage.close();
  return directory.open({ historyVersions: versions });
}

/** What a process that is killed now leaves to the next. */
async function crash(storage: Storage): Promise<Storage> {
  await directory.crash();
  await storage.close();
  return directory.open({ writeBehindMs: LONG });
}

const parts = async (): Promise<string[]> => {
  const folder = join(directory.data, 'history', FILE);
  return (await readdir(folder).catch(() => [])).sort().map((name) => join(folder, name));
};

async function firstPart(): Promise<string> {
  const [first] = await parts();
  if (first === undefined) throw new Error('there is no part');
  return first;
}

test('the past outlives a restart, with one readable line for each version', async () => {
  const storage = await directory.open();
  await putVersions(storage, 1, 3);
  const again = await restart(storage);
  assert.equal(await past(again, FILE, 'current'), [3, 2, 1]);
  const lines = (await readFile(await firstPart(), 'utf8')).trimEnd().split('\n');
  assert.equal(JSON.parse(lines[0] ?? ''), { version: 1, updated_at: stored(1).updatedAt, data: {} });
  assert.is(lines.length, 3);
  await again.close();
});

test('the past outlives a crash, from the journal alone', async () => {
  const storage = await directory.open({ writeBehindMs: LONG });
  await putVersions(storage, 1, 50);
  const next = await crash(storage);
  assert.equal(await past(next, FILE, 'current'), counting(1, 50).reverse());
  await next.close();
});

test('the past says who wrote each version, after a crash and after a restart', async () => {
  const first = await directory.open({ writeBehindMs: LONG });
  await readDocuments(first, FILE);
  await put(first, FILE, 'd', { ...stored(1, '{"by":"x"}'), updatedBy: 'a "phone" \\' });
  await put(first, FILE, 'd', stored(2));
  await put(first, FILE, 'd', { ...stored(3), updatedBy: 'owner' });
  const writers = async (storage: Storage) => {
    const versions = await storage.past(FILE, 'd', { limit: 9, dataBytes: LONG });
    return versions.map(({ updatedBy }) => updatedBy);
  };
  const expected = ['owner', undefined, 'a "phone" \\'];
  const second = await crash(first);
  assert.equal(await writers(second), expected);
  const third = await restart(second);
  assert.equal(await writers(third), expected);
  await third.close();
});

test('versions on disk and versions in the journal are one past', async () => {
  const storage = await directory.open();
  await putVersions(storage, 1, 3);
  const again = await restart(storage);
  await putVersions(again, 4, 5);
  assert.equal(await past(again, FILE, 'current'), [5, 4, 3, 2, 1]);
  const next = await crash(again);
  assert.equal(await past(next, FILE, 'current'), [5, 4, 3, 2, 1]);
  await next.close();
});

test('a crash between the history and the file repeats no version', async () => {
  const storage = await directory.open({ writeBehindMs: LONG });
  await putVersions(storage, 1, 3);
  const saved = directory.data;
  await directory.crash();
  await storage.close();
  // The history of the one that saved it, the journal of the one that has not.
  await cp(join(saved, 'history'), join(directory.data, 'history'), { recursive: true });
  const last = await restart(await directory.open());
  assert.equal(await past(last, FILE, 'current'), [3, 2, 1]);
  assert.is((await readFile(await firstPart(), 'utf8')).split('\n').length, 4);
  await last.close();
});

test('versions in a backup that are newer than its file are replaced by new writes', async () => {
  const storage = await directory.open({ historyVersions: 4 });
  await putVersions(storage, 1, 3);
  let again = await restart(storage, 4);
  const file = join(directory.data, `${FILE}.json`);
  const kept = await readFile(file);
  for (const version of [4, 5, 6]) {
    await putVersions(again, version, version);
    again = await restart(again, 4);
  }
  await again.close();
  await writeFile(file, kept);
  const restored = await directory.open({ historyVersions: 4 });
  assert.equal(await past(restored, FILE, 'current'), [3, 2, 1]);
  await readDocuments(restored, FILE);
  await put(restored, FILE, 'current', stored(4, '{"restored":true}'));
  assert.equal(await past(restored, FILE, 'current'), [4, 3, 2, 1]);
  const last = await restart(restored, 4);
  assert.equal(await past(last, FILE, 'current'), [4, 3, 2, 1]);
  const lines = (await Promise.all((await parts()).map((path) => readFile(path, 'utf8')))).join('');
  assert.is(lines.match(/"version":4/g)?.length, 1);
  assert.match(lines, '"restored":true');
  await last.close();
});

test('at least the set number of versions stays on disk, and at most twice as many', async () => {
  let storage = await directory.open({ historyVersions: 10 });
  for (let version = 1; version <= 95; version += 5) {
    await putVersions(storage, version, version + 4);
    storage = await restart(storage, 10);
    const kept = await past(storage, FILE, 'current');
    assert.equal(
      kept,
      counting(1, version + 4)
        .reverse()
        .slice(0, kept.length),
    );
    assert.ok(kept.length >= Math.min(10, version + 4));
    assert.ok(kept.length <= 20);
  }
  assert.is((await parts()).length, 2);
  await storage.close();
});

test('after a burst memory holds the newest versions, and not more than are kept', async () => {
  const storage = await directory.open({ historyVersions: 10, writeBehindMs: LONG });
  await putVersions(storage, 1, 100);
  const kept = await past(storage, FILE, 'current');
  assert.equal(kept, counting(1, 100).reverse().slice(0, kept.length));
  assert.ok(kept.length >= 10 && kept.length <= 20);
  await storage.close();
});

const BYTES = 128 * 1024;

async function bytesOnDisk(): Promise<number> {
  const sizes = await Promise.all((await parts()).map(async (path) => (await stat(path)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

test('all documents of a twin together take so many bytes, and the oldest versions go first', async () => {
  const settings = { historyVersions: 100_000, historyBytes: BYTES };
  let storage = await directory.open(settings);
  const all: { key: string; version: number }[] = [];
  const text = JSON.stringify({ text: 'x'.repeat(300) });
  for (let n = 0; n < 12; n += 1) {
    await readDocuments(storage, FILE);
    for (let index = 0; index < 60; index += 1) {
      const key = index % 3 === 0 ? 'desired' : 'current';
      const version = all.filter((each) => each.key === key).length + 1;
      const updatedAt = new Date(Date.UTC(2026, 0, 1) + all.length * 1000).toISOString();
      await put(storage, FILE, key, { version, updatedAt, data: text });
      all.push({ key, version });
    }
    await storage.close();
    storage = await directory.open(settings);
    const bytes = await bytesOnDisk();
    assert.ok(bytes <= BYTES, `${bytes} bytes`);
    assert.ok(n < 8 || bytes > 0.9 * BYTES, `${bytes} bytes`);
  }
  // What is kept is about the end of what was written, whichever document it was.
  const kept: number[] = [];
  for (const key of ['current', 'desired']) {
    const versions = await past(storage, FILE, key);
    const own = all.filter((each) => each.key === key);
    assert.is(versions[0], own.at(-1)?.version);
    assert.equal(
      [...versions].reverse(),
      own.slice(-versions.length).map(({ version }) => version),
    );
    kept.push(all.findIndex((each) => each.key === key && each.version === versions.at(-1)));
  }
  assert.ok(Math.min(...kept) > all.length / 4);
  assert.ok(Math.abs((kept[0] ?? 0) - (kept[1] ?? 0)) < 20, `${kept}`);
  await storage.close();
});

test('a part is so small that to remove the oldest one takes little of the past', async () => {
  const storage = await directory.open({ historyBytes: BYTES });
  await putVersions(storage, 1, 100);
  await put(storage, FILE, 'current', stored(101, JSON.stringify({ text: 'x'.repeat(5000) })));
  await (await restart(storage)).close();
  const sizes = await Promise.all((await parts()).map(async (path) => (await stat(path)).size));
  assert.ok(sizes.length > 5);
  // The last version does not fit, and has a part of its own.
  for (const size of sizes.slice(0, -1)) assert.ok(size <= BYTES / 128);
  assert.ok((sizes.at(-1) ?? 0) > 5000);
});

test('a range is found across the parts, wherever it begins and ends', async () => {
  const storage = await directory.open({ historyBytes: BYTES, writeBehindMs: 1 });
  await readDocuments(storage, FILE);
  const time = (second: number) => new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString();
  const all = counting(1, 40).map((version) => ({
    ...stored(version, JSON.stringify({ text: 'x'.repeat(250) })),
    // The clock is set back twice.
    updatedAt: time(version % 15),
  }));
  for (const document of all) await put(storage, FILE, 'current', document);
  await storage.close();
  const again = await directory.open({ historyBytes: BYTES });
  assert.ok((await parts()).length > 10);
  for (const before of counting(1, 41)) {
    for (const since of [0, 1, 7, 14, 15].map(time)) {
      const expected = all.filter((each) => each.version < before && each.updatedAt >= since);
      assert.equal(
        await past(again, FILE, 'current', { before, since }),
        expected.map(({ version }) => version).reverse(),
      );
    }
  }
  await again.close();
});

test('a part of an earlier server that is too long is shortened at the next save', async () => {
  const storage = await directory.open({ historyBytes: BYTES });
  await putVersions(storage, 1, 3);
  await storage.close();
  const line = (version: number) =>
    `{"version":${version},"updated_at":"${stored(1).updatedAt}","data":{}}\n`;
  await writeFile(await firstPart(), counting(1, 20_000).map(line).join(''));
  const again = await directory.open({ historyBytes: BYTES });
  await readDocuments(again, FILE);
  await put(again, FILE, 'current', stored(20_001));
  await again.close();
  const bytes = await bytesOnDisk();
  assert.ok(bytes <= BYTES && bytes > 0.9 * BYTES, `${bytes} bytes`);
  const last = await directory.open({ historyBytes: BYTES });
  assert.equal(await past(last, FILE, 'current', { limit: 1000 }), counting(19_002, 20_001).reverse());
  await last.close();
});

test('memory holds so many bytes of the versions that are not on disk', async () => {
  const storage = await directory.open({ historyBytes: BYTES, writeBehindMs: LONG });
  await readDocuments(storage, FILE);
  const data = JSON.stringify({ text: 'x'.repeat(1000) });
  for (let version = 1; version <= 300; version += 1) {
    const updatedAt = new Date(Date.UTC(2026, 0, 1) + version).toISOString();
    await put(storage, FILE, 'current', { version, updatedAt, data });
    await put(storage, FILE, 'desired', { version, updatedAt, data });
  }
  const current = await past(storage, FILE, 'current');
  const desired = await past(storage, FILE, 'desired');
  assert.is(current[0], 300);
  const kept = (current.length + desired.length) * data.length;
  assert.ok(kept <= BYTES && kept > 0.8 * BYTES, `${kept} bytes`);
  assert.ok(Math.abs(current.length - desired.length) <= 1);
  await storage.close();
});

test('a torn line at the end is replaced, not followed', async () => {
  const storage = await directory.open();
  await putVersions(storage, 1, 3);
  const again = await restart(storage);
  await truncate(await firstPart(), (await readFile(await firstPart())).length - 5);
  await putVersions(again, 4, 4);
  const last = await restart(again);
  assert.equal(await past(last, FILE, 'current'), [4, 2, 1]);
  await last.close();
});

test('a damaged part is set aside and named, and the document can be written', async () => {
  const storage = await directory.open();
  await putVersions(storage, 1, 3);
  const again = await restart(storage);
  await appendFile(await firstPart(), 'not a version\n');
  await putVersions(again, 4, 4);
  const last = await restart(again);
  assert.equal(await past(last, FILE, 'current'), [4]);
  assert.is((await parts()).filter((path) => path.endsWith('.damaged')).length, 1);
  await last.close();
});

test('the past can be read back to a damaged line', async () => {
  const storage = await directory.open();
  await putVersions(storage, 1, 3);
  const again = await restart(storage);
  const [first = '', , third = ''] = (await readFile(await firstPart(), 'utf8')).split('\n');
  await writeFile(await firstPart(), `${first}\n\0\0\0\n${third}\n`);
  assert.equal(await past(again, FILE, 'current'), [3]);
  await again.close();
});

test('removing a document or a file removes its past from the disk', async () => {
  const storage = await directory.open();
  await putVersions(storage, 1, 3);
  await putVersions(storage, 1, 2, 'desired');
  const again = await restart(storage);
  assert.is((await parts()).length, 2);
  await readDocuments(again, FILE);
  await remove(again, FILE, 'desired');
  const third = await restart(again);
  assert.is((await parts()).length, 1);
  await readDocuments(third, FILE);
  await remove(third, FILE);
  const last = await restart(third);
  assert.equal(await parts(), []);
  await last.close();
});

test('a document created again after a crash has none of the past of the one before', async () => {
  const storage = await directory.open();
  await putVersions(storage, 1, 5);
  const again = await restart(storage);
  await readDocuments(again, FILE);
  await remove(again, FILE, 'current');
  await putVersions(again, 1, 2);
  const next = await crash(again);
  assert.equal(await past(next, FILE, 'current'), [2, 1]);
  const last = await restart(next);
  assert.equal(await past(last, FILE, 'current'), [2, 1]);
  await last.close();
});

test('when no past versions are kept, there is only the present one', async () => {
  const storage = await directory.open({ historyVersions: 0 });
  await putVersions(storage, 1, 3);
  assert.equal(await past(storage, FILE, 'current'), [3]);
  await storage.close();
  assert.equal(await parts(), []);
});

test('lines that are longer than one read are read whole', async () => {
  const storage = await directory.open();
  await readDocuments(storage, FILE);
  const data = JSON.stringify({ text: 'ä'.repeat(30_000) });
  for (const version of [1, 2, 3]) await put(storage, FILE, 'current', stored(version, data));
  const again = await restart(storage);
  const versions = await again.past(FILE, 'current', { limit: 10, dataBytes: 1e6 });
  assert.equal(
    versions,
    [3, 2, 1].map((version) => stored(version, data)),
  );
  await again.close();
});

test.run();
