import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { memo, once } from '../../server/memo.js';

test('a value is made once for each key', () => {
  const made: string[] = [];
  const lengthOf = memo((text: string) => made.push(text), new Map());
  assert.equal([lengthOf('a'), lengthOf('b'), lengthOf('a')], [1, 2, 1]);
  assert.equal(made, ['a', 'b']);
});

test('a value that was forgotten is made again', () => {
  const kept = new Map<string, object>();
  const objectFor = memo(() => ({}), kept);
  const first = objectFor('a');
  kept.clear();
  assert.is.not(objectFor('a'), first);
});

test('calls that come while the value is being made wait for the same one', async () => {
  let times = 0;
  const value = once(async () => {
    times += 1;
    return times;
  });
  assert.equal(await Promise.all([value(), value()]), [1, 1]);
  assert.is(await value(), 1);
});

test('a value that could not be made is made at the next call', async () => {
  let times = 0;
  const value = once(async () => {
    times += 1;
    if (times === 1) throw new Error('disk full');
    return times;
  });
  const [first, second] = await Promise.allSettled([value(), value()]);
  assert.equal([first.status, second.status], ['rejected', 'rejected']);
  assert.is(await value(), 2);
});

test.run();
