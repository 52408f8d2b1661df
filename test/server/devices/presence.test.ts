import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Presence, type PresenceState } from '../../../server/devices/presence.js';
import { type MemoryStorage, memoryStorage } from '../../../server/storage/memory.js';

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
  context.storage = memoryStorage();
  context.presence = new Presence(context.storage, () => now);
});

test('a device that never connected is not there, and never was', async ({ presence }) => {
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
  const again = new Presence(storage, () => new Date());
  assert.equal(await again.state(ID), { isConnected: false, at: heard });
});

test('who watches hears of the first connection and of the last one gone, of this device only', async ({
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

test('who watches is told also where the time cannot be kept', async ({ presence, storage }) => {
  const told: boolean[] = [];
  presence.watch(ID, ({ isConnected }) => told.push(isConnected));
  storage.failWith(new Error('disk full'));
  presence.connected(ID);
  await presence.disconnected(ID).catch(() => undefined);
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
