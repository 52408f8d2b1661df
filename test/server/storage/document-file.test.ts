import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { oneATurn } from '../../../server/storage/document-file.js';

test('one caller continues in each turn of the event loop, in the order of the calls', async () => {
  let turn = 0;
  const count = () => {
    turn += 1;
    counting = setImmediate(count);
  };
  let counting = setImmediate(count);
  const mayGoOn = oneATurn();
  const went: { name: string; turn: number }[] = [];
  await Promise.all(['a', 'b', 'c'].map((name) => mayGoOn().then(() => went.push({ name, turn }))));
  clearImmediate(counting);
  assert.equal(
    went.map(({ name }) => name),
    ['a', 'b', 'c'],
  );
  assert.is(new Set(went.map((each) => each.turn)).size, 3);
});

test.run();
