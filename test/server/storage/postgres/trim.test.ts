/** The history on a database keeps its bounds. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isTrimDue } from '../../../../server/storage/postgres/trim.js';
import { changeFile } from '../../../../server/storage/storage.js';
import { ask } from '../../../cluster/postgres.js';
import { until } from '../../../until.js';
import { past, put, stored } from '../contract.js';
import { type Context, withPostgres } from './open.js';

const tests = suite<Context>('the history on a database');
const test = withPostgres(tests);

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

test('more versions than the setting says are removed, and the newest are kept', async ({ open }) => {
  const storage = await open(undefined, { historyVersions: 20 });
  await Promise.all(upTo(64).map((version) => put(storage, 'twins/aa/a', 'd', stored(version))));
  await until(async () => (await past(storage, 'twins/aa/a', 'd')).length === 20);
  assert.equal(await past(storage, 'twins/aa/a', 'd'), upTo(64).slice(-20).reverse());
});

test('when the versions of a file take too many bytes, the oldest of all its documents go', async ({
  open,
}) => {
  const storage = await open(undefined, { historyBytes: 10_000 });
  const data = JSON.stringify({ text: 'a'.repeat(900) });
  for (const version of upTo(8)) {
    const updatedAt = `2026-01-01T00:00:0${version}.000Z`;
    await put(storage, 'twins/aa/a', 'old', { version, updatedAt, data });
  }
  for (const version of upTo(16)) {
    const updatedAt = `2026-01-02T00:00:${9 + version}.000Z`;
    await put(storage, 'twins/aa/a', 'new', { version, updatedAt, data });
  }
  await until(async () => (await past(storage, 'twins/aa/a', 'old')).length === 0);
  assert.equal(await past(storage, 'twins/aa/a', 'new'), upTo(16).slice(-9).reverse());
});

test('0 versions keep none, and the present one is the history', async ({ open, database }) => {
  const storage = await open(undefined, { historyVersions: 0 });
  for (const version of upTo(3)) await put(storage, 'twins/aa/a', 'd', stored(version));
  assert.equal(await past(storage, 'twins/aa/a', 'd'), [3]);
  assert.is(await ask(database, 'SELECT count(*) FROM past'), '0');
  await changeFile(storage, 'twins/aa/a', () => ({ key: 'd', document: undefined }));
  assert.equal(await past(storage, 'twins/aa/a', 'd'), []);
});

test('a history is trimmed so seldom that it costs little, and so often that it takes little more', () => {
  const stepOf = (length: number, historyVersions: number, historyBytes: number): number =>
    upTo(100_000).find((version) =>
      isTrimDue({ version, data: 'a'.repeat(length) }, { historyVersions, historyBytes }),
    ) ?? 0;
  const MIB = 1024 * 1024;
  assert.is(stepOf(141, 16_384, 16 * MIB), 1024);
  assert.is(stepOf(141, 1000, 16 * MIB), 64);
  assert.is(stepOf(65_536, 16_384, 16 * MIB), 16);
  assert.is(stepOf(2, 1, MIB), 16);
});

tests.run();
