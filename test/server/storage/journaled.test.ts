import { mkdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DamagedFile } from '../../../server/storage/document-file.js';
import { DamagedJournal } from '../../../server/storage/replay.js';
import {
  type Changed,
  readDocuments,
  type Storage,
  StorageUnavailable,
  type StoredDocument,
} from '../../../server/storage/storage.js';
import { until } from '../../until.js';
import { put, remove, storageContract, stored, takesChanges } from './contract.js';
import {
  countSyncs,
  DirectoryUnderTest,
  fillDisk,
  onSync,
  restoreDisk,
  writeInPieces,
} from './directory-under-test.js';

const test = suite('journaled storage');
const directory = new DirectoryUnderTest();

test.before.each(async () => {
  await directory.make();
});
test.after.each(async () => {
  restoreDisk();
  await directory.remove();
});

const LONG = 1_000_000;

/** A segment without the zeros behind its last frame. */
async function readFrames(segment: string): Promise<Buffer> {
  const bytes = await readFile(segment);
  return bytes.subarray(0, bytes.lastIndexOf('\n') + 1);
}

storageContract((name, run) =>
  test(name, async () => {
    const storage = await directory.open({ journalRetryMs: 1 });
    await run({
      storage,
      breakDown: fillDisk,
      repair: async () => {
        restoreDisk();
        await until(() => storage.healthy);
      },
    });
    await storage.close();
  }),
);

test('closing leaves every document in a readable file, and no journal', async () => {
  const storage = await directory.open();
  await readDocuments(storage, 'twins/ab/abc');
  await put(storage, 'twins/ab/abc', 'current', stored(7, '{"door_open":true}'));
  await storage.close();
  assert.equal(await directory.segments(), []);
  const text = await readFile(join(directory.data, 'twins/ab/abc.json'), 'utf8');
  assert.equal(JSON.parse(text).documents, {
    current: { version: 7, updated_at: '2026-01-01T00:00:00.000Z', data: { door_open: true } },
  });
  const again = await directory.open();
  assert.equal(
    [...(await readDocuments(again, 'twins/ab/abc'))],
    [['current', stored(7, '{"door_open":true}')]],
  );
  await again.close();
});

test('after a crash every answered write is there, from the journal alone', async () => {
  const storage = await directory.open({ writeBehindMs: LONG });
  await readDocuments(storage, 'twins/a');
  await put(storage, 'twins/a', 'x', stored(1));
  await put(storage, 'twins/a', 'y', stored(1));
  await put(storage, 'twins/a', 'x', stored(2));
  await remove(storage, 'twins/a', 'y');
  await directory.crash();
  await storage.close();
  const next = await directory.open();
  assert.equal([...(await readDocuments(next, 'twins/a'))], [['x', stored(2)]]);
  await next.close();
});

test('the birth of a document outlives a crash and a restart', async () => {
  const storage = await directory.open({ writeBehindMs: LONG });
  const document = { ...stored(2), born: { createdAt: '2025-12-31T00:00:00.000Z', tag: '0f' } };
  await readDocuments(storage, 'twins/a');
  await put(storage, 'twins/a', 'x', document);
  await directory.crash();
  await storage.close();
  const next = await directory.open();
  assert.equal((await readDocuments(next, 'twins/a')).get('x'), document);
  await next.close();
  const last = await directory.open();
  assert.equal((await readDocuments(last, 'twins/a')).get('x'), document);
  await last.close();
});

test('files and journals without a birth are read', async () => {
  const storage = await directory.open({ writeBehindMs: LONG });
  await readDocuments(storage, 'twins/a');
  await put(storage, 'twins/a', 'x', stored(1));
  await directory.crash();
  await storage.close();
  const next = await directory.open();
  assert.equal((await readDocuments(next, 'twins/a')).get('x'), stored(1));
  await next.close();
  const last = await directory.open();
  assert.equal((await readDocuments(last, 'twins/a')).get('x'), stored(1));
  await last.close();
});

test('changes in the journal that are older than the file are ignored', async () => {
  const storage = await directory.open({ writeBehindMs: LONG });
  await readDocuments(storage, 'twins/a');
  await put(storage, 'twins/a', 'x', stored(1));
  await directory.crash();
  const newer = { seq: 1_000, documents: { x: { version: 9, updated_at: 'later', data: {} } } };
  await storage.close();
  await mkdir(join(directory.data, 'twins'), { recursive: true });
  await writeFile(join(directory.data, 'twins/a.json'), JSON.stringify(newer));
  const next = await directory.open();
  const file = await readDocuments(next, 'twins/a');
  assert.is(file.get('x')?.version, 9);
  await put(next, 'twins/a', 'x', stored(10));
  await directory.crash();
  await next.close();
  const last = await directory.open();
  assert.is((await readDocuments(last, 'twins/a')).get('x')?.version, 10);
  await last.close();
});

test('a file that was cleared does not come back after a crash', async () => {
  const storage = await directory.open({ writeBehindMs: 1 });
  await readDocuments(storage, 'twins/a');
  await put(storage, 'twins/a', 'x', stored(1));
  await remove(storage, 'twins/a');
  await directory.crash();
  await storage.close();
  const next = await directory.open();
  assert.is((await readDocuments(next, 'twins/a')).size, 0);
  await next.close();
});

test('a journal torn anywhere in its last frame loses only that frame', async () => {
  const storage = await directory.open({ writeBehindMs: LONG });
  await readDocuments(storage, 'twins/a');
  await put(storage, 'twins/a', 'x', stored(1));
  const [segment = ''] = await directory.segments();
  const whole = (await readFrames(segment)).length;
  await put(storage, 'twins/a', 'x', stored(2));
  const torn = await readFrames(segment);
  await storage.close();
  for (let length = whole; length < torn.length; length += 7) {
    await directory.make();
    await (await directory.open()).close();
    await writeFile(join(directory.data, 'journal/00000001.log'), torn.subarray(0, length));
    const next = await directory.open();
    assert.is((await readDocuments(next, 'twins/a')).get('x')?.version, 1, `cut at ${length}`);
    await next.close();
  }
});

test('a torn end filled with zeros is dropped as well', async () => {
  const storage = await directory.open({ writeBehindMs: LONG });
  await readDocuments(storage, 'twins/a');
  await put(storage, 'twins/a', 'x', stored(1));
  await directory.crash();
  await storage.close();
  const [segment = ''] = await directory.segments();
  const { size } = await stat(segment);
  await truncate(segment, size + 4096);
  const next = await directory.open();
  assert.is((await readDocuments(next, 'twins/a')).get('x')?.version, 1);
  await next.close();
});

test('a journal damaged before whole changes is refused, and named', async () => {
  const storage = await directory.open({ writeBehindMs: LONG });
  await readDocuments(storage, 'twins/a');
  await put(storage, 'twins/a', 'x', stored(1));
  await put(storage, 'twins/a', 'x', stored(2));
  await directory.crash();
  await storage.close();
  const [segment = ''] = await directory.segments();
  const bytes = await readFile(segment);
  bytes.write('?', bytes.indexOf('twins/a'));
  await writeFile(segment, bytes);
  try {
    await directory.open();
    assert.unreachable('a damaged journal was opened');
  } catch (error) {
    assert.instance(error, DamagedJournal);
    assert.match((error as Error).message, segment);
  }
});

const DAMAGES: [string, (good: string) => string][] = [
  ['empty', () => ''],
  ['cut', (good) => good.slice(0, good.length / 2)],
  ['zeros', (good) => '\0'.repeat(good.length)],
  ['null', () => 'null'],
  ['an array', () => '[]'],
  ['without documents', () => '{"seq":1}'],
  ['with a byte order mark', (good) => `\ufeff${good}`],
  ['with a document that is none', () => '{"seq":1,"documents":{"x":null}}'],
];

for (const [name, damage] of DAMAGES) {
  test(`a file that is ${name} is refused, named and left as it is, and the others are served`, async () => {
    const storage = await directory.open();
    for (const file of ['twins/a', 'twins/b']) {
      await readDocuments(storage, file);
      await put(storage, file, 'x', stored(1));
    }
    await storage.close();
    const path = join(directory.data, 'twins/a.json');
    const damaged = damage(await readFile(path, 'utf8'));
    await writeFile(path, damaged);
    const next = await directory.open();
    try {
      await readDocuments(next, 'twins/a');
      assert.unreachable('a damaged file was opened');
    } catch (error) {
      assert.instance(error, StorageUnavailable);
      const { cause } = error as Error;
      assert.instance(cause, DamagedFile);
      assert.match((cause as Error).message, path);
    }
    assert.is((await readDocuments(next, 'twins/b')).size, 1);
    await next.close();
    assert.is(await readFile(path, 'utf8'), damaged);
  });
}

test('all writes of one turn share one fdatasync', async () => {
  const storage = await directory.open();
  await readDocuments(storage, 'twins/a');
  const syncs = countSyncs();
  await Promise.all(
    Array.from({ length: 100 }, (_, index) => put(storage, 'twins/a', `k${index}`, stored(1))),
  );
  assert.is(syncs(), 1);
  await storage.close();
});

const change = (storage: Storage, document: StoredDocument, done: Changed) =>
  storage.change('twins/a', () => ({ key: 'k', document }), done);

test('the next batch is being written before the last one is answered', async () => {
  const storage = await directory.open();
  let syncs = () => 0;
  const answers: string[] = [];
  await readDocuments(storage, 'twins/a');
  await new Promise<void>((done) => {
    onSync(() => {
      syncs = countSyncs();
      change(storage, stored(2), () => done());
    });
    change(storage, stored(1), () => answers.push(`first, ${syncs()} more begun`));
  });
  assert.equal(answers, ['first, 1 more begun']);
  await storage.close();
});

test('when a batch fills a segment, the batch that waits is written after it', async () => {
  const storage = await directory.open({ journalSegmentBytes: 2000, writeBehindMs: LONG });
  await readDocuments(storage, 'twins/a');
  const long = (version: number) => stored(version, JSON.stringify({ text: 'x'.repeat(3000) }));
  let next: Promise<void> | undefined;
  onSync(() => {
    next = put(storage, 'twins/a', 'x', long(2));
  });
  await put(storage, 'twins/a', 'x', long(1));
  await next;
  assert.is(storage.healthy, true);
  await storage.close();
});

test('a batch that cannot be written is answered after the one before it', async () => {
  const storage = await directory.open({ journalRetryMs: 1 });
  await readDocuments(storage, 'twins/a');
  const answers: string[] = [];
  await new Promise<void>((done) => {
    onSync(() => {
      fillDisk();
      change(storage, stored(2), (error) => {
        answers.push(error === null ? 'second' : 'second refused');
        done();
      });
    });
    change(storage, stored(1), (error) => answers.push(error === null ? 'first' : 'first refused'));
  });
  assert.equal(answers, ['first', 'second refused']);
  assert.equal([...(await readDocuments(storage, 'twins/a'))], [['k', stored(1)]]);
  restoreDisk();
  await until(() => storage.healthy);
  await storage.close();
});

test('journalBatchLength bounds what one fdatasync covers', async () => {
  const storage = await directory.open({ journalBatchLength: 1000 });
  await readDocuments(storage, 'twins/a');
  const syncs = countSyncs();
  const data = JSON.stringify({ text: 'x'.repeat(400) });
  await Promise.all(
    Array.from({ length: 10 }, (_, index) => put(storage, 'twins/a', `k${index}`, stored(1, data))),
  );
  assert.is(syncs(), 10);
  await storage.close();
});

test('a system that writes in pieces loses nothing', async () => {
  const storage = await directory.open({ writeBehindMs: LONG });
  await readDocuments(storage, 'twins/a');
  writeInPieces(5);
  await put(storage, 'twins/a', 'x', stored(1, '{"text":"ÄÖÜ"}'));
  await directory.crash();
  await storage.close();
  const next = await directory.open();
  assert.is((await readDocuments(next, 'twins/a')).get('x')?.data, '{"text":"ÄÖÜ"}');
  await next.close();
});

test('memoryBytes bounds the files in memory, and those that were dropped are read again unchanged', async () => {
  const storage = await directory.open({ memoryBytes: 4096, writeBehindMs: 1 });
  const names = Array.from({ length: 50 }, (_, index) => `twins/${index}`);
  for (const name of names) {
    await readDocuments(storage, name);
    await put(storage, name, 'x', stored(1, JSON.stringify({ name })));
  }
  await until(() => names.filter((name) => takesChanges(storage, name)).length <= 7);
  for (const name of names) {
    assert.is((await readDocuments(storage, name)).get('x')?.data, JSON.stringify({ name }));
  }
  await storage.close();
});

test('a file is read once for many calls at the same time', async () => {
  const storage = await directory.open();
  const files = await Promise.all(Array.from({ length: 20 }, () => readDocuments(storage, 'twins/a')));
  assert.is(new Set(files).size, 1);
  await storage.close();
});

test('segments that the files cover are removed while writing goes on', async () => {
  const storage = await directory.open({ journalSegmentBytes: 2000, writeBehindMs: 1 });
  await readDocuments(storage, 'twins/a');
  for (let version = 1; version <= 200; version += 1) await put(storage, 'twins/a', 'x', stored(version));
  // The one that is written to, and perhaps the next.
  await until(async () => (await directory.segments()).length <= 2);
  await storage.close();
});

test('at journalCeilingBytes writers wait for room instead of filling the disk', async () => {
  const journalCeilingBytes = 20_000;
  const storage = await directory.open({
    journalCeilingBytes,
    journalBatchLength: 1000,
    writeBehindMs: LONG,
  });
  await readDocuments(storage, 'twins/a');
  const data = JSON.stringify({ text: 'x'.repeat(300) });
  let most = 0;
  const writes = Array.from({ length: 500 }, (_, index) =>
    put(storage, 'twins/a', `k${index % 10}`, stored(index, data)).then(async () => {
      if (index % 20 === 0) most = Math.max(most, await directory.journalBytes());
    }),
  );
  await Promise.all(writes);
  assert.ok(most > 0 && most <= journalCeilingBytes * 1.5, `the journal grew to ${most} bytes`);
  await storage.close();
});

test.run();
