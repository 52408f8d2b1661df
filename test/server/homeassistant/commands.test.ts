/** The commands of Home Assistant, through Mosquitto: case 19 of what people report of such bridges, and the code. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { memoryStorage } from '../../../server/storage/memory.js';
import { until } from '../../until.js';
import { DISARMED } from './house.js';
import { record } from './mosquitto.js';
import { commandOf } from './reader.js';
import {
  ARMED,
  type Context,
  isThere,
  noted,
  panelEntity,
  send,
  stateOf,
  topicEnding,
  withBroker,
} from './scene.js';

const bridge = suite<Context>('commands of Home Assistant');
const test = withBroker(bridge);

test('case 19: a command is a write of the desired document by Home Assistant, and a repetition changes nothing', async (context) => {
  const { recorder } = context;
  const home = await context.open();
  const id = await home.panel('Home');
  await until(() => isThere(recorder));
  await send(recorder, id, 'ARM_NIGHT');
  await until(async () => (await home.desired(id)) !== undefined);
  const first = await home.desired(id);
  assert.is(first?.by, 'Home Assistant');
  assert.is(first?.data.mode, 'night');
  assert.match(first?.data.request ?? '', /./);
  assert.is(stateOf(recorder, id), 'disarmed', 'no echo of the command');
  await home.report(id, { ...ARMED, mode: 'night', handled: 1 });
  await until(
    () => topicEnding(recorder, `${id}/attributes`)?.includes('"armed_by":"Home Assistant"') ?? false,
  );
  await send(recorder, id, 'ARM_NIGHT');
  await until(() => noted(home, 'repeated') === 1);
  assert.is((await home.desired(id))?.version, 1);
  await send(recorder, id, 'DISARM');
  await until(async () => (await home.desired(id))?.data.alarm_armed === false);
  await home.report(id, { ...DISARMED, handled: 2 });
  await send(recorder, id, 'ARM_AWAY');
  await until(async () => (await home.desired(id))?.data.mode === 'away');
  assert.is.not((await home.desired(id))?.data.request, first?.data.request);
});

test('case 19: a refused arming shows: the state is said again, with an event that names the contacts', async (context) => {
  const { recorder } = context;
  const home = await context.open();
  const id = await home.panel('Home');
  await until(() => isThere(recorder));
  const before = recorder.payloads(`${id}/state`).length;
  await send(recorder, id, 'ARM_AWAY');
  await until(async () => (await home.desired(id)) !== undefined);
  const refused = { reason: 'a contact is open', contacts: ['window'] };
  await home.report(id, { ...DISARMED, handled: 1, refused });
  await until(() => recorder.payloads(`${id}/event`).length === 1);
  assert.equal(JSON.parse(recorder.payloads(`${id}/event`)[0] ?? ''), { event_type: 'refused', ...refused });
  assert.equal(recorder.payloads(`${id}/state`).slice(before), ['disarmed']);
  assert.match(topicEnding(recorder, `${id}/attributes`) ?? '', /a contact is open/);
  const fresh = await record(context.broker.url);
  await until(() => isThere(fresh));
  assert.equal(fresh.payloads(`${id}/event`), [], 'an event is not retained');
  await fresh.end();
});

test('case 19: junk and a retained command change nothing, are logged, and do not end the bridge', async (context) => {
  const { recorder } = context;
  const storage = memoryStorage();
  const home = await context.open({ storage });
  const id = await home.panel('Home');
  await until(() => isThere(recorder));
  for (const junk of ['arm_away', '', 'constructor', 'x'.repeat(1_000_000), '{"action":"ARM_AWAY"}']) {
    await send(recorder, id, junk);
  }
  await until(() => noted(home, 'unknown') === 5);
  await recorder.client.publishAsync(
    (panelEntity(recorder.topics, id).config.command_topic as string).replace(id, 'stranger'),
    'DISARM',
  );
  await until(() => noted(home, 'no_panel') === 1);
  await home.bridge.close();
  await send(recorder, id, 'ARM_AWAY', true);
  const again = await context.open({ storage });
  await until(() => noted(again, 'retained') === 1);
  assert.is(await again.desired(id), undefined);
  await send(recorder, id, 'ARM_HOME');
  await until(async () => (await again.desired(id))?.data.mode === 'home');
});

test('a code is asked for by Home Assistant, compared as text, and in no message and no line', async (context) => {
  const { recorder } = context;
  const home = await context.open({ env: { TWIN_HOMEASSISTANT_CODE: '0123' } });
  const id = await home.panel('Home');
  await until(() => isThere(recorder));
  const entity = panelEntity(recorder.topics, id);
  assert.is(entity.config.code, 'REMOTE_CODE');
  assert.is(entity.config.code_disarm_required, true);
  for (const code of ['123', '', '0124'])
    await send(recorder, id, commandOf(entity, { action: 'ARM_AWAY', code }));
  for (const text of ['ARM_AWAY', '{"action":"ARM_AWAY","code":123}']) await send(recorder, id, text);
  await until(() => noted(home, 'wrong_code') === 5);
  assert.is(await home.desired(id), undefined);
  assert.not.ok([...recorder.topics.values()].some((payload) => payload.includes('0123')));
  await send(recorder, id, commandOf(entity, { action: 'ARM_AWAY', code: '0123' }));
  await until(async () => (await home.desired(id))?.data.alarm_armed === true);
  assert.not.ok(home.lines.some((line) => line.includes('0123')));
});

bridge.run();
