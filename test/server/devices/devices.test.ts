import { randomUUID } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digest } from '../../../server/access/secret.js';
import { DeviceNotFound, Devices, type Revocation } from '../../../server/devices/devices.js';
import { type MemoryStorage, memoryStorage } from '../../../server/storage/memory.js';
import { putDocument, readDocuments, StorageUnavailable } from '../../../server/storage/storage.js';
import { Twins } from '../../../server/twins/twins.js';
import { isDeviceId } from '../../../shared/document.js';
import { certify } from './certify.js';

const REGION = 'fr-par';
const HUB = randomUUID();
const OPTIONS = { region: REGION, hubId: HUB, certify };

interface Context {
  storage: MemoryStorage;
  devices: Devices;
  clock: { now: Date };
}

const test = suite<Context>('devices');

test.before.each((context) => {
  const clock = { now: new Date('2026-03-01T10:00:00.000Z') };
  context.clock = clock;
  context.storage = memoryStorage(() => clock.now.getTime());
  context.devices = new Devices(context.storage, new Twins(context.storage), OPTIONS);
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  assert.unreachable('it did not reject');
  throw new Error('unreachable');
}

const has = (devices: Devices, id: string): Promise<boolean | undefined> =>
  new Promise((done, failed) => devices.has(id, (error, known) => (error ? failed(error) : done(known))));

test('a new device is enabled, has never connected, and allows only what was set', async ({ devices }) => {
  const { device } = await devices.create({ name: 'front door' });
  assert.ok(isDeviceId(device.id));
  assert.equal(device, {
    id: device.id,
    name: 'front door',
    description: '',
    status: 'enabled',
    hub_id: HUB,
    last_activity_at: null,
    is_connected: false,
    allow_insecure: false,
    allow_multiple_connections: false,
    has_custom_certificate: false,
    created_at: '2026-03-01T10:00:00.000Z',
    updated_at: '2026-03-01T10:00:00.000Z',
    region: REGION,
  });
  assert.equal(await devices.get(device.id), device);
});

test('a device keeps the fields that it was created with', async ({ devices }) => {
  const input = { name: 'n', description: 'd', allow_insecure: true, allow_multiple_connections: true };
  const { device } = await devices.create(input);
  const { name, description, allow_insecure, allow_multiple_connections } = await devices.get(device.id);
  assert.equal({ name, description, allow_insecure, allow_multiple_connections }, input);
});

test('a password has at least 128 random bits and no two are alike', async ({ devices }) => {
  const passwords = new Set<string>();
  for (let n = 0; n < 100; n += 1) passwords.add((await devices.create({ name: 'n' })).password);
  assert.is(passwords.size, 100);
  for (const password of passwords) {
    assert.match(password, /^[\w-]+$/);
    assert.ok(Buffer.from(password, 'hex').length >= 16);
  }
});

test('the password is stored as SHA-256 only and never shown again', async ({ devices, storage }) => {
  const { device, password } = await devices.create({ name: 'n' });
  const [file = ''] = await storage.list('devices/');
  const stored = (await readDocuments(storage, file)).get(device.id)?.data ?? '';
  assert.match(stored, /"password_sha256":"[0-9a-f]{64}"/);
  assert.not.ok(stored.includes(password));
  assert.not.ok(
    JSON.stringify([device, await devices.get(device.id), await devices.list()]).includes('password'),
  );
});

test('the right password, and only that one, authenticates a device', async ({ devices }) => {
  const { device, password } = await devices.create({ name: 'n' });
  const other = await devices.create({ name: 'other' });
  assert.equal(await devices.authenticate(device.id, bytes(password)), device);
  for (const wrong of ['', `${password}x`, password.slice(1), other.password]) {
    assert.is(await devices.authenticate(device.id, bytes(wrong)), undefined);
  }
});

test('an unknown id is refused, whatever its form', async ({ devices }) => {
  const { password } = await devices.create({ name: 'n' });
  for (const id of ['', '..', '__proto__', '../tokens', randomUUID(), 'x'.repeat(10_000)]) {
    assert.is(await devices.authenticate(id, bytes(password)), undefined);
    assert.is(await devices.authenticate(id, bytes('')), undefined);
  }
});

test('a text that is not a lower-case UUID never becomes the name of a file', async ({
  devices,
  storage,
}) => {
  for (const id of ['../../etc', 'DEVICES', '..']) await devices.authenticate(id, bytes('x'));
  assert.equal(await storage.list(''), []);
});

test('a disabled device is known by its password and its state', async ({ devices }) => {
  const { device, password } = await devices.create({ name: 'n' });
  assert.is((await devices.disable(device.id)).status, 'disabled');
  assert.is((await devices.authenticate(device.id, bytes(password)))?.status, 'disabled');
  assert.is((await devices.enable(device.id)).status, 'enabled');
  assert.is((await devices.authenticate(device.id, bytes(password)))?.status, 'enabled');
});

test('an update changes what it names, and the time of the update', async ({ devices, clock }) => {
  const { device } = await devices.create({ name: 'n', description: 'old', allow_insecure: true });
  clock.now = new Date('2026-03-02T00:00:00.000Z');
  const changed = await devices.update(device.id, { description: 'new', allow_multiple_connections: true });
  assert.equal(changed, {
    ...device,
    description: 'new',
    allow_multiple_connections: true,
    updated_at: '2026-03-02T00:00:00.000Z',
  });
  assert.equal(await devices.get(device.id), changed);
});

test('updates that overlap are all kept', async ({ devices }) => {
  const { device } = await devices.create({ name: 'n' });
  await Promise.all([
    devices.update(device.id, { description: 'd' }),
    devices.update(device.id, { allow_insecure: true }),
    devices.disable(device.id),
  ]);
  const { description, allow_insecure, status } = await devices.get(device.id);
  assert.equal(
    { description, allow_insecure, status },
    {
      description: 'd',
      allow_insecure: true,
      status: 'disabled',
    },
  );
});

test('every call on an unknown device rejects and names it', async ({ devices }) => {
  const id = randomUUID();
  for (const call of [
    () => devices.get(id),
    () => devices.update(id, {}),
    () => devices.enable(id),
    () => devices.disable(id),
    () => devices.renew(id),
    () => devices.remove(id),
  ]) {
    const error = await rejection(call());
    assert.instance(error, DeviceNotFound);
    assert.is((error as DeviceNotFound).deviceId, id);
  }
});

test('a removed device is gone, with its password', async ({ devices }) => {
  const { device, password } = await devices.create({ name: 'n' });
  assert.is(await has(devices, device.id), true);
  await devices.remove(device.id);
  assert.is(await has(devices, device.id), false);
  assert.is(await devices.authenticate(device.id, bytes(password)), undefined);
  assert.equal(await devices.list(), { devices: [], total: 0 });
  assert.instance(await rejection(devices.remove(device.id)), DeviceNotFound);
});

test('a device is found by its own certificate only', async ({ devices }) => {
  const { device, certificate } = await devices.create({ name: 'n' });
  const other = await devices.create({ name: 'other' });
  const sha256 = digest(certificate.crt);
  assert.equal(await devices.certified(device.id, sha256), device);
  for (const id of [other.device.id, randomUUID(), '../x', '']) {
    assert.is(await devices.certified(id, sha256), undefined, id);
  }
  assert.is(await devices.certified(device.id, digest(other.certificate.crt)), undefined);
  await devices.remove(device.id);
  assert.is(await devices.certified(device.id, sha256), undefined);
});

test('a device of a version without certificates has none until it is renewed', async ({
  devices,
  storage,
}) => {
  const { device } = await devices.create({ name: 'n' });
  const shard = `devices/${device.id.slice(0, 2)}`;
  const stored = storage.stored(shard).get(device.id);
  const { certificate_sha256: _, ...record } = JSON.parse(stored?.data ?? '');
  await putDocument(storage, shard, device.id, JSON.stringify(record));
  assert.is(await devices.certified(device.id, ''), undefined);
  const { certificate } = await devices.renew(device.id);
  assert.is((await devices.certified(device.id, digest(certificate.crt)))?.id, device.id);
});

test('no secret of a device is stored or shown', async ({ devices, storage }) => {
  const { device, password, certificate } = await devices.create({ name: 'n' });
  const stored = storage.stored(`devices/${device.id.slice(0, 2)}`).get(device.id)?.data ?? '';
  for (const secret of [password, certificate.key]) {
    assert.not(stored.includes(secret));
    assert.not(JSON.stringify(await devices.list()).includes(secret));
  }
  assert.not(JSON.stringify(await devices.get(device.id)).includes('sha256'));
});

test('renewing replaces password and certificate', async ({ devices }) => {
  const { device, password, certificate } = await devices.create({ name: 'n' });
  const renewed = await devices.renew(device.id);
  assert.is.not(renewed.password, password);
  assert.is(await devices.certified(device.id, digest(certificate.crt)), undefined);
  assert.is((await devices.certified(device.id, digest(renewed.certificate.crt)))?.id, device.id);
  assert.is(await devices.authenticate(device.id, bytes(password)), undefined);
  assert.is((await devices.authenticate(device.id, bytes(renewed.password)))?.id, device.id);
});

test('list returns the devices of all files, also after the registry was opened again', async ({
  devices,
  storage,
}) => {
  const made = await Promise.all(
    Array.from({ length: 600 }, (_, n) => devices.create({ name: `device-${n}` })),
  );
  const again = new Devices(storage, new Twins(storage), OPTIONS);
  const ids = (await again.list()).devices.map(({ id }) => id);
  assert.equal(ids.sort(), made.map(({ device }) => device.id).sort());
  assert.ok((await storage.list('devices/')).length <= 256);
});

test('a device is connected from its first connection to its last', async ({ devices }) => {
  const { device } = await devices.create({ name: 'n' });
  const isConnected = async () => (await devices.get(device.id)).is_connected;
  devices.presence.connected(device.id);
  devices.presence.connected(device.id);
  assert.ok(await isConnected());
  assert.is(devices.presence.count, 1);
  devices.presence.disconnected(device.id);
  assert.ok(await isConnected());
  devices.presence.disconnected(device.id);
  assert.not(await isConnected());
  assert.is(devices.presence.count, 0);
});

test('the last activity is seen while a device is connected and after it has gone', async ({
  devices,
  clock,
  storage,
}) => {
  const { device } = await devices.create({ name: 'n' });
  const lastActivity = async () => (await devices.get(device.id)).last_activity_at;
  devices.presence.connected(device.id);
  assert.is(await lastActivity(), '2026-03-01T10:00:00.000Z');
  clock.now = new Date('2026-03-01T11:00:00.000Z');
  devices.presence.active(device.id);
  assert.is(await lastActivity(), '2026-03-01T11:00:00.000Z');
  devices.presence.disconnected(device.id);
  assert.is(await lastActivity(), '2026-03-01T11:00:00.000Z');
  await devices.presence.close();
  const again = new Devices(storage, new Twins(storage), OPTIONS);
  assert.is((await again.get(device.id)).last_activity_at, '2026-03-01T11:00:00.000Z');
});

test('a device that comes back while its last activity is being kept stays connected', async ({
  devices,
}) => {
  const { device } = await devices.create({ name: 'n' });
  devices.presence.connected(device.id);
  devices.presence.disconnected(device.id);
  devices.presence.connected(device.id);
  await devices.presence.close();
  assert.ok((await devices.get(device.id)).is_connected);
  assert.is(devices.presence.count, 1);
  devices.presence.disconnected(device.id);
  assert.is(devices.presence.count, 0);
});

test('an activity that cannot be kept is reported, and breaks nothing', async ({ storage }) => {
  const told = new Promise<Error>((tell) => {
    const devices = new Devices(storage, new Twins(storage), { ...OPTIONS, onError: tell });
    const id = randomUUID();
    storage.failWith(new Error('disk full'));
    devices.presence.connected(id);
    devices.presence.disconnected(id);
  });
  assert.instance(await told, StorageUnavailable);
});

test('a watcher hears each device that was changed, as it is then', async ({ devices }) => {
  const { device } = await devices.create({ name: 'lamp' });
  const heard: string[] = [];
  const unwatch = devices.watchChanges(({ id, name, status }) =>
    heard.push(`${id === device.id} ${name} ${status}`),
  );
  await devices.update(device.id, { name: 'lantern' });
  await devices.disable(device.id);
  unwatch();
  await devices.enable(device.id);
  assert.equal(heard, ['true lantern enabled', 'true lantern disabled']);
});

test('a watcher hears of each device that must lose its connections, and why', async ({ devices }) => {
  const { device } = await devices.create({ name: 'n' });
  const heard: [string, Revocation][] = [];
  const unwatch = devices.watch((id, why) => heard.push([id, why]));
  await devices.enable(device.id);
  await devices.update(device.id, { description: 'd' });
  assert.equal(heard, []);
  await devices.disable(device.id);
  await devices.renew(device.id);
  await devices.remove(device.id);
  assert.equal(heard, [
    [device.id, 'disabled'],
    [device.id, 'credentials'],
    [device.id, 'deleted'],
  ]);
  unwatch();
  const other = await devices.create({ name: 'other' });
  await devices.remove(other.device.id);
  assert.is(heard.length, 3);
});

test('a device loses its connections when it may no longer use a password, and not at other updates', async ({
  devices,
}) => {
  const { device } = await devices.create({ name: 'n', allow_insecure: true });
  const heard: Revocation[] = [];
  devices.watch((_, why) => heard.push(why));
  await devices.update(device.id, { description: 'd' });
  await devices.update(device.id, { allow_insecure: true });
  assert.equal(heard, []);
  await devices.update(device.id, { allow_insecure: false });
  assert.equal(heard, ['insecure']);
  await devices.update(device.id, { allow_insecure: false });
  assert.equal(heard, ['insecure']);
});

test('a change that cannot be stored is refused, and no connection is closed', async ({
  devices,
  storage,
}) => {
  const { device, password } = await devices.create({ name: 'n', allow_insecure: true });
  let revocations = 0;
  devices.watch(() => {
    revocations += 1;
  });
  storage.failWith(new Error('disk full'));
  for (const call of [
    () => devices.create({ name: 'other' }),
    () => devices.update(device.id, { allow_insecure: false }),
    () => devices.disable(device.id),
    () => devices.renew(device.id),
    () => devices.remove(device.id),
  ]) {
    assert.instance(await rejection(call()), StorageUnavailable);
  }
  assert.is(revocations, 0);
  assert.equal(await devices.get(device.id), device);
  assert.equal(await devices.authenticate(device.id, bytes(password)), device);
});

test.run();
