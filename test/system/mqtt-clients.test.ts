/** Clients that were not made for this server, as devices of the real one: Mosquitto's and MQTT.js. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { changedTopic, deletedTopic, OWN_TOPICS, requestTopic, responseTopic } from '../../shared/topics.js';
import { needsIn, pathOf } from '../programs.js';
import { connectDevice, type Device } from './device.js';
import { type Program, startProgram } from './process.js';
import { type Credentials, createDevice, type Server, startServer } from './server.js';

interface Context {
  server: Server;
  credentials: Credentials;
  device: Device;
}

const test = suite<Context>('MQTT clients');
const mosquitto = needsIn(test, 'mosquitto_pub', 'mosquitto_sub', 'mosquitto_rr', 'stdbuf');

test.before(async (context) => {
  context.server = await startServer();
});
test.before.each(async (context) => {
  context.credentials = await createDevice(context.server, 'several', { allow_multiple_connections: true });
  context.device = await connectDevice(context.server, context.credentials);
});
test.after.each(({ device }) => device.close());
test.after(async ({ server }) => {
  assert.equal(await server.stop(), { code: 0, signal: null });
});

/** Into a pipe Mosquitto's clients would hold back what they print; `stdbuf` makes them print line by line. */
function mosquittoClient(program: string, { server, credentials }: Context, args: string[]): Program {
  const { hostname, port } = new URL(server.mqtt);
  const { id, password } = credentials;
  return startProgram([
    ...['stdbuf', '-oL', pathOf(program) ?? program],
    ...['-V', '311', '-h', hostname, '-p', port],
    ...['-u', id, '-P', password, ...args],
  ]);
}

async function document({ server, credentials }: Context, name: string): Promise<Record<string, unknown>> {
  const response = await server.api(`/twins/${credentials.id}/documents/${name}`);
  return (await response.json()) as Record<string, unknown>;
}

/** What one request of `mosquitto_rr` is answered on a topic. */
async function request(context: Context, topic: string, answer: string, payload: string): Promise<unknown> {
  const program = mosquittoClient('mosquitto_rr', context, ['-t', topic, '-e', answer, '-m', payload]);
  const body = await program.line((line) => (line.startsWith('{') ? line : undefined));
  await program.ended;
  return JSON.parse(body);
}

mosquitto('mosquitto_pub puts and patches; its exit says that the write is done', async (context) => {
  const put = ['-q', '1', '-t', requestTopic('current', 'put'), '-m', '{"data":{"door_open":true,"a":1}}'];
  assert.is((await mosquittoClient('mosquitto_pub', context, put).ended).code, 0);
  const patch = ['-q', '2', '-t', requestTopic('current', 'patch'), '-m', '{"data":{"a":null,"b":2}}'];
  assert.is((await mosquittoClient('mosquitto_pub', context, patch).ended).code, 0);
  const { version, data } = await document(context, 'current');
  assert.equal({ version, data }, { version: 2, data: { door_open: true, b: 2 } });
});

mosquitto('mosquitto_rr gets a document, and an error for one that is not there', async (context) => {
  await context.device.ask('desired', 'put', { data: { alarm_armed: true } });
  const topic = requestTopic('desired', 'get');
  const answer = await request(context, topic, responseTopic('desired', 'get', 'success'), '');
  assert.equal(answer, await document(context, 'desired'));
  assert.equal(
    await request(context, requestTopic('none', 'get'), responseTopic('none', 'get', 'error'), ''),
    { error: 'document not found', twin_id: context.credentials.id, document_name: 'none' },
  );
});

mosquitto('mosquitto_sub prints what another connection and what REST changed', async (context) => {
  const { server, device, credentials } = context;
  const subscriber = mosquittoClient('mosquitto_sub', context, ['-d', '-t', OWN_TOPICS, '-F', '%t %p']);
  await subscriber.line((line) => (line.startsWith('Subscribed') ? line : undefined));
  const changed = (value: number): Promise<unknown> =>
    subscriber.line((line) => {
      if (!line.startsWith(`${changedTopic('desired')} `)) return undefined;
      const { data } = JSON.parse(line.slice(line.indexOf(' '))) as { data: { n: number } };
      return data.n === value ? data : undefined;
    });
  await device.ask('desired', 'put', { data: { n: 1 } });
  assert.equal(await changed(1), { n: 1 });
  const path = `/twins/${credentials.id}/documents/desired`;
  await server.api(path, { method: 'PATCH', body: '{"data":{"n":2}}' });
  assert.equal(await changed(2), { n: 2 });
  await subscriber.stop();
});

test('MQTT.js hears of a document that REST deletes, with its last version', async ({
  server,
  device,
  credentials,
}) => {
  await device.ask('desired', 'put', { data: { n: 1 } });
  await device.ask('desired', 'put', { data: { n: 2 } });
  const { status } = await server.api(`/twins/${credentials.id}/documents/desired`, { method: 'DELETE' });
  assert.is(status, 204);
  const { body } = await device.heard(deletedTopic('desired'));
  assert.equal(body, { twin_id: credentials.id, document_name: 'desired', version: 2 });
});

test('MQTT.js puts, gets, patches and deletes', async ({ device, credentials }) => {
  const put = await device.ask('current', 'put', { data: { a: 1, b: { c: 2 } } });
  assert.is(put.topic, responseTopic('current', 'put', 'success'));
  const { created_at, updated_at, ...document } = put.body;
  assert.type(updated_at, 'string');
  assert.is(created_at, updated_at);
  const data = { a: 1, b: { c: 2 } };
  assert.equal(document, { twin_id: credentials.id, document_name: 'current', version: 1, data });
  assert.equal((await device.ask('current', 'get')).body, put.body);
  const patch = await device.ask('current', 'patch', { version: 1, data: { b: { c: null, d: 3 } } });
  assert.equal([patch.body.version, patch.body.data], [2, { a: 1, b: { d: 3 } }]);
  assert.is((await device.ask('current', 'delete')).topic, responseTopic('current', 'delete', 'success'));
  assert.is((await device.ask('current', 'get')).body.error, 'document not found');
});

test('a patch of last_update and door_open changes only these', async ({ device }) => {
  const before = {
    last_update: '2026-01-01T00:00:00Z',
    alarm_armed: true,
    siren_ringing: false,
    door_open: false,
  };
  await device.ask('current', 'put', { data: before });
  const patch = { last_update: '2026-01-01T00:00:09Z', door_open: true };
  const { body } = await device.ask('current', 'patch', { data: patch });
  assert.equal(body.data, { ...before, ...patch });
});

test('an outdated version gets the version error and changes nothing', async ({ device, credentials }) => {
  const name = 'concurency';
  await device.ask(name, 'put', { data: { n: 1 } });
  assert.is((await device.ask(name, 'put', { version: 1, data: { n: 2 } })).body.version, 2);
  const refused = await device.ask(name, 'put', { version: 1, data: { n: 3 } });
  assert.is(refused.topic, responseTopic(name, 'put', 'error'));
  assert.equal(refused.body, {
    error: 'document version mismatch',
    twin_id: credentials.id,
    document_name: name,
    expected_version: 1,
    actual_version: 2,
  });
  const { body } = await device.ask(name, 'put', { version: 2, data: { n: 3 } });
  assert.equal([body.version, body.data], [3, { n: 3 }]);
});

test('bad requests get an error each, and the connection lives on', async ({ device }) => {
  const errors = [
    await device.ask('current', 'put', { data: [] }),
    await device.ask('current', 'put', {}),
    await device.ask('current', 'put', { version: -1, data: {} }),
    await device.ask('.hidden', 'put', { data: {} }),
    await device.ask('current', 'put', { data: { text: 'x'.repeat(70_000) } }),
  ].map(({ body }) => String(body.error));
  for (const error of errors.slice(0, 3)) assert.match(error, /^invalid payload: /);
  assert.equal(errors.slice(3), ['document name is not valid', 'document too large']);
  assert.is((await device.ask('current', 'put', { data: {} })).body.version, 1);
});

test.run();
