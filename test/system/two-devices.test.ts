/** Two devices on the real server: neither sees nor reaches the other's twin in any way. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connectDevice, type Device } from './device.js';
import { type Credentials, createDevice, type Server, startServer } from './server.js';

interface Context {
  server: Server;
  ours: Credentials;
  theirs: Credentials;
  spy: Device;
  victim: Device;
}

const test = suite<Context>('two devices');

test.before(async (context) => {
  context.server = await startServer();
  context.ours = await createDevice(context.server, 'spy');
  context.theirs = await createDevice(context.server, 'victim');
  context.spy = await connectDevice(context.server, context.ours);
  context.victim = await connectDevice(context.server, context.theirs);
});
test.after(async ({ server, spy, victim }) => {
  await spy.close();
  await victim.close();
  await server.stop();
});

test('no filter that reaches beyond the own twin is granted', async ({ spy, theirs }) => {
  const filters = ['#', '+/+', '+/#', '$SYS/#', '$SCW/#', '$SCW/twins/#', '$SCW/twins/+/#', '$SCW/+/me/#'];
  for (const filter of [...filters, `$SCW/twins/${theirs.id}/#`, `$SCW/twins/${theirs.id}/current/changed`]) {
    assert.not.ok(await spy.subscribe(filter), filter);
  }
});

test("nothing of the other's twin is heard, read or changed", async ({
  server,
  spy,
  victim,
  ours,
  theirs,
}) => {
  await victim.ask('current', 'put', { data: { secret: true } });
  for (const [action, payload] of Object.entries({
    get: {},
    put: { data: { stolen: true } },
    patch: { data: { stolen: true } },
    delete: {},
  })) {
    await spy.publish(`$SCW/twins/${theirs.id}/current/${action}`, payload);
  }
  await spy.publish(`$SCW/twins/${theirs.id}/current/get/response/success`, { forged: true });
  await spy.publish(`$SCW/twins/${theirs.id}/desired/changed`, { forged: true });

  const path = `/twins/${theirs.id}/documents/current`;
  const present = (await (await server.api(path)).json()) as { version: number; data: unknown };
  assert.equal([present.version, present.data], [1, { secret: true }]);

  // What was sent to the victim would have come before the answer to its own last request.
  await victim.ask('current', 'patch', { data: { n: 1 } });
  await spy.ask('own', 'put', { data: {} });
  const heardOf = (device: Device): unknown[] => device.received.map(({ body }) => body.twin_id);
  assert.equal(new Set(heardOf(victim)), new Set([theirs.id]));
  assert.equal(new Set(heardOf(spy)), new Set([ours.id]));
});

test("one's credentials do not open the other's connection", async ({ server, ours, theirs }) => {
  const mixed = { id: theirs.id, password: ours.password };
  const refused = await connectDevice(server, mixed).then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.instance(refused, Error);
  assert.is((refused as Error & { code?: number }).code, 4);
});

test('a password is not a token', async ({ server, theirs }) => {
  const headers = { 'X-Auth-Token': theirs.password };
  const { status } = await server.api(`/twins/${theirs.id}/documents/current`, { headers });
  assert.is(status, 401);
});

test.run();
