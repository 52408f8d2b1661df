import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Watchers } from '../../server/watchers.js';

test('each watcher hears of its own key, until it is removed', () => {
  const watchers = new Watchers<number>();
  const told: string[] = [];
  const ends = ['a', 'a', 'b'].map((key, n) =>
    watchers.add(key, (event) => told.push(`${key}${n} ${event}`)),
  );
  watchers.tell('a', 1);
  watchers.tell('b', 2);
  watchers.tell('c', 3);
  ends[0]?.();
  watchers.tell('a', 4);
  assert.equal(told, ['a0 1', 'a1 1', 'b2 2', 'a1 4']);
});

test('removing a watcher twice removes no other', () => {
  const watchers = new Watchers<number>();
  const told: number[] = [];
  const end = watchers.add('a', () => undefined);
  end();
  watchers.add('a', (event) => told.push(event));
  end();
  watchers.tell('a', 1);
  assert.equal(told, [1]);
  assert.is(watchers.count, 1);
});

test('a watcher that is removed during an event does not hear of it', () => {
  const watchers = new Watchers<number>();
  const told: string[] = [];
  const ends: (() => void)[] = [];
  watchers.add('a', () => {
    told.push('first');
    ends[0]?.();
  });
  ends.push(watchers.add('a', () => told.push('second')));
  watchers.tell('a', 1);
  assert.equal(told, ['first']);
});

test.run();
