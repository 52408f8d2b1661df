import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LineLimit } from '../../server/line-limit.js';

test('each key has so many lines at once, then one a second, which says how many were left out', () => {
  const clock = { now: 0 };
  const limit = new LineLimit(() => clock.now);
  const take = (times: number) => Array.from({ length: times }, () => limit.take('a'));
  assert.equal(take(60), new Array(60).fill({}));
  assert.equal(take(5), new Array(5).fill(undefined));
  assert.equal(limit.take('b'), {});
  clock.now = 1000;
  assert.equal(take(2), [{ unlogged: 5 }, undefined]);
  clock.now = 2000;
  assert.equal(limit.take('a'), { unlogged: 1 });
  clock.now = 3000;
  assert.equal(limit.take('a'), {});
});

test.run();
