import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { mutated } from './mutate.js';
import { Random } from './random.js';
import { shorterBytes, shorterLists, shrink, smallerItems } from './shrink.js';

const always = () => true;

test('what remains is what does the harm', async () => {
  const bytes = Buffer.from('much that is harmless, then X, then Y, and more');
  const harms = async (input: Buffer) => input.includes('X') && input.includes('Y');
  assert.is((await shrink(bytes, shorterBytes, harms, always)).toString(), 'XY');

  const lists = [[1, 2], [3, 4, 5], [6]];
  const smaller = function* (input: number[][]) {
    yield* shorterLists(input);
    yield* smallerItems(input, shorterLists);
  };
  const sumsUp = async (input: number[][]) => input.flat().includes(4);
  assert.equal(await shrink(lists, smaller, sumsUp, always), [[4]]);
});

test('when there is no more time what was found so far is taken', async () => {
  let left = 3;
  const all = await shrink(
    Buffer.alloc(1000),
    shorterBytes,
    async () => true,
    () => left-- > 0,
  );
  assert.is(all.length, 125);
});

test('numbers are the same for the same seed and index, and others for others', () => {
  const of = (seed: number, index: number) => {
    const random = new Random(seed, index);
    return mutated(Buffer.from('0123456789'), random).toString('hex') + random.below(2 ** 31);
  };
  assert.is(of(1, 2), of(1, 2));
  const all = new Set([1, 2, 3].flatMap((seed) => [0, 1, 2].map((index) => of(seed, index))));
  assert.is(all.size, 9);
});

test('numbers below a bound are all drawn', () => {
  const random = new Random(1);
  const drawn = new Set(Array.from({ length: 1000 }, () => random.below(10)));
  assert.equal([...drawn].sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test.run();
