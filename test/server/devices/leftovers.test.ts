/** What kills of earlier servers left of deleted devices goes, and nothing else. */

import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Devices } from '../../../server/devices/devices.js';
import { removeLeftovers } from '../../../server/devices/leftovers.js';
import { type MemoryStorage, memoryStorage } from '../../../server/storage/memory.js';
import { changeFile, readDocuments } from '../../../server/storage/storage.js';
import { Twins } from '../../../server/twins/twins.js';
import { certify } from './certify.js';

interface Context {
  storage: MemoryStorage;
  twins: Twins;
  devices: Devices;
  /** A device with a twin and a time. */
  id: string;
  /** A twin and a time without a device. */
  orphan: string;
  clean: (pause?: () => Promise<void>) => Promise<void>;
}

const log = pino({ level: 'silent' });
const OPTIONS = { region: 'fr-par', hubId: randomUUID(), certify };
const AT = '2026-03-01T10:00:00.000Z';
const test = suite<Context>('leftovers');

const put = (twins: Twins, id: string): Promise<void> =>
  new Promise((done, failed) => {
    twins.put(id, 'current', { version: 0, data: {} }, (error) => (error ? failed(error) : done()));
  });

const list = (twins: Twins, id: string): Promise<string[] | undefined> =>
  new Promise((done, failed) => twins.list(id, (error, names) => (error ? failed(error) : done(names))));

async function leave(storage: MemoryStorage, file: string, key: string, data = '{}'): Promise<void> {
  await changeFile(storage, file, () => ({ key, document: { version: 1, updatedAt: AT, data } }));
}

test.before.each(async (context) => {
  const storage = memoryStorage();
  const twins = new Twins(storage);
  const { id } = (await new Devices(storage, twins, OPTIONS).create({ name: 'n' })).device;
  const orphan = randomUUID();
  for (const each of [id, orphan]) {
    await put(twins, each);
    await leave(storage, `activity/${each.slice(0, 2)}`, each);
  }
  await leave(storage, 'connected', 'heard', JSON.stringify({ [id]: 1, [randomUUID()]: 1 }));
  const devices = new Devices(storage, twins, OPTIONS);
  const clean: Context['clean'] = (pause = async () => undefined) =>
    removeLeftovers({ storage, twins, devices, log }, pause);
  Object.assign(context, { storage, twins, devices, id, orphan, clean });
});

test('a twin and the times of a device that is gone are removed, and those of the others stay', async ({
  storage,
  twins,
  devices,
  id,
  orphan,
  clean,
}) => {
  await clean();
  assert.equal([await list(twins, id), await list(twins, orphan)], [['current'], []]);
  assert.is(await devices.presence.lastActivityAt(orphan), null);
  assert.is(await devices.presence.lastActivityAt(id), AT);
  assert.equal(await devices.presence.heardIds(), [id]);
  assert.is((await readDocuments(storage, `activity/${orphan.slice(0, 2)}`)).has(orphan), false);
});

test('all twins are looked through once, and the times of a crash at each start', async ({
  storage,
  twins,
  clean,
}) => {
  await clean();
  const later = randomUUID();
  await put(twins, later);
  await leave(storage, 'connected', 'heard', JSON.stringify({ [later]: 1 }));
  const unheard = randomUUID();
  await put(twins, unheard);
  const again = new Devices(storage, twins, OPTIONS);
  let pauses = 0;
  await removeLeftovers({ storage, twins, devices: again, log }, async () => {
    pauses += 1;
  });
  assert.equal(await again.presence.heardIds(), []);
  assert.ok(pauses < 10);
  assert.equal([await list(twins, later), await list(twins, unheard)], [[], ['current']]);
});

test('the twin of a device that is created meanwhile stays', async ({ twins, devices, clean }) => {
  const made: string[] = [];
  await clean(async () => {
    if (made.length > 300) return;
    const { id } = (await devices.create({ name: 'new' })).device;
    await put(twins, id);
    made.push(id);
  });
  for (const id of made) assert.equal(await list(twins, id), ['current']);
});

test('without any device nothing is removed, because the registry may be missing', async ({
  twins,
  devices,
  id,
  orphan,
  storage,
  clean,
}) => {
  const { list: all } = storage;
  storage.list = async (prefix) => (prefix === 'devices/' ? [] : all(prefix));
  await clean();
  assert.equal([await list(twins, id), await list(twins, orphan)], [['current'], ['current']]);
  storage.list = all;
  await clean();
  assert.equal([await list(twins, orphan), await devices.count()], [[], 1]);
});

test('when the search is cut off, or the storage takes no writes, the next start searches again', async ({
  twins,
  storage,
  orphan,
  clean,
}) => {
  let pauses = 0;
  const stopped = new Error('the server stops');
  const cut = clean(async () => {
    pauses += 1;
    if (pauses > 3) throw stopped;
  });
  assert.is(await cut.catch((error) => error), stopped);
  storage.failWith(new Error('disk full'));
  await clean();
  storage.failWith(undefined);
  assert.equal(await list(twins, orphan), ['current']);
  await clean();
  assert.equal(await list(twins, orphan), []);
});

test.run();
