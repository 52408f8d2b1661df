import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { inOrder } from '../../../../../server/app/page/client/in-order.js';

test('an act begins when the one before it has ended, also when that has failed', async () => {
  const told: string[] = [];
  const act = (name: string, fails: boolean) => async (): Promise<void> => {
    told.push(`${name} begins`);
    await new Promise((next) => setImmediate(next));
    told.push(`${name} ends`);
    if (fails) throw new Error(name);
  };
  const next = inOrder();
  const endings = await Promise.allSettled([
    next(act('a', false)),
    next(act('b', true)),
    next(act('c', false)),
  ]);
  assert.equal(told, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  assert.equal(
    endings.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
});

test.run();
