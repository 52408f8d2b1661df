import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { memoryStorage } from '../../../server/storage/memory.js';
import { StorageUnavailable } from '../../../server/storage/storage.js';
import type { Document } from '../../../server/twins/document.js';
import { Twins } from '../../../server/twins/twins.js';

const ID = '0f4f6a9e-6d2b-4c3e-9a77-1d2f3a4b5c6d';
const NAMES = ['current', 'desired', 'B', '_config'];

const all = (twins: Twins): Promise<Document[]> =>
  new Promise((done, failed) =>
    twins.all(ID, (error, documents = []) => (error === null ? done(documents) : failed(error))),
  );
const put = (twins: Twins, name: string): Promise<void> =>
  new Promise((done) => twins.put(ID, name, { version: 0, data: { name } }, () => done()));

test('all documents of a twin come sorted by name, each as get returns it', async () => {
  const twins = new Twins(memoryStorage());
  assert.equal(await all(twins), []);
  for (const name of NAMES) await put(twins, name);
  const documents = await all(twins);
  assert.equal(
    documents.map(({ name, version, data }) => [name, version, data]),
    [...NAMES].sort().map((name) => [name, 1, `{"name":"${name}"}`]),
  );
});

test('a twin that cannot be read is answered with the error', async () => {
  const storage = memoryStorage();
  const twins = new Twins(storage);
  storage.holdBy(() => Promise.reject(new Error('no such disk')));
  try {
    await all(twins);
    assert.unreachable('it was answered');
  } catch (error) {
    assert.instance(error, StorageUnavailable);
  }
});

const step = fc.record({
  do: fc.constantFrom('put' as const, 'put' as const, 'delete' as const, 'clear' as const, 'turn' as const),
  name: fc.constantFrom(...NAMES),
});

test('all documents, and the changes that a watcher hears from then on, are what is there at the end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.nat({ max: 30 }), async (steps, when) => {
      const twins = new Twins(memoryStorage());
      const followed = new Map<string, number>();
      const begin = () =>
        twins.all(ID, (_, documents = []) => {
          for (const { name, version } of documents) followed.set(name, version);
          twins.watch(ID, ({ name, document }) => {
            if (document === undefined) return followed.delete(name);
            assert.is.not(followed.get(name), document.version, 'told twice');
            return followed.set(name, document.version);
          });
        });
      const ignore = () => undefined;
      for (const [index, now] of steps.entries()) {
        if (index === when) begin();
        if (now.do === 'turn') await new Promise((turn) => setImmediate(turn));
        else if (now.do === 'put') twins.put(ID, now.name, { version: 0, data: {} }, ignore);
        else if (now.do === 'delete') twins.delete(ID, now.name, ignore);
        else twins.clear(ID, ignore);
      }
      if (when >= steps.length) begin();
      const present = (await all(twins)).map(({ name, version }) => [name, version] as const);
      assert.equal(new Map([...followed].sort()), new Map([...present].sort()));
    }),
    { numRuns: 300 },
  );
});

test.run();
