/** A device is removed with its twin, in one operation that can be repeated. */

import { randomUUID } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DeviceNotFound, Devices } from '../../../server/devices/devices.js';
import { type MemoryStorage, memoryStorage } from '../../../server/storage/memory.js';
import { type Decide, readDocuments, StorageUnavailable } from '../../../server/storage/storage.js';
import { Twins } from '../../../server/twins/twins.js';
import { until } from '../../until.js';
import { certify } from './certify.js';

const OPTIONS = { region: 'fr-par', hubId: randomUUID(), certify };

interface Context {
  storage: MemoryStorage;
  twins: Twins;
  devices: Devices;
}

const test = suite<Context>('removing a device');

test.before.each((context) => {
  context.storage = memoryStorage();
  context.twins = new Twins(context.storage);
  context.devices = new Devices(context.storage, context.twins, OPTIONS);
});

const has = (devices: Devices, id: string): Promise<boolean | undefined> =>
  new Promise((done, failed) => devices.has(id, (error, known) => (error ? failed(error) : done(known))));

const put = (twins: Twins, id: string): Promise<void> =>
  new Promise((done, failed) => {
    twins.put(id, 'current', { version: 0, data: {} }, (error) => (error ? failed(error) : done()));
  });

const list = (twins: Twins, id: string): Promise<string[] | undefined> =>
  new Promise((done, failed) => twins.list(id, (error, names) => (error ? failed(error) : done(names))));

async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  assert.unreachable('it did not reject');
  throw new Error('unreachable');
}

test('removing a device deletes its twin and the time at which it was heard last', async ({
  devices,
  twins,
  storage,
}) => {
  const { device } = await devices.create({ name: 'n' });
  await put(twins, device.id);
  devices.presence.connected(device.id);
  devices.presence.disconnected(device.id);
  await devices.presence.close();
  await devices.remove(device.id);
  assert.equal(await list(twins, device.id), []);
  for (const folder of ['devices', 'activity']) {
    const documents = await readDocuments(storage, `${folder}/${device.id.slice(0, 2)}`);
    assert.is(documents.size, 0, folder);
  }
});

// The first write disables the device, the second one clears the twin.
for (const writes of [1, 2]) {
  test(`when the storage fails after write ${writes} of a removal, it can be repeated`, async ({
    devices,
    twins,
    storage,
  }) => {
    const { device } = await devices.create({ name: 'n' });
    await put(twins, device.id);
    const fail = () => storage.failWith(new Error('disk full'));
    if (writes === 1) devices.watch(fail);
    else twins.watch(device.id, fail);
    assert.instance(await rejection(devices.remove(device.id)), StorageUnavailable);
    assert.is((await devices.get(device.id)).status, 'disabled');
    storage.failWith(undefined);
    assert.is(await has(devices, device.id), true);
    const again = new Devices(storage, twins, OPTIONS);
    await again.remove(device.id);
    assert.equal(await list(twins, device.id), []);
    assert.is(await has(again, device.id), false);
  });
}

/** From now on the storage carries out so many changes and forgets the others, as when the process is killed. */
function killAfter(storage: MemoryStorage, changes: number): { killed: Promise<void>; revive: () => void } {
  const { change } = storage;
  let left = changes;
  const killed = new Promise<void>((done) => {
    storage.change = (file, decide, changed) => {
      const decideUnlessKilled: Decide = (latest, now) => {
        const edit = decide(latest, now);
        if (edit !== undefined) left -= 1;
        return left < 0 ? undefined : edit;
      };
      change(file, decideUnlessKilled, (error, edit) => (left < 0 ? done() : changed(error, edit)));
    };
  });
  return { killed, revive: () => Object.assign(storage, { change }) };
}

// The removal is recorded, the device is disabled, its twin is cleared, its time, its record and the removal are removed.
const CHANGES = 6;

for (let changes = 1; changes < CHANGES; changes += 1) {
  test(`a removal that a kill cuts off after ${changes} of its ${CHANGES} changes is finished at the next start`, async ({
    devices,
    twins,
    storage,
  }) => {
    const { device } = await devices.create({ name: 'n' });
    const { device: other } = await devices.create({ name: 'other' });
    for (const { id } of [device, other]) {
      await put(twins, id);
      devices.presence.connected(id);
      await devices.presence.disconnected(id);
    }
    const { killed, revive } = killAfter(storage, changes);
    devices.remove(device.id);
    await killed;
    revive();
    const twinsAgain = new Twins(storage);
    const again = new Devices(storage, twinsAgain, OPTIONS);
    await again.resumeRemovals((error) => assert.unreachable(error.message));
    assert.is(await has(again, device.id), false);
    await until(async () => (await readDocuments(storage, 'removals')).size === 0);
    assert.equal(await list(twinsAgain, device.id), []);
    assert.equal(
      (await again.list()).devices.map(({ id }) => id),
      [other.id],
    );
    assert.is(await again.presence.lastActivityAt(device.id), null);
    assert.equal(await list(twinsAgain, other.id), ['current']);
  });
}

test('a removal that was not recorded has changed nothing', async ({ devices, twins, storage }) => {
  const { device } = await devices.create({ name: 'n' });
  await put(twins, device.id);
  storage.failWith(new Error('disk full'));
  assert.instance(await rejection(devices.remove(device.id)), StorageUnavailable);
  storage.failWith(undefined);
  assert.is((await devices.get(device.id)).status, 'enabled');
  assert.equal(await list(twins, device.id), ['current']);
});

test('a device that is enabled after its removal failed stays at the next start', async ({
  devices,
  twins,
  storage,
}) => {
  const { device } = await devices.create({ name: 'n' });
  const stop = devices.watch(() => storage.failWith(new Error('disk full')));
  assert.instance(await rejection(devices.remove(device.id)), StorageUnavailable);
  stop();
  storage.failWith(undefined);
  await devices.enable(device.id);
  const again = new Devices(storage, twins, OPTIONS);
  await again.resumeRemovals((error) => assert.unreachable(error.message));
  assert.is(await has(again, device.id), true);
  assert.is((await again.get(device.id)).status, 'enabled');
});

test('while a device is being removed nothing can write to its twin or enable it', async ({
  devices,
  storage,
}) => {
  const { device } = await devices.create({ name: 'n' });
  let cleared: (error: null) => void = () => undefined;
  const clearing = new Promise<void>((begun) => {
    const clear: Twins['clear'] = (_, answer) => {
      cleared = answer;
      begun();
    };
    devices = new Devices(storage, { clear }, OPTIONS);
  });
  const removals = [devices.remove(device.id), devices.remove(device.id)];
  await clearing;
  assert.is(await has(devices, device.id), false);
  for (const call of [() => devices.enable(device.id), () => devices.renew(device.id)]) {
    assert.instance(await rejection(call()), DeviceNotFound);
  }
  cleared(null);
  await Promise.all(removals);
  assert.instance(await rejection(devices.get(device.id)), DeviceNotFound);
});

test.run();
