/** Calls on a file that must first be read from disk. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { memoryStorage } from '../../../server/storage/memory.js';
import { StorageUnavailable } from '../../../server/storage/storage.js';
import { stored } from './contract.js';

const FILE = 'twins/a';
const CALLS = 5;

test('the calls that waited for a file have a turn of the event loop each, in their order', async () => {
  const storage = memoryStorage();
  storage.holdBy(() => Promise.resolve());
  let turn = 0;
  const served: { call: number; turn: number }[] = [];
  for (let call = 0; call < CALLS; call++) {
    const decide = () => {
      served.push({ call, turn });
      return { key: 'a', document: stored(call) };
    };
    storage.change(FILE, decide, () => undefined);
  }
  assert.ok(storage.isWaiting(FILE));
  while (served.length < CALLS) {
    await new Promise(setImmediate);
    turn += 1;
  }
  assert.equal(
    served.map(({ call }) => call),
    [0, 1, 2, 3, 4],
  );
  assert.is(new Set(served.map((each) => each.turn)).size, CALLS);
  assert.not(storage.isWaiting(FILE));
});

test('when the file cannot be read, every call that waited is refused', async () => {
  const storage = memoryStorage();
  storage.holdBy(() => Promise.reject(new Error('no such disk')));
  const refused: (Error | null)[] = [];
  const look = () => assert.unreachable('it was read');
  for (let call = 0; call < CALLS; call++) storage.read(FILE, look, (error) => refused.push(error));
  while (refused.length < CALLS) await new Promise(setImmediate);
  assert.ok(refused.every((error) => error instanceof StorageUnavailable));
});

test('a call on a file that is in memory is decided in the same turn', async () => {
  const storage = memoryStorage();
  await new Promise<void>((done) =>
    storage.read(
      FILE,
      () => undefined,
      () => done(),
    ),
  );
  let isDecided = false;
  const decide = () => {
    isDecided = true;
    return undefined;
  };
  storage.change(FILE, decide, () => undefined);
  assert.ok(isDecided);
});

test.run();
