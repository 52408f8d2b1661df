/** What the app asks of the server, of the real REST interface. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Api, Failed } from '../../../../../server/app/page/client/api.js';
import { BASE, startTestRest, type TestRest } from '../../../rest/rest.js';

interface Context {
  rest: TestRest;
  api: Api;
  id: string;
}

const test = suite<Context>("the app's questions");
const CURRENT = { alarm_armed: false, siren_ringing: false, door_open: false };

const apiOf = (rest: TestRest, token = rest.token): Api => new Api(rest.url + BASE, token, () => undefined);

const put = ({ rest, id }: Context, name: string, data: object) =>
  rest.ask('PUT', `/twins/${id}/documents/${name}`, { body: { data } });

test.before.each(async (context) => {
  context.rest = await startTestRest();
  context.id = (await context.rest.newDevice()).id;
  context.api = apiOf(context.rest);
});
test.after.each(({ rest }) => rest.close());

async function faultOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    assert.instance(error, Failed);
    return (error as Failed).fault;
  }
  assert.unreachable('it did not fail');
  return '';
}

test('finds out what its token is good for', async ({ rest, api }) => {
  assert.is((await api.overview()).role, 'owner');
  const reader = apiOf(rest, await rest.newToken('reader'));
  assert.is((await reader.overview()).role, 'reader');
  assert.is((await reader.overview()).hasPin, false);
  await reader.setPin('4711', undefined);
  assert.is((await reader.overview()).hasPin, true);
  assert.is(await faultOf(reader.setPin(null, '0000')), 'pin-wrong');
  await reader.setPin(null, '4711');
  assert.is((await reader.overview()).hasPin, false);
});

test('knows all devices by their names, with what they said last', async (context) => {
  const { rest, api, id } = context;
  await put(context, 'current', CURRENT);
  await put(context, 'desired', { alarm_armed: true });
  const lamp = await rest.ask('POST', '/devices', { body: { name: 'a lamp' } });
  for (let n = 0; n < 100; n += 1) await rest.ask('POST', '/devices', { body: { name: `b ${n}` } });
  const { panels } = await api.overview();
  assert.is(panels.length, 102);
  assert.is(panels[0]?.id, lamp.body.device.id);
  const panel = panels.find((each) => each.id === id);
  assert.equal(panel?.current?.data, CURRENT);
  assert.equal(panel?.desired?.data, { alarm_armed: true });
});

test('makes the wish where there is none, and leaves what else stands there', async (context) => {
  const { api, id } = context;
  assert.is((await api.order(id, { armed: true })).version, 1);
  await put(context, 'desired', { alarm_armed: true, volume: 3 });
  assert.equal((await api.order(id, { armed: false })).data, { alarm_armed: false, volume: 3 });
});

test('reads the whole past, however many answers that takes', async (context) => {
  const { api, id } = context;
  assert.equal(await api.history(id, 'current', 0), []);
  const count = 1002;
  for (let n = 0; n < count; n += 1) await put(context, 'current', CURRENT);
  const versions = (await api.history(id, 'current', 0)).map(({ version }) => version);
  assert.equal(
    versions,
    Array.from({ length: count }, (_, n) => count - n),
  );
  assert.equal(await api.history(id, 'current', Date.now() + 60_000), []);
});

test('says what is the matter', async ({ rest, api, id }) => {
  const unknown = '0c8a1c2e-5b7d-4f3a-9e61-2d4b8f7a6c10';
  assert.is(await faultOf(apiOf(rest, unknown).overview()), 'revoked');
  assert.is(await faultOf(api.order(unknown, { armed: true })), 'panel-unknown');
  assert.is(
    await faultOf(apiOf(rest, await rest.newToken('reader')).order(id, { armed: true })),
    'not-allowed',
  );
  assert.is(await faultOf(api.events(unknown, AbortSignal.timeout(60_000))), 'panel-unknown');
  assert.is(await faultOf(new Api('http://127.0.0.1:1', unknown, () => undefined).overview()), 'server-away');
  const elsewhere = new Api(`${rest.url}/iot/v1/regions/nowhere`, rest.token, () => undefined);
  assert.is(await faultOf(elsewhere.overview()), 'server-fault');
});

test("hears of the server's clock", async ({ rest }) => {
  const heard: number[] = [];
  const before = Date.now();
  await new Api(rest.url + BASE, rest.token, (at) => heard.push(at)).overview();
  assert.is(heard.length, 1);
  // Its seconds are whole.
  assert.ok((heard[0] ?? 0) >= before - 1000 && (heard[0] ?? 0) <= Date.now());
});

test.run();
