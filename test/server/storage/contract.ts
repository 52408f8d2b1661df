import * as assert from 'uvu/assert';
import {
  changeFile,
  type Documents,
  type PastRange,
  readDocuments,
  type Storage,
  StorageUnavailable,
  type StoredDocument,
} from '../../../server/storage/storage.js';

/** A Storage under test, and how to make its writes fail and work again. */
export interface Subject {
  storage: Storage;
  breakDown(): void | Promise<void>;
  /** Resolves when writes work again. */
  repair(): Promise<void>;
}

type Test = (name: string, run: (subject: Subject) => Promise<void>) => void;

export const stored = (version: number, data = '{}'): StoredDocument => ({
  version,
  updatedAt: '2026-01-01T00:00:00.000Z',
  data,
});

export const put = async (storage: Storage, file: string, key: string, document: StoredDocument) => {
  await changeFile(storage, file, () => ({ key, document }));
};

export const remove = async (storage: Storage, file: string, key?: string) => {
  await changeFile(storage, file, () => ({ key, document: undefined }));
};

/** Whether the file is in memory and may take changes now. A file that is not there is read. */
export function takesChanges(storage: Storage, file: string): boolean {
  let isDecided = false;
  const decide = () => {
    isDecided = true;
    return undefined;
  };
  storage.change(file, decide, () => undefined);
  return isDecided;
}

/** The versions that a document of a file has had, newest first. */
export async function past(
  storage: Storage,
  file: string,
  key: string,
  range: Partial<PastRange> = {},
): Promise<number[]> {
  const versions = await storage.past(file, key, { limit: 1000, dataBytes: 1e6, ...range });
  return versions.map(({ version }) => version);
}

/** What every Storage must do. */
export function storageContract(test: Test): void {
  test('a file that does not exist is empty', async ({ storage }) => {
    assert.is((await readDocuments(storage, 'twins/a')).size, 0);
    let latest = -1;
    await changeFile(storage, 'twins/a', ({ size }) => {
      latest = size;
      return undefined;
    });
    assert.is(latest, 0);
  });

  test('a change is decided by the latest state, and a read sees it when it is written', async ({
    storage,
  }) => {
    const seen: Record<string, StoredDocument[]> = { latest: [], read: [] };
    const written = put(storage, 'twins/a', 'current', stored(1, '{"a":1}'));
    const decided = changeFile(storage, 'twins/a', (latest) => {
      seen.latest = [...latest.values()];
      return undefined;
    });
    const read = readDocuments(storage, 'twins/a').then((documents) => {
      seen.read = [...documents.values()];
    });
    await Promise.all([written, decided, read]);
    assert.equal(seen, { latest: [stored(1, '{"a":1}')], read: [stored(1, '{"a":1}')] });
  });

  test('what was changed is returned, and nothing when there was nothing to change', async ({ storage }) => {
    const document = stored(1);
    assert.is((await changeFile(storage, 'twins/a', () => ({ key: 'd', document })))?.document, document);
    assert.is(await changeFile(storage, 'twins/a', () => undefined), undefined);
  });

  test('a decision gets the time of the storage, which is about now', async ({ storage }) => {
    let at = '';
    await changeFile(storage, 'twins/a', (_, now) => {
      at = now;
      return undefined;
    });
    for (const time of [Date.parse(at), storage.now()]) assert.ok(Math.abs(time - Date.now()) < 60_000);
    assert.match(at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  test('a change that is refused changes nothing, and is answered after the earlier ones', async ({
    storage,
  }) => {
    const answers: string[] = [];
    const first = put(storage, 'twins/a', 'd', stored(1)).then(() => answers.push('written'));
    const refusal = changeFile(storage, 'twins/a', () => {
      throw new Error('refused');
    });
    await first;
    await refusal.then(
      () => assert.unreachable('it was not refused'),
      (error: Error) => answers.push(error.message),
    );
    assert.equal(answers, ['written', 'refused']);
    assert.equal([...(await readDocuments(storage, 'twins/a'))], [['d', stored(1)]]);
  });

  test('what a look throws is the answer to the read', async ({ storage }) => {
    const error = await new Promise((done) => {
      const look = () => {
        throw new Error('not found');
      };
      storage.read('twins/a', look, done);
    });
    assert.is((error as Error).message, 'not found');
  });

  test('calls on one file are answered in their order', async ({ storage }) => {
    const answers: string[] = [];
    const versions = Array.from({ length: 50 }, (_, index) => index + 1);
    await new Promise<void>((done) => {
      for (const version of versions) {
        const decide = () => ({ key: 'd', document: stored(version) });
        storage.change('twins/a', decide, () => answers.push(`put ${version}`));
      }
      const look = (documents: Documents) => documents.get('d')?.version;
      storage.read('twins/a', look, (_, version) => answers.push(`read ${version}`));
      const removal = () => ({ key: 'd', document: undefined });
      storage.change('twins/a', removal, () => answers.push('removed'));
      storage.read('twins/a', look, (_, version) => done(void answers.push(`read ${version}`)));
    });
    const puts = versions.map((version) => `put ${version}`);
    assert.equal(answers, [...puts, 'read 50', 'removed', 'read undefined']);
  });

  test('a read sees the earlier writes and not the later ones', async ({ storage }) => {
    const before = put(storage, 'twins/a', 'd', stored(1));
    const seen = new Promise((resolve) => {
      const look = (documents: Documents) => documents.get('d')?.version;
      storage.read('twins/a', look, (_, version) => resolve(version));
    });
    const after = put(storage, 'twins/a', 'd', stored(2));
    await Promise.all([before, after]);
    assert.is(await seen, 1);
  });

  test('removing without a key removes every document of that file only', async ({ storage }) => {
    await Promise.all(['x', 'y'].map((key) => put(storage, 'twins/a', key, stored(1))));
    await put(storage, 'twins/b', 'x', stored(1));
    await remove(storage, 'twins/a');
    assert.is((await readDocuments(storage, 'twins/a')).size, 0);
    assert.is((await readDocuments(storage, 'twins/b')).size, 1);
  });

  test('the past of a document is its versions, newest first', async ({ storage }) => {
    for (const version of [1, 2, 3]) await put(storage, 'twins/a', 'd', stored(version, `{"a":${version}}`));
    await put(storage, 'twins/a', 'e', stored(1));
    assert.equal(await past(storage, 'twins/a', 'd'), [3, 2, 1]);
    const [newest] = await storage.past('twins/a', 'd', { limit: 1, dataBytes: 1e6 });
    assert.equal(newest, stored(3, '{"a":3}'));
  });

  test('the past can be limited to a time, a number of versions and a length', async ({ storage }) => {
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
    await put(storage, 'twins/a', 'd', stored(1));
    await subject.breakDown();
    await Promise.allSettled([put(storage, 'twins/a', 'd', stored(2))]);
    await subject.repair();
    assert.equal(await past(storage, 'twins/a', 'd'), [1]);
  });

  test('list names the files with a prefix', async ({ storage }) => {
    for (const name of ['devices/aa', 'devices/ab', 'twins/aa']) {
      await put(storage, name, 'k', stored(1));
    }
    assert.equal((await storage.list('devices/')).sort(), ['devices/aa', 'devices/ab']);
  });

  test('a write that fails leaves no trace, and neither do the writes that build upon it', async (subject) => {
    const { storage } = subject;
    await put(storage, 'twins/a', 'd', stored(1));
    assert.ok(storage.healthy);
    await subject.breakDown();
    const results = await Promise.allSettled([
      put(storage, 'twins/a', 'd', stored(2)),
      put(storage, 'twins/a', 'd', stored(3)),
      put(storage, 'twins/a', 'e', stored(1)),
    ]);
    for (const result of results) {
      assert.is(result.status, 'rejected');
      assert.instance(result.status === 'rejected' && result.reason, StorageUnavailable);
    }
    assert.equal([...(await readDocuments(storage, 'twins/a'))], [['d', stored(1)]]);
    assert.not(storage.healthy);
    await subject.repair();
    await put(storage, 'twins/a', 'd', stored(2));
    assert.ok(storage.healthy);
    assert.equal([...(await readDocuments(storage, 'twins/a'))], [['d', stored(2)]]);
  });
}
