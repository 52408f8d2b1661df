/** Calls on a twin whose changes wait for memory. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Twins } from '../../../server/twins/twins.js';
import { DirectoryUnderTest } from '../storage/directory-under-test.js';

const test = suite('twins and memory');
const directory = new DirectoryUnderTest();

test.before.each(async () => {
  await directory.make();
});
test.after.each(() => directory.remove());

const GREEDY = '0f4f6a9e-6d2b-4c3e-9a77-1d2f3a4b5c6d';
const MODEST = '1f4f6a9e-6d2b-4c3e-9a77-1d2f3a4b5c6d';
const LARGE = { version: 0, data: { text: 'x'.repeat(60_000) } };
const SMALL = { version: 0, data: {} };
/** The changes of one twin may take at most 64 KiB, less than one of the large documents. */
const SMALL_MEMORY = { memoryBytes: 1024 * 1024, writeBehindMs: 1_000_000 };
const COUNT = 30;

test('calls on a twin are answered in their order while its changes wait for memory', async () => {
  const storage = await directory.open(SMALL_MEMORY);
  const twins = new Twins(storage);
  const answers: string[] = [];
  const asked: string[] = [];
  const answered: Promise<void>[] = [];
  for (let number = 1; number <= COUNT; number += 1) {
    for (const call of ['put', 'get'] as const) {
      asked.push(`${call} ${number}`);
      answered.push(
        new Promise((done) => {
          const answer = (_error: Error | null, document?: { version: number }) => {
            answers.push(`${call} ${document?.version}`);
            done();
          };
          if (call === 'put') twins.put(GREEDY, 'current', LARGE, answer);
          else twins.get(GREEDY, 'current', answer);
        }),
      );
    }
  }
  await Promise.all(answered);
  assert.equal(answers, asked);
  const past = await twins.history(GREEDY, 'current', { limit: 1000, dataBytes: 1e9 });
  assert.is(past.length, COUNT);
  await storage.close();
});

test('a twin with small changes does not wait for one whose changes wait for memory', async () => {
  const storage = await directory.open(SMALL_MEMORY);
  const twins = new Twins(storage);
  const greedy: Promise<void>[] = [];
  let before = 0;
  for (let number = 1; number <= COUNT; number += 1) {
    greedy.push(
      new Promise((done) =>
        twins.put(GREEDY, 'current', LARGE, () => {
          before += 1;
          done();
        }),
      ),
    );
  }
  await new Promise<void>((done) => twins.put(MODEST, 'current', SMALL, () => done()));
  assert.ok(before < COUNT / 2, `${before} were answered before`);
  await Promise.all(greedy);
  await storage.close();
});

test('calls that wait for memory are refused when the disk takes nothing', async () => {
  const storage = await directory.open({ ...SMALL_MEMORY, drainMs: 1 });
  const twins = new Twins(storage);
  await mkdir(join(directory.data, `twins/${GREEDY.slice(0, 2)}/${GREEDY}.json.tmp`), { recursive: true });
  const errors = await Promise.all(
    Array.from(
      { length: 3 },
      () => new Promise<Error | null>((done) => twins.put(GREEDY, 'current', LARGE, done)),
    ),
  );
  assert.equal(
    errors.map((error) => error?.message),
    [undefined, 'storage unavailable', 'storage unavailable'],
  );
  await storage.close();
});

test.run();
