import { randomUUID } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { VERSION } from '../../../shared/version.js';
import { AUTHORITY, startTestRest, type TestRest } from './rest.js';

const test = suite<{ rest: TestRest }>('hubs');

test.before.each(async (context) => {
  context.rest = await startTestRest();
});
test.after.each(({ rest }) => rest.close());

test('there is one hub, which is this server', async ({ rest }) => {
  const { status, body } = await rest.ask('GET', '/hubs');
  assert.is(status, 200);
  assert.is(body.total_count, 1);
  const [hub] = body.hubs;
  assert.is(hub.id, rest.hubId);
  assert.is(hub.status, 'ready');
  assert.is(hub.region, 'fr-par');
  assert.is(hub.version, VERSION);
  assert.equal((await rest.ask('GET', `/hubs/${rest.hubId}`)).body, hub);
});

test('the hub counts its devices, and those that are connected', async ({ rest }) => {
  const counts = async () => {
    const { device_count, connected_device_count } = (await rest.ask('GET', `/hubs/${rest.hubId}`)).body;
    return [device_count, connected_device_count];
  };
  assert.equal(await counts(), [0, 0]);
  const { id } = await rest.newDevice();
  await rest.newDevice();
  rest.devices.presence.connected(id);
  assert.equal(await counts(), [2, 1]);
  rest.devices.presence.disconnected(id);
  assert.equal(await counts(), [2, 0]);
});

test("the hub tells the authority's certificate", async ({ rest }) => {
  const { status, body } = await rest.ask('GET', `/hubs/${rest.hubId}/ca`);
  assert.is(status, 200);
  assert.equal(body, { ca_cert_pem: AUTHORITY });
});

test('another hub is not found', async ({ rest }) => {
  for (const what of ['', '/ca']) {
    const id = randomUUID();
    const answer = await rest.ask('GET', `/hubs/${id}${what}`);
    assert.is(answer.status, 404);
    assert.is(answer.body.resource, 'hub');
    assert.is(answer.body.resource_id, id);
    assert.is((await rest.ask('GET', `/hubs/mine${what}`)).status, 400);
  }
});

test.run();
