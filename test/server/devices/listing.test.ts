import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type DeviceQuery, EVERYTHING, type Listed, Listing } from '../../../server/devices/listing.js';

type Keys = Omit<Listed, 'id'>;

const keysOf = (name: string, createdAt = '', allow_insecure = false): Keys => ({
  name,
  status: 'enabled',
  allow_insecure,
  created_at: createdAt,
  updated_at: '',
});

const keys = fc
  .tuple(fc.constantFrom('a', 'b', 'c', 'é'), fc.constantFrom('1', '2'), fc.boolean())
  .map(([name, at, insecure]) => keysOf(name, at, insecure));
const ids = fc.constantFrom(...Array.from({ length: 30 }, (_, n) => `${n}`.padStart(2, '0')));
/** A device is put, or is removed where there are no keys. */
const change = fc.record({ id: ids, keys: fc.option(keys, { nil: undefined, freq: 3 }) });
const query = fc.record({
  orderBy: fc.constantFrom('name' as const, 'created_at' as const, 'allow_insecure' as const, undefined),
  descending: fc.boolean(),
  isFiltered: fc.boolean(),
  ofSome: fc.option(fc.array(ids, { maxLength: 10 })),
  start: fc.nat({ max: 30 }),
  size: fc.nat({ max: 30 }),
});

const noB = ({ name }: Listed): boolean => name !== 'b';

/** What a slice of all devices in order holds. */
function expected(
  all: ReadonlyMap<string, Keys>,
  { ids: some, matching, orderBy, descending, start, end }: DeviceQuery,
) {
  const keyOf = (device: Listed) => (orderBy === undefined ? '' : device[orderBy]);
  const found = [...all]
    .map(([id, each]) => ({ id, ...each }))
    .filter((device) => (some === null || some.includes(device.id)) && (matching?.(device) ?? true))
    .sort((one, other) => {
      const [x, y] = [keyOf(one), keyOf(other)];
      if (x !== y) return x < y === descending ? 1 : -1;
      return one.id < other.id ? -1 : 1;
    })
    .map(({ id }) => id);
  return { ids: found.slice(start, end), total: found.length };
}

test('a page holds the same devices as a slice of all devices in order, whatever has changed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.array(change), query), { maxLength: 6 }), async (steps) => {
      const listing = new Listing();
      const all = new Map<string, Keys>();
      let version = 0;
      for (const [changes, { isFiltered, ofSome, orderBy, descending, start, size }] of steps) {
        const asked: DeviceQuery = {
          ids: ofSome,
          matching: isFiltered ? noB : undefined,
          ...{ orderBy, descending, start, end: start + size },
        };
        const apply = ({ id, keys: put }: (typeof changes)[number]) => {
          version += 1;
          if (put === undefined) {
            all.delete(id);
            listing.remove(id);
          } else {
            all.set(id, put);
            listing.put(id, version, put);
          }
        };
        // The order is sorted while the second half of the changes is made.
        for (const each of changes.slice(0, changes.length / 2)) apply(each);
        const meanwhile = listing.select(asked);
        for (const each of changes.slice(changes.length / 2)) apply(each);
        await meanwhile;
        assert.equal(await listing.select(asked), expected(all, asked));
        assert.is(listing.size, all.size);
      }
    }),
    { numRuns: 300 },
  );
});

test('an older version of a device changes nothing', async () => {
  const listing = new Listing();
  listing.put('a', 2, keysOf('new'));
  listing.put('a', 1, keysOf('old'));
  const matching = ({ name }: Listed) => name === 'new';
  assert.equal(await listing.select({ ...EVERYTHING, matching }), { ids: ['a'], total: 1 });
});

const MANY = 20_000;

const all = new Listing();
for (let n = 0; n < MANY; n++) {
  all.put(`${n}`.padStart(6, '0'), 1, keysOf(`${(n * 7919) % MANY}`.padStart(6, '0')));
}

/** Calls at each turn of the event loop that begins while the page is made. */
async function listed(asked: Partial<DeviceQuery>, onTurn: () => void) {
  let isListing = true;
  const turn = () => {
    if (!isListing) return;
    onTurn();
    setImmediate(turn);
  };
  setImmediate(turn);
  const found = await all.select({ ...EVERYTHING, ...asked });
  isListing = false;
  return found;
}

test('to sort many devices for the first time takes many turns of the event loop, and then none', async () => {
  let turns = 0;
  const count = () => {
    turns += 1;
  };
  const asked = { orderBy: 'name' as const, start: 10_000, end: 10_100 };
  const first = await listed(asked, count);
  // One for each thousand that is sorted, and one for each that is merged.
  assert.ok(turns >= (2 * MANY) / 1000, `${turns} turns`);
  turns = 0;
  assert.equal(await listed(asked, count), first);
  assert.equal([first.ids.length, first.total, turns], [100, MANY, 0]);
});

test('to filter many devices takes many turns', async () => {
  let [lookedAt, most] = [0, 0];
  const matching = () => {
    lookedAt += 1;
    return true;
  };
  const { total } = await listed({ matching }, () => {
    most = Math.max(most, lookedAt);
    lookedAt = 0;
  });
  assert.is(total, MANY);
  assert.ok(most > 0 && most <= 1000, `${most} in one turn`);
});

test.run();
