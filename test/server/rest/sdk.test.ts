/** Scaleway's own client against this server: every twin and device call, and its typed errors. */

import { randomUUID } from 'node:crypto';
import { createClient, Errors } from '@scaleway/sdk-client';
import { Iotv1 } from '@scaleway/sdk-iot';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AUTHORITY, startTestRest, type TestRest } from './rest.js';

const test = suite<{ rest: TestRest; iot: Iotv1.API; deviceId: string }>("Scaleway's client");

const ACCESS_KEY = 'SCWXXXXXXXXXXXXXXXXX';

const clientOf = (rest: TestRest, secretKey: string): Iotv1.API =>
  new Iotv1.API(
    createClient({ apiURL: rest.url, accessKey: ACCESS_KEY, secretKey, defaultRegion: 'fr-par' }),
  );

test.before.each(async (context) => {
  context.rest = await startTestRest();
  context.iot = clientOf(context.rest, context.rest.token);
  context.deviceId = (await context.rest.newDevice()).id;
});
test.after.each(({ rest }) => rest.close());

// biome-ignore lint/suspicious/noExplicitAny: the constructor's parameters do not matter
async function rejection<E>(call: Promise<unknown>, type: new (...parameters: any[]) => E): Promise<E> {
  try {
    await call;
  } catch (error) {
    assert.instance(error, type);
    return error as E;
  }
  assert.unreachable(`no ${type.name}`);
  throw new Error('unreachable');
}

test('puts, gets, patches, lists and deletes documents', async ({ iot, deviceId: twinId }) => {
  const document = { twinId, documentName: 'desired' };
  const put = await iot.putTwinDocument({ ...document, data: { alarm_armed: true, zone: { a: 1 } } });
  assert.equal(put, {
    twinId,
    documentName: 'desired',
    version: 1,
    data: { alarm_armed: true, zone: { a: 1 } },
  });
  assert.equal(await iot.getTwinDocument(document), put);
  const patch = await iot.patchTwinDocument({ ...document, version: 1, data: { zone: { a: null, b: 2 } } });
  assert.is(patch.version, 2);
  assert.equal(patch.data, { alarm_armed: true, zone: { b: 2 } });
  await iot.putTwinDocument({ twinId, documentName: 'current', data: {} });
  assert.equal(await iot.listTwinDocuments({ twinId }), {
    documents: [{ documentName: 'current' }, { documentName: 'desired' }],
  });
  await iot.deleteTwinDocument(document);
  await rejection(iot.getTwinDocument(document), Errors.ResourceNotFoundError);
  await iot.deleteTwinDocuments({ twinId });
  assert.equal(await iot.listTwinDocuments({ twinId }), { documents: [] });
});

test('an outdated version comes out as invalid arguments', async ({ iot, deviceId: twinId }) => {
  const document = { twinId, documentName: 'concurency' };
  await iot.putTwinDocument({ ...document, data: {} });
  await iot.putTwinDocument({ ...document, version: 1, data: {} });
  const error = await rejection(
    iot.putTwinDocument({ ...document, version: 1, data: {} }),
    Errors.InvalidArgumentsError,
  );
  assert.is(error.status, 400);
  assert.equal(error.details, [
    { argumentName: 'version', reason: 'constraint', helpMessage: 'document version mismatch' },
  ]);
  assert.is((await iot.putTwinDocument({ ...document, version: 2, data: {} })).version, 3);
});

test('a document, a device and a hub that are not there come out as not found', async ({
  iot,
  deviceId: twinId,
}) => {
  const id = randomUUID();
  const missing: [Promise<unknown>, string, string][] = [
    [iot.getTwinDocument({ twinId, documentName: 'none' }), 'twin_document', 'none'],
    [iot.getTwinDocument({ twinId: id, documentName: 'd' }), 'device', id],
    [iot.getDevice({ deviceId: id }), 'device', id],
    [iot.deleteDevice({ deviceId: id }), 'device', id],
    [iot.getHub({ hubId: id }), 'hub', id],
  ];
  for (const [call, resource, resourceId] of missing) {
    const error = await rejection(call, Errors.ResourceNotFoundError);
    assert.is(error.resource, resource);
    assert.is(error.resourceId, resourceId);
  }
});

test('a wrong token comes out as denied authentication, too small a one as permissions denied', async ({
  rest,
  deviceId: twinId,
}) => {
  const denied = await rejection(
    clientOf(rest, randomUUID()).getDevice({ deviceId: twinId }),
    Errors.DeniedAuthenticationError,
  );
  assert.is(denied.method, 'api_key');
  assert.is(denied.reason, 'not_found');
  const reader = clientOf(rest, await rest.newToken('reader'));
  const refused = await rejection(
    reader.putTwinDocument({ twinId, documentName: 'd', data: {} }),
    Errors.PermissionsDeniedError,
  );
  assert.equal(refused.list, [{ resource: 'twin_document', action: 'write' }]);
});

test('a storage that takes no writes comes out as a transient state', async ({ rest, iot, deviceId }) => {
  rest.storage.failWith(new Error('disk full'));
  await rejection(
    iot.putTwinDocument({ twinId: deviceId, documentName: 'd', data: {} }),
    Errors.TransientStateError,
  );
});

test('creates, shows, updates, disables, enables, renews and deletes a device', async ({ rest, iot }) => {
  const { device, certificate } = await iot.createDevice({
    name: 'front door',
    hubId: rest.hubId,
    allowInsecure: true,
    allowMultipleConnections: false,
    description: 'by the stairs',
  });
  assert.match(certificate?.crt ?? '', device?.id ?? '-');
  assert.ok(certificate?.key);
  assert.ok(device);
  const deviceId = device?.id ?? '';
  const shown = await iot.getDevice({ deviceId });
  assert.equal(shown, device);
  assert.is(shown.name, 'front door');
  assert.is(shown.status, 'enabled');
  assert.is(shown.hubId, rest.hubId);
  assert.is(shown.isConnected, false);
  assert.is(shown.allowInsecure, true);
  assert.is(shown.hasCustomCertificate, false);
  assert.is(shown.lastActivityAt, undefined);
  assert.instance(shown.createdAt, Date);
  const updated = await iot.updateDevice({ deviceId, description: 'new', allowMultipleConnections: true });
  assert.is(updated.description, 'new');
  assert.is(updated.allowMultipleConnections, true);
  assert.is(updated.allowInsecure, true);
  assert.is((await iot.disableDevice({ deviceId })).status, 'disabled');
  assert.is((await iot.enableDevice({ deviceId })).status, 'enabled');
  const renewed = await iot.renewDeviceCertificate({ deviceId });
  assert.is(renewed.device?.id, deviceId);
  assert.is.not(renewed.certificate?.crt, certificate?.crt);
  await iot.deleteDevice({ deviceId });
  await rejection(iot.getDevice({ deviceId }), Errors.ResourceNotFoundError);
});

test("reads the authority's certificate", async ({ rest, iot }) => {
  assert.equal(await iot.getHubCA({ hubId: rest.hubId }), { caCertPem: AUTHORITY });
});

test('gives a device that was made without a name a name of its own', async ({ rest, iot }) => {
  const { device } = await iot.createDevice({
    hubId: rest.hubId,
    allowInsecure: false,
    allowMultipleConnections: false,
  });
  assert.match(device?.name ?? '', /^device-/);
});

test('lists devices page by page, and all of them', async ({ rest, iot }) => {
  for (let n = 1; n < 25; n += 1) await rest.newDevice();
  const page = await iot.listDevices({ page: 2, pageSize: 10, orderBy: 'created_at_desc' });
  assert.is(page.devices.length, 10);
  assert.is(page.totalCount, 25);
  assert.is((await iot.listDevices().all()).length, 25);
  const filter = { hubId: rest.hubId, allowInsecure: false, status: 'enabled', name: 'test' } as const;
  assert.is((await iot.listDevices(filter)).totalCount, 25);
  assert.is((await iot.listDevices({ ...filter, status: 'disabled' })).totalCount, 0);
});

test('lists and shows the hub', async ({ rest, iot }) => {
  const { hubs, totalCount } = await iot.listHubs();
  assert.is(totalCount, 1);
  assert.is(hubs[0]?.id, rest.hubId);
  const hub = await iot.getHub({ hubId: rest.hubId });
  assert.equal(hub, hubs[0]);
  assert.is(hub.deviceCount, 1);
  assert.is((await iot.waitForHub({ hubId: rest.hubId })).status, 'ready');
});

test('a region that is not this one, and a call that this server does not have, are errors', async ({
  rest,
  iot,
  deviceId,
}) => {
  const elsewhere = await rejection(iot.getDevice({ deviceId, region: 'nl-ams' }), Errors.ScalewayError);
  assert.is(elsewhere.status, 404);
  assert.is((await rejection(iot.listRoutes(), Errors.ScalewayError)).status, 404);
  assert.is((await rejection(iot.deleteHub({ hubId: rest.hubId }), Errors.ScalewayError)).status, 405);
});

test.run();
