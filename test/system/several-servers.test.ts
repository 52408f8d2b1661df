/** Several servers on one database are one server for their clients. */

import { connectAsync, type MqttClient } from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { changedTopic } from '../../shared/topics.js';
import { needsIn, pathOf } from '../programs.js';
import { until } from '../until.js';
import { connectDevice } from './device.js';
import { type Credentials, createDevice, type Server } from './server.js';
import { newToken, openStream, type SeveralServers, startServers, statusWith } from './several-servers.js';

/** How often the device moves. Each move is a CONNECT that takes over. */
const MOVES = Number(process.env.MOVES ?? 60);

interface Context {
  several: SeveralServers;
  one: Server;
  other: Server;
}

const tests = suite<Context>('several servers');
const test = needsIn(tests, 'postgres', 'psql');

tests.before(async (context) => {
  if (pathOf('postgres') === undefined) return;
  context.several = await startServers(3);
  const [one, other] = context.several.servers as [Server, Server];
  Object.assign(context, { one, other });
});
tests.after(async ({ several }) => several?.stop());

const connect = (server: Server, { id, password }: Credentials, clientId = ''): Promise<MqttClient> =>
  connectAsync(server.mqtt, { username: id, password, clientId, reconnectPeriod: 0 });

const closed = (client: MqttClient): Promise<void> => new Promise((done) => client.once('close', done));

async function deviceAt(server: Server, id: string): Promise<Record<string, unknown>> {
  return (await (await server.api(`/devices/${id}`)).json()) as Record<string, unknown>;
}

test('a device that moves from server to server has one session, and is connected at all of them', async ({
  several: { servers },
  one,
}) => {
  const device = await createDevice(one, 'moves');
  const open = new Set<MqttClient>();
  for (let move = 0; move < MOVES; move++) {
    const client = await connect(servers[move % servers.length] as Server, device, `client ${move}`);
    open.add(client);
    client.once('close', () => open.delete(client));
    await until(() => open.size === 1);
  }
  for (const server of servers) assert.is((await deviceAt(server, device.id)).is_connected, true);
  const [last] = open;
  await last?.endAsync(true);
  for (const server of servers)
    await until(async () => (await deviceAt(server, device.id)).is_connected === false);
  const times = await Promise.all(servers.map((server) => deviceAt(server, device.id)));
  assert.is(new Set(times.map(({ last_activity_at }) => last_activity_at)).size, 1);
});

test('a device with several connections has them at several servers, one for each client id', async ({
  one,
  other,
}) => {
  const device = await createDevice(one, 'several', { allow_multiple_connections: true });
  const [first, second] = [await connect(one, device, 'a'), await connect(other, device, 'b')];
  const isTaken = closed(first);
  const third = await connect(other, device, 'a');
  await isTaken;
  assert.ok(second.connected);
  await Promise.all([second.endAsync(true), third.endAsync(true)]);
});

test('a token that is revoked at one server is worth nothing at the others, and its streams end', async ({
  several: { servers },
  one,
  other,
}) => {
  const device = await createDevice(one, 'revoked');
  const { id, secret } = await newToken(one);
  const streams = await Promise.all(servers.map((server) => openStream(server, device.id, secret)));
  assert.is((await other.api(`/tokens/${id}`, { method: 'DELETE' })).status, 204);
  for (const server of servers) assert.is(await statusWith(server, secret), 401);
  await Promise.all(streams.map(({ ended }) => ended));
});

test('a token that is made at one server is good at the others at once', async ({
  several: { servers },
  one,
}) => {
  const { secret } = await newToken(one);
  for (const server of servers) assert.is(await statusWith(server, secret), 200);
});

test('of two servers that revoke the last two owner tokens at the same time, one refuses', async ({
  one,
  other,
}) => {
  const list = async () => {
    const { tokens } = (await (await one.api('/tokens')).json()) as {
      tokens: { id: string; role: string; description: string }[];
    };
    return tokens.filter(({ role, description }) => role === 'owner' && description !== 'TWIN_TOKEN');
  };
  for (let count = 0; count < 2; count += 1)
    await one.api('/tokens', { method: 'POST', body: JSON.stringify({ role: 'owner' }) });
  const [first, second] = await list();
  const revoke = (server: Server, id?: string) => server.api(`/tokens/${id}`, { method: 'DELETE' });
  const answers = await Promise.all([revoke(one, first?.id), revoke(other, second?.id)]);
  assert.is(answers.filter(({ status }) => status === 204).length, 1);
  assert.is((await list()).length, 1);
});

test('a list at one server has every device that another one has acknowledged', async ({
  several: { servers },
}) => {
  const idsAt = async (server: Server, name: string): Promise<string[]> => {
    const answer = await server.api(`/devices?name=${name}`);
    return ((await answer.json()) as { devices: { id: string }[] }).devices.map(({ id }) => id);
  };
  for (let round = 0; round < 12; round += 1) {
    const [making, listing, removing] = [0, 1, 2].map(
      (place) => servers[(round + place) % servers.length],
    ) as [Server, Server, Server];
    const name = `listed-${round}`;
    const { id } = await createDevice(making, name);
    assert.equal(await idsAt(listing, name), [id]);
    assert.is((await removing.api(`/devices/${id}`, { method: 'DELETE' })).status, 204);
    assert.equal(await idsAt(making, name), []);
  }
});

test('a device that loses its rights at one server loses its connection to another', async ({
  one,
  other,
}) => {
  const device = await createDevice(one, 'loses');
  const ends = [
    () => other.api(`/devices/${device.id}/disable`, { method: 'POST' }),
    () => other.api(`/devices/${device.id}/renew-certificate`, { method: 'POST' }),
    () => other.api(`/devices/${device.id}`, { method: 'DELETE' }),
  ];
  let password = device.password;
  for (const end of ends) {
    const client = await connect(one, { ...device, password });
    const isClosed = closed(client);
    const answer = await end();
    assert.ok(answer.ok, `${answer.status}`);
    await isClosed;
    if (answer.status === 200) ({ password = password } = (await answer.json()) as { password?: string });
    await other.api(`/devices/${device.id}/enable`, { method: 'POST' });
  }
});

test('a write at one server reaches the device at another, and waits for it', async ({ one, other }) => {
  const device = await createDevice(one, 'waits');
  const panel = await connectDevice(one, device);
  const answered = other.api(`/twins/${device.id}/documents/desired?wait=10`, {
    method: 'PUT',
    body: JSON.stringify({ data: { alarm_armed: true } }),
  });
  const { body } = await panel.heard(changedTopic('desired'));
  await panel.ask('current', 'put', { data: { alarm_armed: true, handled: body.version } });
  assert.is(((await (await answered).json()) as { applied: boolean }).applied, true);
  await panel.close();
});

test('a stream goes on at another server with what was missed, and with nothing else', async ({
  one,
  other,
}) => {
  const device = await createDevice(one, 'streams');
  const panel = await connectDevice(one, device);
  const write = (server: Server, value: number) =>
    server.api(`/twins/${device.id}/documents/desired`, {
      method: 'PUT',
      body: JSON.stringify({ data: { value } }),
    });
  await write(one, 1);
  const { token } = one;
  const first = await openStream(one, device.id, token);
  const isValue = (value: number) => (event: { data: Record<string, unknown> }) =>
    (event.data.data as { value?: number } | undefined)?.value === value;
  await first.heard(isValue(1));
  await first.heard(({ event }) => event === 'presence');
  first.close();
  await write(one, 2);
  const second = await openStream(other, device.id, token, first.events.at(-1)?.id);
  await second.heard(isValue(2));
  await write(one, 3);
  await second.heard(isValue(3));
  assert.equal(
    second.events.map(({ event }) => event),
    ['document', 'document'],
  );
  second.close();
  await panel.close();
});

tests.run();
