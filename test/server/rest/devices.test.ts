import { randomUUID } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digest } from '../../../server/access/secret.js';
import { type Ask, startTestRest, type TestRest } from './rest.js';

const test = suite<{ rest: TestRest }>('devices over REST');

test.before.each(async (context) => {
  context.rest = await startTestRest();
});
test.after.each(({ rest }) => rest.close());

const create = async (rest: TestRest, body: Ask['body']) =>
  (await rest.ask('POST', '/devices', { body })).body;

test('a new device is shown with its certificate and its password', async ({ rest }) => {
  const { status, body } = await rest.ask('POST', '/devices', {
    body: { name: 'front door', hub_id: rest.hubId, description: 'by the stairs', allow_insecure: true },
  });
  assert.is(status, 200);
  assert.equal(Object.keys(body).sort(), ['certificate', 'device', 'password']);
  const { device, certificate, password } = body;
  assert.is(typeof password, 'string');
  assert.is((await rest.devices.certified(device.id, digest(certificate.crt)))?.id, device.id);
  assert.is(certificate.key, `key of ${certificate.crt}`);
  assert.equal(device, {
    id: device.id,
    name: 'front door',
    description: 'by the stairs',
    status: 'enabled',
    hub_id: rest.hubId,
    last_activity_at: null,
    is_connected: false,
    allow_insecure: true,
    allow_multiple_connections: false,
    has_custom_certificate: false,
    created_at: device.created_at,
    updated_at: device.created_at,
    region: 'fr-par',
  });
  assert.is((await rest.devices.authenticate(device.id, Buffer.from(password)))?.id, device.id);
  assert.equal((await rest.ask('GET', `/devices/${device.id}`)).body, device);
});

test('a device that cannot be is refused, and the argument named', async ({ rest }) => {
  const cases: [string, unknown][] = [
    ['name', {}],
    ['name', { name: '' }],
    ['name', { name: 5 }],
    ['name', { name: 'x'.repeat(300) }],
    ['description', { name: 'n', description: ['d'] }],
    ['allow_insecure', { name: 'n', allow_insecure: 'yes' }],
    ['allow_multiple_connections', { name: 'n', allow_multiple_connections: 1 }],
    ['body', []],
    ['body', '{'],
    ['body', ''],
  ];
  for (const [argument, body] of cases) {
    const answer = await rest.ask('POST', '/devices', { body });
    assert.is(answer.status, 400, JSON.stringify(body));
    assert.is(answer.body.type, 'invalid_arguments');
    assert.is(answer.body.details[0].argument_name, argument);
  }
  assert.is(await rest.devices.count(), 0);
});

test('a device cannot be put on another hub', async ({ rest }) => {
  const hub_id = randomUUID();
  const answer = await rest.ask('POST', '/devices', { body: { name: 'n', hub_id } });
  assert.is(answer.status, 404);
  assert.equal(answer.body, {
    type: 'not_found',
    message: 'resource is not found',
    resource: 'hub',
    resource_id: hub_id,
  });
  const { device } = await create(rest, { name: 'n' });
  assert.is((await rest.ask('PATCH', `/devices/${device.id}`, { body: { hub_id } })).status, 404);
  const same = await rest.ask('PATCH', `/devices/${device.id}`, { body: { hub_id: rest.hubId } });
  assert.is(same.status, 200);
});

test('an update changes what it names', async ({ rest }) => {
  const { device } = await create(rest, { name: 'n', description: 'old' });
  const answer = await rest.ask('PATCH', `/devices/${device.id}`, {
    body: { name: 'm', description: 'new', allow_insecure: true },
  });
  assert.is(answer.status, 200);
  assert.equal(answer.body, {
    ...device,
    name: 'm',
    description: 'new',
    allow_insecure: true,
    updated_at: answer.body.updated_at,
  });
});

test('a device keeps its name when the new one is empty or too long', async ({ rest }) => {
  const { device } = await create(rest, { name: 'n' });
  for (const name of ['', 'n'.repeat(256), 7]) {
    const { status, body } = await rest.ask('PATCH', `/devices/${device.id}`, { body: { name } });
    assert.equal([status, body.details[0].argument_name], [400, 'name']);
  }
  assert.is((await rest.devices.get(device.id)).name, 'n');
});

test('a device is disabled and enabled', async ({ rest }) => {
  const { device } = await create(rest, { name: 'n' });
  const status = async (deed: string) =>
    (await rest.ask('POST', `/devices/${device.id}/${deed}`)).body.status;
  assert.is(await status('disable'), 'disabled');
  assert.is(await status('enable'), 'enabled');
});

test('renewing what a device proves itself with gives it a new certificate and password, and ends the old', async ({
  rest,
}) => {
  const { device, password, certificate } = await create(rest, { name: 'n' });
  const { status, body } = await rest.ask('POST', `/devices/${device.id}/renew-certificate`);
  assert.is(status, 200);
  assert.is(body.device.id, device.id);
  assert.is.not(body.password, password);
  assert.is(await rest.devices.certified(device.id, digest(certificate.crt)), undefined);
  assert.ok(await rest.devices.certified(device.id, digest(body.certificate.crt)));
  assert.is(await rest.devices.authenticate(device.id, Buffer.from(password)), undefined);
  assert.ok(await rest.devices.authenticate(device.id, Buffer.from(body.password)));
});

test('the key of a renewed certificate has the type of the request, by default ECDSA', async ({ rest }) => {
  const { device } = await create(rest, { name: 'board' });
  const renew = (query: string) => rest.ask('POST', `/devices/${device.id}/renew-certificate${query}`);
  assert.match((await renew('?key_type=rsa')).body.certificate.crt, /rsa$/);
  assert.match((await renew('')).body.certificate.crt, /ecdsa$/);
  assert.is((await renew('?key_type=dsa')).status, 400);
});

test('deleting a device deletes its twin, and no other', async ({ rest }) => {
  const [one, other] = [await rest.newDevice(), await rest.newDevice()];
  for (const { id } of [one, other]) {
    await rest.ask('PUT', `/twins/${id}/documents/d`, { body: { data: {} } });
  }
  const deleted = await rest.ask('DELETE', `/devices/${one.id}`);
  assert.is(deleted.status, 204);
  assert.is(deleted.text, '');
  assert.is((await rest.ask('GET', `/twins/${one.id}/documents/d`)).body.resource, 'device');
  assert.is(rest.storage.stored(`twins/${one.id.slice(0, 2)}/${one.id}`).size, 0);
  assert.is((await rest.ask('GET', `/twins/${other.id}/documents/d`)).status, 200);
});

test('an unknown device is not found, whatever is asked', async ({ rest }) => {
  const id = randomUUID();
  const calls = [
    ['GET', ''],
    ['PATCH', ''],
    ['DELETE', ''],
    ['POST', '/enable'],
    ['POST', '/disable'],
    ['POST', '/renew-certificate'],
  ] as const;
  for (const [method, deed] of calls) {
    const body = method === 'PATCH' ? {} : undefined;
    const answer = await rest.ask(method, `/devices/${id}${deed}`, { body });
    assert.is(answer.status, 404, method + deed);
    assert.equal(answer.body, {
      type: 'not_found',
      message: 'resource is not found',
      resource: 'device',
      resource_id: id,
    });
    assert.is((await rest.ask(method, `/devices/x${deed}`, { body })).status, 400);
  }
});

test('devices are listed page by page, with their number', async ({ rest }) => {
  for (let n = 0; n < 25; n += 1) await create(rest, { name: `device-${String(n).padStart(2, '0')}` });
  const list = async (query: string) => {
    const { body } = await rest.ask('GET', `/devices${query}`);
    assert.is(body.total_count, 25);
    return body.devices.map(({ name }: { name: string }) => Number(name.slice(-2)));
  };
  const upTo = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n);
  assert.equal(await list('?order_by=name_asc'), upTo(0, 20));
  assert.equal(await list('?order_by=name_asc&page=2'), upTo(20, 25));
  assert.equal(await list('?order_by=name_asc&page=3'), []);
  assert.equal(await list('?order_by=name_asc&page=2&page_size=10'), upTo(10, 20));
  assert.equal(await list('?order_by=name_desc&page_size=100'), upTo(0, 25).reverse());
});

test('without an order the list begins with the oldest device, and no page repeats another', async ({
  rest,
}) => {
  for (let n = 0; n < 25; n += 1) await create(rest, { name: 'n' });
  const pages = await Promise.all(
    [1, 2, 3].map((page) => rest.ask('GET', `/devices?page_size=10&page=${page}`)),
  );
  const devices: { id: string; created_at: string }[] = pages.flatMap(({ body }) => body.devices);
  assert.is(new Set(devices.map(({ id }) => id)).size, 25);
  const times = devices.map(({ created_at }) => created_at);
  assert.equal(times, [...times].sort());
});

test('the list is filtered by name, hub, state and security', async ({ rest }) => {
  const a = (await create(rest, { name: 'a', allow_insecure: true })).device;
  const b = (await create(rest, { name: 'b' })).device;
  await rest.ask('POST', `/devices/${b.id}/disable`);
  const list = async (query: string) => {
    const { body } = await rest.ask('GET', `/devices?${query}`);
    assert.is(body.total_count, body.devices.length);
    return body.devices.map(({ name }: { name: string }) => name);
  };
  assert.equal(await list('name=a'), ['a']);
  assert.equal(await list('name=c'), []);
  assert.equal(await list(`hub_id=${rest.hubId}&order_by=name_asc`), ['a', 'b']);
  assert.equal(await list(`hub_id=${randomUUID()}`), []);
  assert.equal(await list('allow_insecure=true'), ['a']);
  assert.equal(await list('allow_insecure=false'), ['b']);
  assert.equal(await list('status=disabled'), ['b']);
  assert.equal(await list('status=enabled'), [a.name]);
  assert.equal(await list('status=error'), []);
});

test('the list is ordered by every order of the official client', async ({ rest }) => {
  const insecure = await create(rest, { name: 'a', allow_insecure: true });
  await create(rest, { name: 'b' });
  await rest.ask('POST', `/devices/${insecure.device.id}/disable`);
  const first = async (order: string) =>
    (await rest.ask('GET', `/devices?order_by=${order}`)).body.devices[0].name;
  assert.is(await first('name_asc'), 'a');
  assert.is(await first('name_desc'), 'b');
  assert.is(await first('status_asc'), 'a');
  assert.is(await first('status_desc'), 'b');
  assert.is(await first('allow_insecure_asc'), 'b');
  assert.is(await first('allow_insecure_desc'), 'a');
  for (const key of ['hub_id', 'created_at', 'updated_at']) {
    const values = async (way: string): Promise<string[]> =>
      (await rest.ask('GET', `/devices?order_by=${key}_${way}`)).body.devices.map(
        (device: Record<string, string>) => device[key],
      );
    const ascending = await values('asc');
    assert.is(ascending.length, 2);
    assert.equal(ascending, [...ascending].sort());
    assert.equal(await values('desc'), [...ascending].reverse());
  }
});

test('a query that cannot be understood is refused, and the argument named', async ({ rest }) => {
  const cases = [
    ['page', 'page=0'],
    ['page', 'page=-1'],
    ['page', 'page=x'],
    ['page', 'page=1.5'],
    ['page', 'page='],
    ['page_size', 'page_size=0'],
    ['page_size', 'page_size=101'],
    ['order_by', 'order_by=colour_asc'],
    ['order_by', 'order_by=__proto__'],
    ['status', 'status=asleep'],
    ['allow_insecure', 'allow_insecure=1'],
  ];
  for (const [argument, query] of cases) {
    const answer = await rest.ask('GET', `/devices?${query}`);
    assert.is(answer.status, 400, query);
    assert.is(answer.body.details[0].argument_name, argument);
  }
});

test('a password is shown when it is made and at no other time', async ({ rest }) => {
  const { device } = await create(rest, { name: 'n' });
  const answers = [
    await rest.ask('GET', `/devices/${device.id}`),
    await rest.ask('GET', '/devices'),
    await rest.ask('PATCH', `/devices/${device.id}`, { body: { description: 'd' } }),
    await rest.ask('POST', `/devices/${device.id}/disable`),
    await rest.ask('POST', `/devices/${device.id}/enable`),
  ];
  for (const { status, text } of answers) {
    assert.is(status, 200);
    assert.not.match(text, /password|sha256/);
  }
});

test.run();
