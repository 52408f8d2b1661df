/** A server asks the others whether they have heard of a change, and waits for those that are alive. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readDocuments } from '../../../../server/storage/storage.js';
import { until } from '../../../until.js';
import { put, stored } from '../contract.js';
import { type Context, withPostgres } from './open.js';
import { startProxy } from './proxy.js';

const tests = suite<Context>('the agreement of several servers');
const test = withPostgres(tests);

const FILE = 'twins/aa/a';
/** How long a server waits for the others, in milliseconds. */
const BOUND_MS = 1000;

test('a server that is alone asks no other', async ({ open }) => {
  const one = await open();
  let isAgreed = false;
  one.agree(FILE).then(() => {
    isAgreed = true;
  });
  // Another server could not have answered in one turn.
  await new Promise((turn) => setImmediate(turn));
  assert.ok(isAgreed);
});

test('all live servers have heard of a change when they agree', async ({ open }) => {
  const [one, ...others] = await Promise.all([open(), open(), open()]);
  one.agreement.liveNodes = () => 3;
  const heard = others.map(() => 0);
  for (const [index, other] of others.entries()) {
    other.watch(FILE, ({ after }) => {
      heard[index] = after?.version ?? 0;
    });
    await readDocuments(other, FILE);
  }
  for (let version = 1; version <= 20; version += 1) {
    await put(one, FILE, 'd', stored(version));
    await one.agree(FILE);
    assert.equal(heard, [version, version]);
  }
});

test('a server that is alive and does not answer is waited for until the bound', async ({
  database,
  open,
}) => {
  const proxy = await startProxy(database);
  const [one, silent] = await Promise.all([open(), open(proxy.url), open()]);
  one.agreement.liveNodes = () => 3;
  await until(() => silent.listener.isCurrent);
  proxy.silence();
  const begin = performance.now();
  await one.agree(FILE);
  // The timer of Node may be a millisecond early.
  assert.ok(performance.now() - begin >= BOUND_MS - 1);
  await proxy.close();
});

test('a server that is dead is not waited for', async ({ database, open }) => {
  const proxy = await startProxy(database);
  const [one, dead, other] = await Promise.all([open(), open(proxy.url), open()]);
  one.agreement.liveNodes = () => 2;
  await until(() => dead.listener.isCurrent && other.listener.isCurrent);
  proxy.silence();
  const quickest = Math.min(...(await durationsOf(() => one.agree(FILE))));
  assert.ok(quickest < BOUND_MS / 2);
  await proxy.close();
});

/** In milliseconds. The machine may be busy during some of them, and not during all. */
async function durationsOf(run: () => Promise<void>): Promise<number[]> {
  const durations: number[] = [];
  for (let count = 0; count < 10; count += 1) {
    const begin = performance.now();
    await run();
    durations.push(performance.now() - begin);
  }
  return durations;
}

test('questions that are asked at the same time are answered each by itself', async ({ open }) => {
  const [one, other] = await Promise.all([open(), open()]);
  for (const each of [one, other]) each.agreement.liveNodes = () => 2;
  await until(() => one.listener.isCurrent && other.listener.isCurrent);
  const files = Array.from({ length: 50 }, (_, index) => `twins/aa/${index}`);
  const heard = new Set<string>();
  other.watchAll('twins/', ({ file }) => heard.add(file));
  await Promise.all(
    files.map(async (file) => {
      await put(one, file, 'd', stored(1));
      await Promise.all([one.agree(file), other.agree(file)]);
      assert.ok(heard.has(file), file);
    }),
  );
});

tests.run();
