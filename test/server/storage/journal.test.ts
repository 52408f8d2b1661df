import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Journal } from '../../../server/storage/journal.js';
import { type Segment, segmentAt } from '../../../server/storage/segment.js';
import { STORAGE_LIMITS } from '../../../server/storage/storage.js';

interface Context {
  directory: string;
  segments: Segment[];
  journal: Journal<string>;
}

const test = suite<Context>('journal');

test.before.each(async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'twin-journal-'));
  const segments = [1, 2, 3].map((number) => ({ ...segmentAt(directory, number), holds: 1 }));
  for (const { path } of segments) writeFileSync(path, '');
  const listeners = { settle: () => undefined, onFull: () => undefined, onHealth: () => undefined };
  const journal = new Journal<string>(directory, [...segments], STORAGE_LIMITS, listeners);
  await journal.begin();
  Object.assign(context, { directory, segments, journal });
});
test.after.each(async ({ directory, journal }) => {
  await journal.seal();
  await journal.close();
  rmSync(directory, { recursive: true });
});

const present = (segments: readonly Segment[]): number[] =>
  segments.filter(({ path }) => existsSync(path)).map(({ number }) => number);

test('a segment is removed when no file needs it and the older ones are gone', async ({
  journal,
  segments,
}) => {
  const [first, second, third] = segments as [Segment, Segment, Segment];
  await journal.release(second);
  assert.equal(present(segments), [1, 2, 3]);
  await journal.release(first);
  assert.equal(present(segments), [3]);
  await journal.release(third);
  assert.equal(present(segments), []);
});

test('a segment stays while an older one cannot be removed', async ({ journal, segments }) => {
  const [first, second, third] = segments as [Segment, Segment, Segment];
  rmSync(first.path);
  mkdirSync(first.path);
  for (const segment of [second, first, third]) await journal.release(segment).catch(() => undefined);
  const left = present(segments);
  rmSync(first.path, { recursive: true });
  assert.equal(left, [1, 2, 3]);
});

test('segments that are released at the same time are removed in their order', async ({
  journal,
  segments,
}) => {
  await Promise.all(segments.map((segment) => journal.release(segment)));
  assert.equal(present(segments), []);
});

test.run();
