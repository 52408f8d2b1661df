/** What a token for some twins reaches, and what it does not even hear of. */

import { randomUUID } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startTestRest, type TestRest } from './rest.js';

interface Context {
  rest: TestRest;
  mine: string;
  other: string;
  /** An owner's, for one twin. */
  token: string;
}

const test = suite<Context>('tokens for some twins');

test.before.each(async (context) => {
  const rest = await startTestRest();
  const [mine, other] = [(await rest.newDevice()).id, (await rest.newDevice()).id];
  const { secret } = await rest.tokens.create({ role: 'owner', twin_ids: [mine] });
  Object.assign(context, { rest, mine, other, token: secret });
  for (const id of [mine, other]) {
    await rest.ask('PUT', `/twins/${id}/documents/desired`, { body: { data: {} } });
  }
});
test.after.each(({ rest }) => rest.close());

const callsOn = (id: string): [string, string, object?][] => [
  ['GET', `/twins/${id}`],
  ['GET', `/twins/${id}/documents/desired`],
  ['GET', `/twins/${id}/documents/desired/history`],
  ['HEAD', `/twins/${id}/events`],
  ['PUT', `/twins/${id}/documents/desired`, { data: { n: 1 } }],
  ['PATCH', `/twins/${id}/documents/desired`, { data: { n: 2 } }],
  ['DELETE', `/twins/${id}/documents/desired`],
  ['DELETE', `/twins/${id}`],
  ['GET', `/devices/${id}`],
  ['PATCH', `/devices/${id}`, { description: 'd' }],
  ['POST', `/devices/${id}/disable`],
  ['POST', `/devices/${id}/enable`],
  ['POST', `/devices/${id}/renew-certificate`],
  ['DELETE', `/devices/${id}`],
];

test('its own twin and device it reaches by every call', async ({ rest, mine, token }) => {
  for (const [method, path, body] of callsOn(mine)) {
    const { status } = await rest.ask(method, path, { token, body });
    assert.ok(status === 200 || status === 204, `${method} ${path}: ${status}`);
  }
});

test('another it reaches by none, however the id is written, and nothing happens to it', async ({
  rest,
  other,
  token,
}) => {
  const disguised = `%${other.charCodeAt(0).toString(16)}${other.slice(1)}`;
  for (const id of [other, other.toUpperCase(), disguised]) {
    for (const [method, path, body] of callsOn(id)) {
      const answer = await rest.ask(method, path, { token, body });
      assert.is(answer.status, 403, `${method} ${path}`);
      if (method !== 'HEAD') assert.is(answer.body.type, 'permissions_denied');
    }
  }
  const device = await rest.devices.get(other);
  assert.equal([device.status, device.description], ['enabled', '']);
  assert.is((await rest.ask('GET', `/twins/${other}/documents/desired`)).body.version, 1);
});

test('another twin gets the same answer as one that does not exist', async ({ rest, other, token }) => {
  const [strange, missing] = [
    await rest.ask('GET', `/twins/${other}`, { token }),
    await rest.ask('GET', `/twins/${randomUUID()}`, { token }),
  ];
  assert.equal([missing.status, missing.text], [strange.status, strange.text]);
});

test('lists and counts show only the twins of the token', async ({ rest, mine, token }) => {
  const { body } = await rest.ask('GET', '/devices', { token });
  assert.equal([body.devices.map(({ id }: { id: string }) => id), body.total_count], [[mine], 1]);
  const [hub] = (await rest.ask('GET', '/hubs', { token })).body.hubs;
  assert.equal([hub.device_count, hub.connected_device_count], [1, 0]);
  rest.devices.presence.connected(mine);
  assert.is((await rest.ask('GET', '/hubs', { token })).body.hubs[0].connected_device_count, 1);
  assert.is((await rest.ask('GET', '/hubs')).body.hubs[0].device_count, 2);
});

test('it makes no devices, and neither sees nor makes nor revokes tokens', async ({ rest, token }) => {
  const [first] = rest.tokens.list();
  const calls: [string, string, object?][] = [
    ['POST', '/devices', { name: 'n' }],
    ['GET', '/tokens'],
    ['POST', '/tokens', { role: 'reader' }],
    ['DELETE', `/tokens/${first?.id}`],
  ];
  for (const [method, path, body] of calls) {
    assert.is((await rest.ask(method, path, { token, body })).status, 403, `${method} ${path}`);
  }
  assert.equal([await rest.devices.count(), rest.tokens.list().length], [2, 2]);
});

test('its role still holds for its own twin', async ({ rest, mine, other }) => {
  const { secret } = await rest.tokens.create({ role: 'app', twin_ids: [mine] });
  const put = async (id: string, name: string) =>
    (await rest.ask('PUT', `/twins/${id}/documents/${name}`, { token: secret, body: { data: {} } })).status;
  assert.equal(
    [await put(mine, 'desired'), await put(mine, 'current'), await put(other, 'desired')],
    [200, 403, 403],
  );
});

test('the audit names a token that asked for too much by its id, not by its secret', async ({
  rest,
  other,
  token,
}) => {
  rest.log.length = 0;
  await rest.ask('GET', `/devices/${other}`, { token });
  const { id } = rest.tokens.authenticate(token);
  assert.equal(
    rest.log.map(({ audit, by_token, source }) => [audit, by_token, source]),
    [['permission_refused', id, '127.0.0.1']],
  );
  assert.not.match(JSON.stringify(rest.log), token);
});

test.run();
