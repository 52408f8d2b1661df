import { pino } from 'pino';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Shelf } from '../../../server/alerts/shelf.js';
import { until } from '../../until.js';
import { type SharedMemory, sharedMemory } from '../storage/shared-memory.js';

interface Thing {
  readonly id: string;
  readonly count: number;
}

interface Context {
  shared: SharedMemory;
  one: Shelf<Thing>;
  other: Shelf<Thing>;
}

const test = suite<Context>('a shelf of two servers');

const open = ({ shared }: Pick<Context, 'shared'>): Promise<Shelf<Thing>> =>
  Shelf.open<Thing>(shared.join(), 'things', pino({ level: 'silent' }));

test.before.each(async (context) => {
  context.shared = sharedMemory();
  context.one = await open(context);
  context.other = await open(context);
});

const thing = (id: string, count = 0): Thing => ({ id, count });
const plusOne = (latest: Thing | undefined): Thing => thing('a', (latest?.count ?? 0) + 1);

test('what one server puts, changes and removes is in the memory of the other', async ({ one, other }) => {
  const heard: string[] = [];
  const end = other.watch((id) => heard.push(id));
  await one.put(thing('a'));
  await one.put(thing('b'));
  await one.change('a', plusOne);
  await until(() => heard.length === 3);
  assert.equal(other.all, [thing('a', 1), thing('b')]);
  end();
  await one.remove('b');
  await until(() => other.get('b') === undefined);
  assert.equal(heard, ['a', 'b', 'a']);
});

test('a change is decided upon the latest thing, whichever server has made it', async ({ one, other }) => {
  await Promise.all(Array.from({ length: 50 }, (_, n) => (n % 2 ? one : other).change('a', plusOne)));
  assert.equal(await one.read(), [thing('a', 50)]);
  assert.equal(await other.read(), [thing('a', 50)]);
});

test('what a decision throws refuses the change, and the same thing changes nothing', async ({
  shared,
  one,
  other,
}) => {
  await one.put(thing('a'));
  const refusal = new Error('refused');
  const refuse = (): never => {
    throw refusal;
  };
  assert.is(await other.change('a', refuse).catch((error) => error), refusal);
  assert.equal(await other.change('a', (latest) => latest), thing('a'));
  assert.is(shared.storage.stored('things').get('a')?.version, 1);
});

test('a read has what the other server has stored, before it is heard', async ({ one, other }) => {
  await one.put(thing('a', 7));
  assert.equal(await other.read(), [thing('a', 7)]);
});

test('when the storage takes no writes, what is kept is in memory and is written with the next change', async (context) => {
  const { shared, one, other } = context;
  await one.put(thing('a'));
  shared.storage.failWith(new Error('no space'));
  assert.equal(await one.keep('a', plusOne), thing('a', 1));
  assert.equal([one.get('a'), await other.read()], [thing('a', 1), [thing('a')]]);
  shared.storage.failWith(undefined);
  assert.equal(await one.read(), [thing('a', 1)]);
  assert.equal(await one.keep('a', plusOne), thing('a', 2));
  assert.equal(await other.read(), [thing('a', 2)]);
});

test('read anew, a shelf forgets what the storage has not taken', async ({ shared, one }) => {
  shared.storage.failWith(new Error('no space'));
  await one.keep('a', plusOne);
  shared.storage.failWith(undefined);
  await one.readAnew();
  assert.equal(one.all, []);
});

test('a change that fails leaves memory as it was', async ({ shared, one }) => {
  await one.put(thing('a'));
  shared.storage.failWith(new Error('no space'));
  assert.is(await one.change('a', plusOne).catch(({ name }) => name), 'StorageUnavailable');
  assert.equal(one.all, [thing('a')]);
});

test('of what is past the oldest is forgotten', async ({ one, other }) => {
  for (const [id, count] of [
    ['a', 3],
    ['b', 1],
    ['c', 2],
    ['d', 0],
  ] as const)
    await one.put(thing(id, count));
  one.forgetOldest(
    ({ count }) => count > 0,
    ({ count }) => String(count),
    1,
  );
  await until(() => other.all.length === 2);
  assert.equal(other.all, [thing('a', 3), thing('d', 0)]);
});

test.run();
