import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../../until.js';
import { EventReader } from './event-reader.js';
import { startTestRest, type TestRest } from './rest.js';

const test = suite<{ rest: TestRest }>('metrics over REST');

test.before.each(async (context) => {
  context.rest = await startTestRest({ stopMs: 50 });
});
test.after.each(({ rest }) => rest.close());

const scrape = (rest: TestRest, token: string | null = rest.token, method = 'GET'): Promise<Response> =>
  fetch(`${rest.url}/metrics`, { method, headers: token === null ? {} : { 'X-Auth-Token': token } });

async function numberOf(rest: TestRest, metric: string): Promise<number | undefined> {
  const lines = (await (await scrape(rest)).text()).split('\n');
  const line = lines.find((each) => each.startsWith(`${metric} `));
  return line === undefined ? undefined : Number(line.slice(metric.length + 1));
}

test('the numbers of the server are text for Prometheus', async ({ rest }) => {
  const answer = await scrape(rest);
  assert.is(answer.status, 200);
  assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  assert.is(answer.headers.get('cache-control'), 'no-store');
  const lines = (await answer.text()).split('\n').filter((line) => line !== '');
  for (const line of lines) assert.match(line, /^(# (HELP|TYPE) [a-z_0-9]+ .+|[a-z_0-9]+(\{.+\})? \S+)$/);
  assert.is((await scrape(rest, rest.token, 'HEAD')).status, 200);
});

test('an owner and a reader may see them, and other tokens may not', async ({ rest }) => {
  const status = async (token: string | null) => (await scrape(rest, token)).status;
  assert.is(await status(null), 401);
  assert.is(await status('x'), 401);
  assert.is(await status(await rest.newToken('reader')), 200);
  assert.is(await status(await rest.newToken('app')), 403);
  const twin_ids = [(await rest.newDevice()).id];
  assert.is(await status((await rest.tokens.create({ role: 'owner', twin_ids })).secret), 403);
});

test('requests are counted, and their errors by status', async ({ rest }) => {
  const before = (await numberOf(rest, 'twin_http_requests_total')) ?? 0;
  for (const path of ['/devices', '/hubs', '/nowhere', '/devices/x', '/devices/y'])
    await rest.ask('GET', path);
  assert.is(await numberOf(rest, 'twin_http_requests_total'), before + 6);
  assert.is(await numberOf(rest, 'twin_http_refusals_total{status="400"}'), 2);
  assert.is(await numberOf(rest, 'twin_http_refusals_total{status="404"}'), 1);
});

test('an open answer is counted until it ends', async ({ rest }) => {
  const { id } = await rest.newDevice();
  rest.devices.presence.connected(id);
  const reader = await EventReader.open(rest, `/twins/${id}`);
  const waiting = rest.ask('PUT', `/twins/${id}/documents/desired?wait=30`, { body: { data: { n: 1 } } });
  await until(async () => (await numberOf(rest, 'twin_waiting_writes')) === 1);
  assert.is(await numberOf(rest, 'twin_event_streams'), 1);
  assert.is(await numberOf(rest, 'twin_watchers'), 2);
  assert.is(await numberOf(rest, 'twin_devices_connected'), 1);
  rest.twins.put(id, 'current', { version: 0, data: { n: 1 } }, () => undefined);
  await waiting;
  reader.close();
  rest.devices.presence.disconnected(id);
  await until(async () => (await numberOf(rest, 'twin_event_streams')) === 0);
  assert.is(await numberOf(rest, 'twin_waiting_writes'), 0);
  assert.is(await numberOf(rest, 'twin_watchers'), 0);
  assert.is(await numberOf(rest, 'twin_devices_connected'), 0);
});

test.run();
