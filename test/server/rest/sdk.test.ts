/** Scaleway's own client against this server: every twin and device call, and its typed errors. */

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
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

test('another region and a call that this server does not have are errors', async ({
  rest,
  iot,
  deviceId,
}) => {
  const elsewhere = await rejection(iot.getDevice({ deviceId, region: 'nl-ams' }), Errors.ScalewayError);
  assert.is(elsewhere.status, 404);
  assert.is((await rejection(iot.listRoutes(), Errors.ScalewayError)).status, 404);
  assert.is((await rejection(iot.deleteHub({ hubId: rest.hubId }), Errors.ScalewayError)).status, 405);
});

/** The names in one column of the table in the server's page. */
function namesIn(column: 'works' | 'fails'): string[] {
  const page = readFileSync('server/README.md', 'utf8');
  const rows = page.matchAll(/^\| (?:twins|devices|hubs|routes|networks) \| ?(.*?) \| ?(.*?) ?\|$/gm);
  return [...rows].flatMap(
    ([, works, fails]) =>
      ((column === 'works' ? works : fails) ?? '').match(/(?<=`)\w+(?=`)/g)?.slice() ?? [],
  );
}

test("the table in the server's page names each call of the client once", ({ iot }) => {
  const calls = Object.entries(iot)
    .filter(([name, call]) => typeof call === 'function' && !name.startsWith('pageOf'))
    .map(([name]) => name);
  const named = [...namesIn('works'), ...namesIn('fails')];
  assert.equal(named.sort(), calls.sort());
  assert.equal([namesIn('works').length, calls.length], [19, 37]);
});

const ID = '00000000-0000-4000-8000-000000000000';
const CREATE = {
  name: 'x',
  hubId: ID,
  topic: 't',
  type: 'sigfox',
  topicPrefix: 'p',
  productPlan: 'plan_shared',
};
const ANYTHING = {
  ...CREATE,
  deviceId: ID,
  routeId: ID,
  networkId: ID,
  certificatePem: 'x',
  caCertPem: 'x',
  challengeCertPem: 'x',
};

for (const name of namesIn('fails')) {
  test(`${name} fails as the table says, with a clear error`, async ({ rest, iot, deviceId }) => {
    const request = { ...ANYTHING, hubId: rest.hubId, deviceId };
    const call = (iot as unknown as Record<string, (asked: object) => Promise<unknown>>)[name];
    const error = await rejection(call?.(request) ?? Promise.resolve(), Errors.ScalewayError);
    if (['createHub', 'deleteHub'].includes(name)) assert.is(error.status, 405);
    else {
      assert.is(error.status, 404);
      assert.match(error.message, 'not a feature of this server');
    }
  });
}

test('a restriction of a device is refused, never accepted and dropped', async ({ rest, iot, deviceId }) => {
  const messageFilters: Iotv1.DeviceMessageFilters = { publish: { policy: 'accept', topics: ['a'] } };
  const device = { hubId: rest.hubId, allowInsecure: false, allowMultipleConnections: false };
  for (const call of [
    iot.createDevice({ ...device, name: 'x', messageFilters }),
    iot.updateDevice({ deviceId, messageFilters }),
  ]) {
    const error = await rejection(call, Errors.InvalidArgumentsError);
    assert.is(error.details[0]?.argumentName, 'message_filters');
  }
  assert.is((await iot.listDevices()).totalCount, 1);
});

test('the hub is enabled, and stays so', async ({ rest, iot }) => {
  assert.is((await iot.enableHub({ hubId: rest.hubId })).enabled, true);
  await rejection(iot.enableHub({ hubId: ID }), Errors.ResourceNotFoundError);
  const app = clientOf(rest, await rest.newToken('app'));
  await rejection(app.enableHub({ hubId: rest.hubId }), Errors.PermissionsDeniedError);
});

test('the list of hubs is filtered, ordered and comes in pages', async ({ rest, iot }) => {
  const count = async (request: Parameters<typeof iot.listHubs>[0]) => {
    const { hubs, totalCount } = await iot.listHubs(request);
    return [hubs.length, totalCount];
  };
  assert.equal(await count({ name: 'alarm-twin', projectId: rest.hubId, orderBy: 'name_desc' }), [1, 1]);
  for (const other of [{ name: 'other' }, { projectId: ID }, { organizationId: ID }]) {
    assert.equal(await count(other), [0, 0]);
  }
  assert.equal(await count({ page: 2 }), [0, 1]);
  assert.is((await iot.listHubs().all()).length, 1);
  await rejection(iot.listHubs({ orderBy: 'x' as 'name_asc' }), Errors.InvalidArgumentsError);
});

test.run();
