import * as assert from 'uvu/assert';
import {
  type PastRange,
  type Storage,
  StorageUnavailable,
  type StoredDocument,
  type StoredFile,
} from '../../../server/storage/storage.js';

/** A Storage under test, and how to make its writes fail and work again. */
export interface Subject {
  storage: Storage;
  breakDown(): void;
  /** Resolves when writes work again. */
  repair(): Promise<void>;
}

type Test = (name: string, run: (subject: Subject) => Promise<void>) => void;

export const stored = (version: number, data = '{}'): StoredDocument => ({
  version,
  updatedAt: '2026-01-01T00:00:00.000Z',
  data,
});

/** A file that this turn has opened. */
export function openFile(storage: Storage, name: string): StoredFile {
  const file = storage.peek(name);
  if (file === undefined) throw new Error(`${name} is not open`);
  return file;
}

export const put = (storage: Storage, file: string, key: string, document: StoredDocument): Promise<void> =>
  new Promise((done, failed) =>
    storage.put(openFile(storage, file), key, document, (error) => (error ? failed(error) : done())),
  );

export const remove = (storage: Storage, file: string, key?: string): Promise<void> =>
  new Promise((done, failed) =>
    storage.remove(openFile(storage, file), key, (error) => (error ? failed(error) : done())),
  );

/** The versions that a document of a file has had, newest first. */
export async function past(
  storage: Storage,
  file: string,
  key: string,
  range: Partial<PastRange> = {},
): Promise<number[]> {
  await storage.open(file);
  const versions = await storage.past(openFile(storage, file), key, {
    limit: 1000,
    dataBytes: 1e6,
    ...range,
  });
  return versions.map(({ version }) => version);
}

/** What every Storage must do. */
export function storageContract(test: Test): void {
  test('a file that does not exist is empty', async ({ storage }) => {
    const file = await storage.open('twins/a');
    assert.is(file.documents.size, 0);
    assert.is(file.latest.size, 0);
  });

  test('a put is in latest at once, and in documents when it is written', async ({ storage }) => {
    const file = await storage.open('twins/a');
    const written = put(storage, 'twins/a', 'current', stored(1, '{"a":1}'));
    assert.equal([...file.latest], [['current', stored(1, '{"a":1}')]]);
    assert.is(file.documents.size, 0);
    await written;
    assert.equal([...file.documents], [['current', stored(1, '{"a":1}')]]);
  });

  test('writes of one file are answered in the order of the calls', async ({ storage }) => {
    await storage.open('twins/a');
    const answers: string[] = [];
    const writes = Array.from({ length: 50 }, (_, index) =>
      put(storage, 'twins/a', 'd', stored(index + 1)).then(() => answers.push(`put ${index + 1}`)),
    );
    storage.settled(openFile(storage, 'twins/a'), () => answers.push('settled'));
    writes.push(remove(storage, 'twins/a', 'd').then(() => answers.push('removed')));
    await Promise.all(writes);
    // A promise's reaction runs a microtask after the callback, so the barrier may only seem early by its neighbours.
    assert.equal(
      answers.filter((answer) => answer !== 'settled'),
      [...Array.from({ length: 50 }, (_, index) => `put ${index + 1}`), 'removed'],
    );
    assert.is(answers.includes('settled'), true);
  });

  test('settled comes after the earlier writes and before the later ones', async ({ storage }) => {
    const file = await storage.open('twins/a');
    const before = put(storage, 'twins/a', 'd', stored(1));
    const seen = new Promise((resolve) => {
      storage.settled(openFile(storage, 'twins/a'), () => resolve(file.documents.get('d')?.version));
    });
    const after = put(storage, 'twins/a', 'd', stored(2));
    await Promise.all([before, after]);
    assert.is(await seen, 1);
  });

  test('settled calls back at once when nothing is under way', async ({ storage }) => {
    await storage.open('twins/a');
    let called = false;
    storage.settled(openFile(storage, 'twins/a'), () => {
      called = true;
    });
    assert.ok(called);
  });

  test('removing without a key removes every document of that file only', async ({ storage }) => {
    const [a, b] = [await storage.open('twins/a'), await storage.open('twins/b')];
    await Promise.all(['x', 'y'].map((key) => put(storage, 'twins/a', key, stored(1))));
    await put(storage, 'twins/b', 'x', stored(1));
    await remove(storage, 'twins/a');
    assert.is(a.documents.size, 0);
    assert.is(b.documents.size, 1);
  });

  test('the past of a document is its versions, newest first', async ({ storage }) => {
    await storage.open('twins/a');
    for (const version of [1, 2, 3]) await put(storage, 'twins/a', 'd', stored(version, `{"a":${version}}`));
    await put(storage, 'twins/a', 'e', stored(1));
    assert.equal(await past(storage, 'twins/a', 'd'), [3, 2, 1]);
    const file = await storage.open('twins/a');
    const [newest] = await storage.past(file, 'd', { limit: 1, dataBytes: 1e6 });
    assert.equal(newest, stored(3, '{"a":3}'));
  });

  test('the past can be limited to a time, a number of versions and a length', async ({ storage }) => {
    await storage.open('twins/a');
    for (const version of [1, 2, 3, 4]) {
      const updatedAt = `2026-01-01T00:00:0${version}.000Z`;
      await put(storage, 'twins/a', 'd', { version, updatedAt, data: '{"four":"fourteen"}' });
    }
    assert.equal(await past(storage, 'twins/a', 'd', { since: '2026-01-01T00:00:03.000Z' }), [4, 3]);
    assert.equal(await past(storage, 'twins/a', 'd', { limit: 3 }), [4, 3, 2]);
    assert.equal(await past(storage, 'twins/a', 'd', { before: 4, limit: 2 }), [3, 2]);
    assert.equal(await past(storage, 'twins/a', 'd', { before: 1 }), []);
    assert.equal(await past(storage, 'twins/a', 'd', { dataBytes: 40 }), [4, 3]);
    assert.equal(await past(storage, 'twins/a', 'd', { dataBytes: 1 }), [4]);
  });

  test('a removed document leaves no past to the next document of its name', async ({ storage }) => {
    await storage.open('twins/a');
    for (const version of [1, 2]) await put(storage, 'twins/a', 'd', stored(version));
    await put(storage, 'twins/a', 'e', stored(1));
    await remove(storage, 'twins/a', 'd');
    assert.equal(await past(storage, 'twins/a', 'd'), []);
    await put(storage, 'twins/a', 'd', stored(1));
    assert.equal(await past(storage, 'twins/a', 'd'), [1]);
    await remove(storage, 'twins/a');
    assert.equal(await past(storage, 'twins/a', 'e'), []);
  });

  test('a write that fails is not in the past', async (subject) => {
    const { storage } = subject;
    await storage.open('twins/a');
    await put(storage, 'twins/a', 'd', stored(1));
    subject.breakDown();
    await Promise.allSettled([put(storage, 'twins/a', 'd', stored(2))]);
    await subject.repair();
    assert.equal(await past(storage, 'twins/a', 'd'), [1]);
  });

  test('list names the files with a prefix', async ({ storage }) => {
    for (const name of ['devices/aa', 'devices/ab', 'twins/aa']) {
      await storage.open(name);
      await put(storage, name, 'k', stored(1));
    }
    assert.equal((await storage.list('devices/')).sort(), ['devices/aa', 'devices/ab']);
  });

  test('a write that fails leaves no trace, and neither do the writes that build upon it', async (subject) => {
    const { storage } = subject;
    const file = await storage.open('twins/a');
    await put(storage, 'twins/a', 'd', stored(1));
    assert.ok(storage.healthy);
    subject.breakDown();
    const results = await Promise.allSettled([
      put(storage, 'twins/a', 'd', stored(2)),
      put(storage, 'twins/a', 'd', stored(3)),
      put(storage, 'twins/a', 'e', stored(1)),
    ]);
    for (const result of results) {
      assert.is(result.status, 'rejected');
      assert.instance(result.status === 'rejected' && result.reason, StorageUnavailable);
    }
    assert.equal([...file.documents], [['d', stored(1)]]);
    assert.equal([...file.latest], [['d', stored(1)]]);
    assert.not(storage.healthy);
    await subject.repair();
    await put(storage, 'twins/a', 'd', stored(2));
    assert.ok(storage.healthy);
    assert.equal([...file.documents], [['d', stored(2)]]);
  });
}
