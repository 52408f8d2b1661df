import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Receiver, startReceiver } from '../alerts/receiver.js';
import { startTestRest, type TestRest } from './rest.js';

interface Context {
  rest: TestRest;
  receiver: Receiver;
  id: string;
}

const test = suite<Context>('alerts over REST');

test.before.each(async (context) => {
  context.rest = await startTestRest();
  context.receiver = await startReceiver();
  const { id } = await context.rest.newDevice();
  context.id = id;
  context.rest.devices.presence.connected(id);
});
test.after.each(async ({ rest, receiver }) => {
  await rest.close();
  await receiver.close();
});

const hook = ({ receiver }: Context) => ({
  id: 'hook',
  type: 'webhook',
  url: receiver.url,
  headers: { Authorization: 'Bearer hidden' },
  allow_private: true,
});

const configure = (context: Context, token?: string) =>
  context.rest.ask('PUT', '/alerts/channels', {
    body: { channels: [hook(context)] },
    ...(token !== undefined && { token }),
  });

/** Raises an alarm, and resolves with its id when it is sent. */
async function alarm(context: Context): Promise<string> {
  const { rest, receiver, id } = context;
  await configure(context);
  const data = {
    alarm_armed: true,
    siren_ringing: true,
    door_open: true,
    last_alarm: { contacts: ['door'] },
  };
  await rest.ask('PUT', `/twins/${id}/documents/current`, { body: { data } });
  await receiver.count(1);
  return (await rest.ask('GET', '/alerts')).body.alerts[0].id;
}

const confined = async ({ rest }: Context, role: string, twin: string): Promise<string> =>
  (await rest.ask('POST', '/tokens', { body: { role, twin_ids: [twin], description: `${role} of one` } }))
    .body.secret;

test('the channels are set, and shown without secrets', async (context) => {
  const { rest } = context;
  const put = await configure(context);
  assert.is(put.status, 200);
  const got = await rest.ask('GET', '/alerts/channels');
  assert.equal(got.body, put.body);
  assert.equal([got.body.channels[0].url, got.body.channels[0].headers], ['(secret)', '(secret)']);
  assert.is((await rest.ask('PUT', '/alerts/channels', { body: got.body })).status, 200);
  assert.is((await rest.ask('POST', '/alerts/channels/hook/test')).status, 204);
  await context.receiver.count(1);
  assert.is(context.receiver.received[0]?.headers.authorization, 'Bearer hidden');
});

test('wrong channels are refused by the name of the field, and the old ones stay', async (context) => {
  const { rest } = context;
  await configure(context);
  const body = { channels: [{ ...hook(context), group: 'x' }] };
  const { status, body: answer } = await rest.ask('PUT', '/alerts/channels', { body });
  assert.equal([status, answer.details[0].argument_name], [400, 'channels[0].group']);
  assert.is((await rest.ask('GET', '/alerts/channels')).body.channels.length, 1);
});

test('a test of a channel that is not there is not found', async ({ rest }) => {
  const { status, body } = await rest.ask('POST', '/alerts/channels/none/test');
  assert.equal([status, body.resource, body.resource_id], [404, 'alert_channel', 'none']);
});

test('only an owner of all twins sees and sets the channels', async (context) => {
  const { rest, id } = context;
  const owner = await confined(context, 'owner', id);
  for (const token of [await rest.newToken('app'), await rest.newToken('reader'), owner]) {
    assert.is((await rest.ask('GET', '/alerts/channels', { token })).status, 403);
    assert.is((await configure(context, token)).status, 403);
    assert.is((await rest.ask('POST', '/alerts/channels/hook/test', { token })).status, 403);
    assert.is((await rest.ask('GET', '/alerts/deliveries', { token })).status, 403);
  }
});

test('an alert is listed, with its deliveries for an owner', async (context) => {
  const { rest, id } = context;
  const alertId = await alarm(context);
  const [alert] = (await rest.ask('GET', '/alerts')).body.alerts;
  assert.equal([alert.kind, alert.panel_id, alert.subject, alert.state], ['triggered', id, 'door', 'raised']);
  assert.not.ok('recipients' in alert);
  assert.is(alert.title, 'Alarm: test, door');
  assert.is((await rest.ask('GET', '/alerts?limit=1')).body.alerts.length, 1);
  assert.is((await rest.ask('GET', '/alerts?limit=0')).status, 400);
  const { deliveries } = (await rest.ask('GET', '/alerts/deliveries')).body;
  assert.equal([deliveries.length, deliveries[0].alert_id, deliveries[0].channel], [1, alertId, 'hook']);
});

test('an alert is acknowledged by a phone, which is named', async (context) => {
  const { rest, id } = context;
  const path = `/alerts/${await alarm(context)}/acknowledge`;
  assert.is((await rest.ask('POST', path, { token: await rest.newToken('reader') })).status, 403);
  const { body } = await rest.ask('POST', path, { token: await confined(context, 'app', id) });
  assert.equal([body.state, body.acknowledged_by], ['acknowledged', 'app of one']);
  assert.is((await rest.ask('POST', path)).body.acknowledged_by, 'app of one');
});

test('a link in a mail changes nothing when it is only fetched', async (context) => {
  const path = `/alerts/${await alarm(context)}/acknowledge`;
  assert.is((await context.rest.ask('GET', path)).status, 405);
  assert.is((await context.rest.ask('GET', '/alerts')).body.alerts[0].state, 'raised');
});

test('a token for other twins neither sees nor acknowledges an alert', async (context) => {
  const { rest } = context;
  const alertId = await alarm(context);
  const token = await confined(context, 'app', (await rest.newDevice()).id);
  assert.equal((await rest.ask('GET', '/alerts', { token })).body.alerts, []);
  assert.is((await rest.ask('POST', `/alerts/${alertId}/acknowledge`, { token })).status, 404);
});

test('a panel is muted until a time within a day, and heard again', async (context) => {
  const { rest, id } = context;
  const path = `/alerts/mutes/${id}`;
  const until = (ms: number) => ({ body: { until: new Date(Date.now() + ms).toISOString() } });
  assert.is((await rest.ask('PUT', path, until(3_600_000))).status, 204);
  const [mute] = (await rest.ask('GET', '/alerts')).body.mutes;
  assert.equal([mute.panel_id, typeof mute.by], [id, 'string']);
  assert.is((await rest.ask('DELETE', path)).status, 204);
  assert.equal((await rest.ask('GET', '/alerts')).body.mutes, []);
  for (const wrong of [until(-1), until(25 * 3_600_000), { body: {} }, { body: { until: 'noon' } }]) {
    assert.is((await rest.ask('PUT', path, wrong)).status, 400);
  }
});

test('an alert that is not there is not found', async ({ rest }) => {
  const unknown = '00000000-0000-4000-8000-000000000000';
  const { status, body } = await rest.ask('POST', `/alerts/${unknown}/acknowledge`);
  assert.equal([status, body.resource, body.resource_id], [404, 'alert', unknown]);
});

test.run();
