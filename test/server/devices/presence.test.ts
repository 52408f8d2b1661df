import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HEARD_EVERY_MS, Presence, type PresenceState } from '../../../server/devices/presence.js';
import { type MemoryStorage, memoryStorage } from '../../../server/storage/memory.js';
import { readDocuments } from '../../../server/storage/storage.js';
import { until } from '../../until.js';

const ID = '0f4f6a9e-6d2b-4c3e-9a77-1d2f3a4b5c6d';
const OTHER = '1f4f6a9e-6d2b-4c3e-9a77-1d2f3a4b5c6d';

interface Context {
  storage: MemoryStorage;
  presence: Presence;
  /** Sets the clock to so many seconds after ten. */
  at: (seconds: number) => string;
}

const test = suite<Context>('presence');

test.before.each((context) => {
  let now = new Date(0);
  context.at = (seconds) => {
    now = new Date(Date.UTC(2026, 2, 1, 10, 0, seconds));
    return now.toISOString();
  };
  context.at(0);
  context.storage = memoryStorage(() => now.getTime());
  context.presence = new Presence(context.storage);
});

test('a device that never connected is not connected, and has no time', async ({ presence }) => {
  assert.equal(await presence.state(ID), { isConnected: false, at: null });
});

test('a device is connected since its first connection, and gone since it was last heard', async ({
  presence,
  at,
}) => {
  const first = at(1);
  presence.connected(ID);
  at(2);
  presence.connected(ID);
  assert.equal(await presence.state(ID), { isConnected: true, at: first });
  const heard = at(3);
  presence.active(ID);
  assert.equal(await presence.state(ID), { isConnected: true, at: first });
  at(60);
  await presence.disconnected(ID);
  assert.equal(await presence.state(ID), { isConnected: true, at: first });
  await presence.disconnected(ID);
  assert.equal(await presence.state(ID), { isConnected: false, at: heard });
});

test('when a device was lost is the same after a restart', async ({ presence, storage, at }) => {
  const heard = at(1);
  presence.connected(ID);
  at(90);
  await presence.disconnected(ID);
  const again = new Presence(storage);
  assert.equal(await again.state(ID), { isConnected: false, at: heard });
});

test('after a crash the time of a connected device is right within the interval of one write', async ({
  storage,
  at,
}) => {
  at(1);
  const options = { heardEveryMs: 1 };
  const first = new Presence(storage, options);
  const afterCrash = () => new Presence(storage, options).state(ID);
  first.connected(ID);
  await first.disconnected(ID);
  at(100);
  first.connected(ID);
  await until(async () => (await afterCrash()).at === at(100));
  at(200);
  first.active(ID);
  await until(async () => (await afterCrash()).at === at(200));
  assert.equal(await afterCrash(), { isConnected: false, at: at(200) });
});

test('when a device connects the time is written at once, also soon after another', async ({
  storage,
  at,
}) => {
  at(1);
  const options = { heardEveryMs: 1_000_000 };
  const presence = new Presence(storage, options);
  presence.connected(OTHER);
  await presence.close();
  at(2);
  presence.connected(ID);
  await until(async () => (await new Presence(storage, options).state(ID)).at === at(2));
});

test('after a crash the time at which a device was heard is wrong by less than a minute', () => {
  assert.ok(HEARD_EVERY_MS < 60_000);
});

test('packets of many devices cause one write, at once after a silence and then once in the interval', async ({
  storage,
  at,
}) => {
  at(1);
  const presence = new Presence(storage, { heardEveryMs: 1_000_000 });
  const writes: string[] = [];
  const { change } = storage;
  storage.change = (file, decide, done) =>
    change(file, decide, (error, edit) => {
      if (edit?.key === 'heard' && edit.document !== undefined) writes.push(edit.document.data);
      done(error, edit);
    });
  for (const id of [ID, OTHER]) presence.connected(id);
  for (let round = 0; round < 100; round += 1) presence.active(ID);
  await until(() => writes.length > 0);
  for (let round = 0; round < 100; round += 1) presence.active(ID);
  await presence.close();
  const time = Date.parse(at(1));
  assert.equal(writes, [
    JSON.stringify({ [ID]: time, [OTHER]: time }),
    JSON.stringify({ [ID]: time, [OTHER]: time }),
  ]);
});

test('the times for a crash are removed with the device, and when all have disconnected in order', async ({
  storage,
  at,
}) => {
  at(1);
  const options = { heardEveryMs: 1 };
  const crashed = new Presence(storage, options);
  crashed.connected(ID);
  crashed.connected(OTHER);
  const kept = async () => (await readDocuments(storage, 'connected')).get('heard')?.data ?? '{}';
  await until(async () => Object.keys(JSON.parse(await kept())).length === 2);
  const next = new Presence(storage, options);
  await next.forget(ID);
  assert.equal(await next.state(ID), { isConnected: false, at: null });
  next.connected(OTHER);
  await next.disconnected(OTHER);
  await next.close();
  assert.is(await kept(), '{}');
  assert.is((await next.state(OTHER)).at, at(1));
});

test('servers that share a storage each keep the times of their devices, and know those of all', async ({
  storage,
  at,
}) => {
  at(1);
  const one = new Presence(storage, { heardEveryMs: 1, node: 'one' });
  const other = new Presence(storage, { heardEveryMs: 1, node: 'other' });
  for (const [presence, id] of [
    [one, ID],
    [other, OTHER],
  ] as const)
    presence.connected(id);
  await until(() => storage.stored('connected').size === 2);
  const last = at(9);
  for (const [presence, id] of [
    [one, ID],
    [other, OTHER],
  ] as const)
    presence.active(id);
  const third = new Presence(storage, { node: 'third' });
  await until(async () => (await third.state(ID)).at === last && (await third.state(OTHER)).at === last);
  assert.equal((await third.heardIds()).sort(), [ID, OTHER].sort());
});

test('a time that cannot be written for a crash is reported, and written later', async ({ storage, at }) => {
  const errors: Error[] = [];
  at(1);
  const options = { heardEveryMs: 1, onError: (error: Error) => errors.push(error) };
  const presence = new Presence(storage, options);
  storage.failWith(new Error('disk full'));
  presence.connected(ID);
  await until(() => errors.length > 0);
  storage.failWith(undefined);
  await until(async () => (await new Presence(storage, options).state(ID)).at === at(1));
});

test('a watcher hears of the first connection and of the end of the last, of this device only', async ({
  presence,
  at,
}) => {
  const told: PresenceState[] = [];
  const unwatch = presence.watch(ID, (state) => told.push(state));
  const came = at(1);
  presence.connected(ID);
  presence.connected(ID);
  presence.connected(OTHER);
  presence.active(ID);
  await presence.disconnected(ID);
  await presence.disconnected(OTHER);
  assert.equal(told, [{ isConnected: true, at: came }]);
  const leaving = presence.disconnected(ID);
  assert.equal(told.slice(1), [{ isConnected: false, at: came }], 'told at once, not when it is kept');
  const back = at(5);
  presence.connected(ID);
  assert.equal(told.slice(2), [{ isConnected: true, at: back }]);
  await leaving;
  assert.equal(await presence.state(ID), { isConnected: true, at: back });
  unwatch();
  await presence.disconnected(ID);
  assert.is(told.length, 3);
});

test('a watcher hears of it also when the time cannot be stored', async ({ presence, storage }) => {
  const told: boolean[] = [];
  presence.watch(ID, ({ isConnected }) => told.push(isConnected));
  storage.failWith(new Error('disk full'));
  presence.connected(ID);
  await presence.disconnected(ID);
  assert.equal(told, [true, false]);
});

test('a device that goes twice as often as it came is gone once', async ({ presence }) => {
  const told: boolean[] = [];
  presence.watch(ID, ({ isConnected }) => told.push(isConnected));
  presence.connected(ID);
  await Promise.all([presence.disconnected(ID), presence.disconnected(ID)]);
  await presence.disconnected(ID);
  assert.equal(told, [true, false]);
  assert.is(presence.count, 0);
});

test.run();
