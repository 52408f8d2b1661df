import { appendFile, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { appendVersions, DamagedHistory, readVersions } from '../../../server/storage/history-part.js';
import type { StoredDocument } from '../../../server/storage/storage.js';

const test = suite<{ path: string }>('a part of the history');

const { prototype } = await (async () => {
  const handle = await open(process.execPath);
  await handle.close();
  return { prototype: Object.getPrototypeOf(handle) as { read: (...given: unknown[]) => Promise<unknown> } };
})();
const { read } = prototype;

let directory: string;
test.before.each(async (context) => {
  directory = await mkdtemp(join(tmpdir(), 'twin-part-'));
  context.path = join(directory, 'part.jsonl');
});
test.after.each(async () => {
  prototype.read = read;
  await rm(directory, { recursive: true, force: true });
});

/** Counts the bytes that are asked for from now on. */
function countReads(): () => number {
  let bytes = 0;
  prototype.read = function (this: unknown, ...given) {
    bytes += given[2] as number;
    return read.apply(this, given);
  };
  return () => bytes;
}

const timeAt = (second: number): string => new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString();

const version = (number: number, second = number, data = '{}'): StoredDocument => ({
  version: number,
  updatedAt: timeAt(second),
  data,
});

async function readAll(path: string, range = {}): Promise<number[]> {
  const found: number[] = [];
  for await (const each of readVersions(path, range)) found.push(each.version);
  return found;
}

const MANY = 20_000;
const many = Array.from({ length: MANY }, (_, index) => version(index + 1));

test('to find a version costs a few reads, wherever it is', async ({ path }) => {
  const { bytes } = await appendVersions(path, many);
  const text = await readFile(path);
  assert.is(text.length, bytes);
  for (const before of [1, 2, 3, 137, 5000, 9999, 19_998, MANY, MANY + 1]) {
    const bytesRead = countReads();
    for await (const found of readVersions(path, { before })) {
      assert.is(found.version, before - 1);
      break;
    }
    assert.ok(bytesRead() < bytes / 4, `${bytesRead()} of ${bytes} bytes for ${before}`);
  }
});

test('versions since a time cost what they are, and not all that are older', async ({ path }) => {
  const { bytes } = await appendVersions(path, many);
  const bytesRead = countReads();
  assert.equal(await readAll(path, { since: timeAt(MANY - 1) }), [MANY, MANY - 1]);
  assert.ok(bytesRead() < bytes / 20, `${bytesRead()} of ${bytes} bytes`);
});

test('other work runs while a long part is read', async ({ path }) => {
  const { bytes } = await appendVersions(path, many);
  let turns = 0;
  let reading = true;
  const turn = () => {
    turns += 1;
    if (reading) setImmediate(turn);
  };
  setImmediate(turn);
  await readAll(path);
  reading = false;
  assert.ok(turns > bytes / 65_536, `${turns} turns`);
});

test('whatever the clock did, the versions of a range are those of that range', async ({ path }) => {
  const part = fc.array(
    fc.record({ second: fc.nat({ max: 20 }), length: fc.constantFrom(0, 10, 3000, 40_000) }),
    { maxLength: 25 },
  );
  await fc.assert(
    fc.asyncProperty(
      part,
      fc.nat({ max: 30 }),
      fc.nat({ max: 21 }),
      fc.nat({ max: 25 }),
      async (made, before, since, cut) => {
        await rm(path, { force: true });
        const versions = made.map(({ second, length }, index) =>
          version(index + 1, second, JSON.stringify({ text: 'x'.repeat(length) })),
        );
        for (const group of [versions.slice(0, cut), versions.slice(cut)])
          if (group.length > 0) await appendVersions(path, group);
        if (made.length === 0) await writeFile(path, '');
        const expected = versions.filter((each) => each.version < before && each.updatedAt >= timeAt(since));
        assert.equal(
          await readAll(path, { before, since: timeAt(since) }),
          expected.map((each) => each.version).reverse(),
        );
      },
    ),
    { numRuns: 60 },
  );
});

test('versions are found behind a damaged line, and none before it', async ({ path }) => {
  await appendVersions(path, many.slice(0, 5000));
  await appendFile(path, `${'\0'.repeat(70)}\n`.repeat(3000));
  const after = many.slice(5000).map(({ version: number, updatedAt }) => {
    return `{"version":${number},"updated_at":"${updatedAt}","data":{}}\n`;
  });
  await appendFile(path, after.join(''));
  for await (const found of readVersions(path, { before: 6000 })) {
    assert.is(found.version, 5999);
    break;
  }
  try {
    await readAll(path, { before: 5001 });
    assert.unreachable();
  } catch (error) {
    assert.instance(error, DamagedHistory);
  }
});

test('a torn line behind the others is passed over', async ({ path }) => {
  await appendVersions(path, many.slice(0, 1000));
  await appendFile(path, `{"version":1001,"updated_at":"${timeAt(1)}","data":{"te`);
  assert.is((await readAll(path, { before: 5000 }))[0], 1000);
  assert.is((await readAll(path, { before: 500 }))[0], 499);
  await appendVersions(path, [version(1001)]);
  assert.is((await readAll(path))[0], 1001);
});

test.run();
