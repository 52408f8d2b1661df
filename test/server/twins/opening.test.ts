import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { memoryStorage } from '../../../server/storage/memory.js';
import { StorageUnavailable } from '../../../server/storage/storage.js';
import { Twins } from '../../../server/twins/twins.js';

const ID = '11111111-1111-4111-8111-111111111111';
const CALLS = 5;

/** Every twin must be read from disk. */
const neverInMemory = () => ({ ...memoryStorage(), peek: () => undefined });

test('the calls that waited for a twin to be read have a turn of the event loop each, in their order', async () => {
  const twins = new Twins(neverInMemory());
  let turn = 0;
  const served: { call: number; turn: number }[] = [];
  for (let call = 0; call < CALLS; call++) {
    twins.put(ID, 'a', { version: call, data: {} }, (error) => {
      assert.is(error, null);
      served.push({ call, turn });
    });
  }
  while (served.length < CALLS) {
    await new Promise(setImmediate);
    turn += 1;
  }
  assert.equal(
    served.map(({ call }) => call),
    [0, 1, 2, 3, 4],
  );
  assert.is(new Set(served.map((each) => each.turn)).size, CALLS);
});

test('when the twin cannot be read, every call that waited is refused', async () => {
  const storage = { ...neverInMemory(), open: () => Promise.reject(new Error('no such disk')) };
  const twins = new Twins(storage);
  const refused: (Error | null)[] = [];
  for (let call = 0; call < CALLS; call++) twins.get(ID, 'a', (error) => refused.push(error));
  while (refused.length < CALLS) await new Promise(setImmediate);
  assert.ok(refused.every((error) => error instanceof StorageUnavailable));
});

test.run();
