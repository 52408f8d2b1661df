import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ConnectionLimit } from '../../../server/access/connection-limit.js';

test('one source may have so many connections, independent of others', () => {
  const limit = new ConnectionLimit({ perSource: 2, total: 100 });
  assert.equal([limit.take('a'), limit.take('a'), limit.take('a')], [true, true, false]);
  assert.is(limit.take('b'), true);
});

test('all sources together may have so many', () => {
  const limit = new ConnectionLimit({ perSource: 100, total: 3 });
  assert.equal(
    ['a', 'b', 'c', 'd'].map((source) => limit.take(source)),
    [true, true, true, false],
  );
});

test('a connection that closes makes room for another, of its source and in all', () => {
  const limit = new ConnectionLimit({ perSource: 2, total: 3 });
  for (const source of ['a', 'a', 'b']) assert.ok(limit.take(source));
  limit.release('a');
  assert.equal([limit.take('a'), limit.take('a'), limit.take('c')], [true, false, false]);
  for (const source of ['a', 'a', 'b']) limit.release(source);
  assert.equal(
    ['a', 'a', 'a', 'c', 'c'].map((source) => limit.take(source)),
    [true, true, false, true, false],
  );
});

test('a refused connection does not count', () => {
  const limit = new ConnectionLimit({ perSource: 1, total: 2 });
  limit.take('a');
  for (let tries = 0; tries < 10; tries += 1) assert.is(limit.take('a'), false);
  assert.is(limit.take('b'), true);
});

test.run();
