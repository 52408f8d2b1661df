/** What one server hears of the changes of the others. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  changeFile,
  type ForeignChange,
  readDocuments,
  type Storage,
} from '../../../../server/storage/storage.js';
import { until } from '../../../until.js';
import { put, stored } from '../contract.js';
import { type Context, withPostgres } from './open.js';
import { startProxy } from './proxy.js';

const tests = suite<Context>('watchers of a shared storage');
const test = withPostgres(tests);

const shown = ({ file, key, before, after }: ForeignChange): string =>
  `${file} ${key} ${before?.version ?? '-'} ${after?.version ?? '-'}`;

/** What a watcher has heard. The file is known when it resolves. */
async function heardOf(storage: Storage, file: string): Promise<string[]> {
  const heard: string[] = [];
  storage.watch(file, (change) => heard.push(shown(change)));
  await readDocuments(storage, file);
  return heard;
}

/** Resolves when the server has heard all that was written before. */
async function heardAll(from: Storage, to: Storage): Promise<void> {
  let isHeard = false;
  const end = to.watch('twins/zz/mark', () => {
    isHeard = true;
  });
  await readDocuments(to, 'twins/zz/mark');
  await changeFile(from, 'twins/zz/mark', (latest) => ({
    key: 'mark',
    document: stored((latest.get('mark')?.version ?? 0) + 1),
  }));
  await until(() => isHeard);
  end();
}

test('a watcher hears what another server puts and removes, in order', async ({ open }) => {
  const [one, other] = await Promise.all([open(), open()]);
  const heard = await heardOf(other, 'twins/aa/a');
  await put(one, 'twins/aa/a', 'd', stored(1));
  await until(() => heard.length === 1);
  await put(one, 'twins/aa/a', 'd', stored(2));
  await until(() => heard.length === 2);
  await changeFile(one, 'twins/aa/a', () => ({ key: 'd', document: undefined }));
  await until(() => heard.length === 3);
  assert.equal(heard, ['twins/aa/a d - 1', 'twins/aa/a d 1 2', 'twins/aa/a d 2 -']);
});

test('states between may be missed, never the last one, and nothing goes back', async ({ open }) => {
  const [one, other] = await Promise.all([open(), open()]);
  const versions: number[] = [];
  other.watch('twins/aa/a', ({ after }) => versions.push(after?.version ?? 0));
  await readDocuments(other, 'twins/aa/a');
  for (let version = 1; version <= 100; version += 1) await put(one, 'twins/aa/a', 'd', stored(version));
  await until(() => versions.at(-1) === 100);
  assert.equal(
    versions,
    [...new Set(versions)].sort((a, b) => a - b),
  );
});

test('a server does not hear of its own changes', async ({ open }) => {
  const [one, other] = await Promise.all([open(), open()]);
  const heard = await heardOf(one, 'twins/aa/a');
  await Promise.all([put(one, 'twins/aa/a', 'd', stored(1)), put(one, 'twins/aa/a', 'e', stored(1))]);
  await heardAll(other, one);
  assert.equal(heard, []);
});

test('the watcher hears a change of another server once, also when this one writes at the same time', async ({
  open,
}) => {
  const [one, other] = await Promise.all([open(), open()]);
  const heard = await heardOf(one, 'twins/aa/a');
  await Promise.all([
    put(one, 'twins/aa/a', 'mine', stored(1)),
    put(other, 'twins/aa/a', 'theirs', stored(1)),
  ]);
  await until(() => heard.length > 0);
  await heardAll(other, one);
  assert.equal(heard, ['twins/aa/a theirs - 1']);
});

test('a watcher that has ended hears nothing', async ({ open }) => {
  const [one, other] = await Promise.all([open(), open()]);
  const heard: ForeignChange[] = [];
  const end = other.watch('twins/aa/a', (change) => heard.push(change));
  await readDocuments(other, 'twins/aa/a');
  end();
  await put(one, 'twins/aa/a', 'd', stored(1));
  await heardAll(one, other);
  assert.equal(heard, []);
});

test('a watcher of a prefix hears of files that were never read here', async ({ open }) => {
  const [one, other] = await Promise.all([open(), open()]);
  const heard: string[] = [];
  other.watchAll('twins/', (change) => heard.push(shown(change)));
  await put(one, 'twins/aa/a', 'd', stored(1));
  await put(one, 'devices/aa', 'd', stored(1));
  await heardAll(one, other);
  await until(() => heard.some((each) => each.startsWith('twins/zz')));
  assert.equal(
    heard.filter((each) => !each.startsWith('twins/zz')),
    ['twins/aa/a d - 1'],
  );
});

test('the watcher hears what was changed while the network was cut when it is whole again', async ({
  open,
  database,
}) => {
  const proxy = await startProxy(database);
  const [one, other] = await Promise.all([open(), open(proxy.url)]);
  const heard = await heardOf(other, 'twins/aa/a');
  const byPrefix: string[] = [];
  other.watchAll('twins/', (change) => byPrefix.push(shown(change)));
  await put(one, 'twins/aa/a', 'd', stored(1));
  await put(one, 'twins/aa/same', 'd', stored(1));
  await until(() => heard.length === 1 && byPrefix.length === 2);
  proxy.refuse(true);
  proxy.cut();
  await put(one, 'twins/aa/a', 'd', stored(2));
  await put(one, 'twins/aa/a', 'd', stored(3));
  await put(one, 'twins/aa/new', 'd', stored(1));
  proxy.refuse(false);
  await until(() => heard.length === 2 && byPrefix.length === 4);
  assert.is(heard[1], 'twins/aa/a d 1 3');
  assert.equal(byPrefix.slice(2).sort(), ['twins/aa/a d 1 3', 'twins/aa/new d - 1']);
  await proxy.close();
});

test('a LISTEN connection that is silent is noticed by its beat, and made again', async ({
  open,
  database,
}) => {
  const proxy = await startProxy(database);
  const [one, other] = await Promise.all([open(), open(proxy.url)]);
  const heard = await heardOf(other, 'twins/aa/a');
  await until(() => other.heardMs < 500);
  proxy.silence('LISTEN');
  await put(one, 'twins/aa/a', 'd', stored(1));
  await until(() => other.heardMs > 1000);
  await until(() => heard.length === 1);
  assert.equal(heard, ['twins/aa/a d - 1']);
  await proxy.close();
});

tests.run();
