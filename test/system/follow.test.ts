/** What an app follows of a device on the real server: presence, changes, the answer to its wish, and restarts. */

import { createParser } from 'eventsource-parser';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connectDevice, type Device } from './device.js';
import { type Credentials, createDevice, type Server, startServer } from './server.js';

interface Context {
  server: Server;
  device: Credentials;
}

const test = suite<Context>('following a device');

test.before.each(async (context) => {
  context.server = await startServer();
  context.device = await createDevice(context.server, 'panel');
});
test.after.each(async ({ server }) => {
  await server.stop();
});

interface Told {
  event: string;
  id: string;
  data: Record<string, unknown>;
}

/** The events of a device as they come. */
async function* follow(server: Server, id: string, lastEventId = ''): AsyncGenerator<Told> {
  const response = await server.api(`/twins/${id}/events`, { headers: { 'Last-Event-ID': lastEventId } });
  assert.is(response.status, 200);
  const told: Told[] = [];
  const parser = createParser({
    onEvent: ({ event = '', id = '', data }) => told.push({ event, id, data: JSON.parse(data) }),
  });
  const text = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    parser.feed(text.decode(chunk, { stream: true }));
    yield* told.splice(0);
  }
}

async function next(events: AsyncGenerator<Told>, passes: (told: Told) => boolean): Promise<Told> {
  for (;;) {
    const { value, done } = await events.next();
    if (done) throw new Error('the stream ended');
    if (passes(value)) return value;
  }
}

const documentNamed =
  (name: string, version: number) =>
  ({ event, data }: Told): boolean =>
    event === 'document' && data.document_name === name && data.version === version;

const desire = async (server: Server, id: string, seconds: number): Promise<Response> =>
  server.api(`/twins/${id}/documents/desired?wait=${seconds}`, {
    method: 'PUT',
    body: '{"data":{"alarm_armed":true}}',
  });

/** Does what is desired, as the panel does. */
async function obey(device: Device): Promise<void> {
  await device.heard('$SCW/twins/me/desired/changed');
  await device.publish('$SCW/twins/me/current/put', { data: { alarm_armed: true } });
}

test('an app sees the device come, follow its wish, and go', async ({ server, device }) => {
  const events = follow(server, device.id);
  assert.is((await events.next()).value.event, 'twin');
  assert.equal((await events.next()).value.data, { device_id: device.id, is_connected: false, at: null });

  const panel = await connectDevice(server, device);
  await next(events, ({ event, data }) => event === 'presence' && data.is_connected === true);
  const obeyed = obey(panel);
  const answer = await desire(server, device.id, 30);
  assert.is(answer.status, 200);
  assert.is(((await answer.json()) as { applied: boolean }).applied, true);
  await obeyed;
  await next(events, documentNamed('desired', 1));
  assert.equal((await next(events, documentNamed('current', 1))).data.data, { alarm_armed: true });

  await panel.close();
  await next(events, ({ event, data }) => event === 'presence' && data.is_connected === false);
  await events.return(undefined);
});

test('an app that was there before a crash gets only what happened since', async ({ server, device }) => {
  const write = (to: Server, name: string) =>
    to.api(`/twins/${device.id}/documents/${name}`, { method: 'PUT', body: '{"data":{}}' });
  await write(server, 'before');
  await write(server, 'after');
  const events = follow(server, device.id);
  const { id } = await next(events, ({ event }) => event === 'presence');
  const over = events.next().then(
    () => 'ended',
    () => 'cut off',
  );
  await server.program.stop('SIGKILL', server.pid);
  assert.is(await over, 'cut off');

  const again = await startServer({ data: server.data, token: server.token });
  await write(again, 'after');
  const resumed = follow(again, device.id, id);
  assert.ok(documentNamed('after', 2)((await resumed.next()).value));
  await write(again, 'before');
  assert.ok(documentNamed('before', 2)((await resumed.next()).value));
  await resumed.return(undefined);
  assert.is((await again.stop()).code, 0);
});

test('a stop ends the streams and answers those that wait', async ({ server, device }) => {
  const events = follow(server, device.id);
  await next(events, ({ event }) => event === 'presence');
  const waiting = desire(server, device.id, 30);
  await next(events, documentNamed('desired', 1));
  const stopped = server.stop();
  const answer = await waiting;
  assert.is(answer.status, 202);
  assert.is(((await answer.json()) as { applied: boolean }).applied, false);
  assert.is((await events.next()).done, true);
  assert.is((await stopped).code, 0);
});

test('the numbers of the server tell of it', async ({ server, device }) => {
  const panel = await connectDevice(server, device);
  await panel.publish('$SCW/twins/me/current/put', { data: {} });
  const headers = { 'X-Auth-Token': server.token };
  const text = await (await fetch(`${server.http}/metrics`, { headers })).text();
  const numberOf = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  assert.is(numberOf('twin_mqtt_connections'), 1);
  assert.is(numberOf('twin_mqtt_connects_accepted_total'), 1);
  assert.is(numberOf('twin_devices_connected'), 1);
  assert.is(numberOf('twin_storage_healthy'), 1);
  assert.ok(numberOf('twin_(?:journal|database)_changes_total') >= 1);
  assert.ok(numberOf('twin_(?:journal_syncs|database_groups)_total') >= 1);
  await panel.close();
});

test.run();
