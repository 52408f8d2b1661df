import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DeviceRecord } from '../../../server/devices/device.js';
import { type DeviceQuery, EVERYTHING, selectIds } from '../../../server/devices/listing.js';

type Entry = [string, DeviceRecord];

const recordOf = (name: string, createdAt = '', allow_insecure = false): DeviceRecord => ({
  name,
  description: '',
  status: 'enabled',
  allow_insecure,
  allow_multiple_connections: false,
  created_at: createdAt,
  updated_at: '',
  password_sha256: '',
});

async function* batchesOf(entries: Entry[], size: number): AsyncGenerator<Entry[]> {
  for (let at = 0; at < entries.length; at += size) yield entries.slice(at, at + size);
}

const entry = fc.tuple(
  fc.uuid(),
  fc
    .tuple(fc.constantFrom('a', 'b', 'c', 'é'), fc.constantFrom('1', '2'), fc.boolean())
    .map(([name, at, insecure]) => recordOf(name, at, insecure)),
);
const query = fc.record({
  orderBy: fc.constantFrom('name' as const, 'created_at' as const, 'allow_insecure' as const, undefined),
  descending: fc.boolean(),
  start: fc.nat({ max: 40 }),
  size: fc.nat({ max: 40 }),
});

test('a page holds the same devices as a slice of all devices in order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(entry, { selector: ([id]) => id, maxLength: 60 }),
      fc.integer({ min: 1, max: 20 }),
      query,
      async (entries, size, { orderBy, descending, start, size: length }) => {
        const matching = ({ name }: DeviceRecord) => name !== 'b';
        const asked: DeviceQuery = {
          ...EVERYTHING,
          matching,
          orderBy,
          descending,
          start,
          end: start + length,
        };
        const keyOf = (record: DeviceRecord) => (orderBy === undefined ? '' : record[orderBy]);
        const expected = entries
          .filter(([, record]) => matching(record))
          .sort(([one, a], [other, b]) => {
            const [x, y] = [keyOf(a), keyOf(b)];
            if (x !== y) return x < y === descending ? 1 : -1;
            return one < other ? -1 : 1;
          })
          .map(([id]) => id);
        assert.equal(await selectIds(batchesOf(entries, size), asked), {
          ids: expected.slice(start, start + length),
          total: expected.length,
        });
      },
    ),
    { numRuns: 300 },
  );
});

test('one turn of the event loop filters at most a batch of many devices, and merges few of them', async () => {
  const [BATCH, BATCHES] = [400, 50];
  const entries = Array.from({ length: BATCH * BATCHES }, (_, n): Entry => {
    const spread = (n * 7919) % (BATCH * BATCHES);
    return [`${n}`.padStart(6, '0'), recordOf(`device-${`${spread}`.padStart(6, '0')}`)];
  });
  let [lookedAt, most, turns, listing] = [0, 0, 0, true];
  const turn = () => {
    most = Math.max(most, lookedAt);
    lookedAt = 0;
    turns += 1;
    if (listing) setImmediate(turn);
  };
  setImmediate(turn);
  const matching = () => {
    lookedAt += 1;
    return true;
  };
  const { ids, total } = await selectIds(batchesOf(entries, BATCH), {
    ...EVERYTHING,
    orderBy: 'name',
    matching,
  });
  const turnsTaken = turns;
  listing = false;
  assert.is(total, entries.length);
  assert.is(new Set(ids).size, entries.length);
  assert.ok(most > 0 && most <= BATCH, `${most} in one turn`);
  // One for each batch, and one for each thousand that are merged.
  assert.ok(turnsTaken >= BATCHES + entries.length / 1000, `${turnsTaken} turns`);
});

test.run();
