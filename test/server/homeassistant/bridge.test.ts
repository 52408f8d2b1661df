/** The bridge against Mosquitto: cases 14 to 18 and 20 of what people report of such bridges, and more. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { memoryStorage } from '../../../server/storage/memory.js';
import type { CurrentDocument } from '../../../shared/panel.js';
import { until } from '../../until.js';
import { elected } from '../elected.js';
import { sharedMemory } from '../storage/shared-memory.js';
import { DISARMED, LIMITS } from './house.js';
import { record } from './mosquitto.js';
import { entitiesIn, isAvailable } from './reader.js';
import {
  ARMED,
  announced,
  bridges,
  type Context,
  isThere,
  named,
  noted,
  panelEntity,
  send,
  stateOf,
  topicEnding,
  withBroker,
} from './scene.js';

const bridge = suite<Context>('the bridge to Home Assistant');
const test = withBroker(bridge);

test('case 14: after a restart of a broker that keeps nothing, all is there again, and a late broker is found', async (context) => {
  const { broker } = context;
  await broker.stop();
  const home = await context.open();
  for (let count = 0; count < 5; count += 1) await home.panel(`Panel ${count}`);
  await until(() => home.lines.some((line) => line.includes('no connection')));
  for (let round = 0; round < 2; round += 1) {
    await broker.start();
    await until(() => home.bridge.isUp);
    const fresh = await record(broker.url);
    await until(() => isThere(fresh, 5));
    const entities = entitiesIn(fresh.topics);
    assert.is(entities.length, 40);
    for (const each of entities) {
      assert.ok(isAvailable(each, fresh.topics));
      const topic = each.config.state_topic as string;
      if (each.component !== 'event') assert.ok(fresh.topics.has(topic), topic);
    }
    await fresh.end();
    await broker.stop();
    await until(() => !home.bridge.isUp);
  }
  await broker.start();
});

test('case 14: after an outage each topic gets its present value once, and none of those between', async (context) => {
  const { broker } = context;
  const home = await context.open();
  const id = await home.panel('Home');
  await until(() => isThere(context.recorder));
  await broker.stop();
  await until(() => !home.bridge.isUp);
  for (let count = 0; count < 15; count += 1) {
    await home.report(id, ARMED);
    await home.report(id, DISARMED);
  }
  await home.report(id, ARMED);
  await broker.start();
  const fresh = await record(broker.url);
  await until(() => isThere(fresh));
  assert.equal(fresh.payloads(`${id}/state`), ['armed_away']);
  await fresh.end();
});

test('case 15: five births make at most two passes, and an alarm does not wait behind them', async (context) => {
  const { recorder } = context;
  const home = await context.open({
    limits: { ...LIMITS, birthSpreadMs: 20, againMs: 300, sliceMessages: 10 },
  });
  const ids: string[] = [];
  for (let count = 0; count < 22; count += 1) ids.push(await home.panel(`Panel ${count}`, ARMED));
  const [id = ''] = ids;
  await until(() => isThere(recorder, ids.length));
  const { passes } = home.bridge.counters;
  const before = recorder.messages.length;
  for (let birth = 0; birth < 5; birth += 1) {
    await recorder.client.publishAsync('homeassistant/status', 'online', { qos: 1 });
  }
  await until(() => home.bridge.counters.passes > passes && home.bridge.waiting > 0);
  await home.report(id, { ...ARMED, state: 'triggered', siren_ringing: true });
  await until(() => stateOf(recorder, id) === 'triggered');
  assert.ok(home.bridge.waiting > 0, 'the pass goes on');
  await until(() => home.bridge.waiting === 0);
  await until(() => recorder.messages.length > before);
  assert.ok(home.bridge.counters.passes <= passes + 2);
  assert.ok(recorder.payloads(`${id}/state`).every((state) => ['armed_away', 'triggered'].includes(state)));
  const seen = recorder.payloads(`${id}/state`);
  assert.not.ok(seen.slice(seen.indexOf('triggered')).includes('armed_away'));
});

test('case 16: two servers on one broker have no id in common, and one that goes takes only its own with it', async (context) => {
  const { recorder } = context;
  const [one, other] = [await context.open(), await context.open()];
  const ids = [await one.panel('Home'), await other.panel('Home')];
  await until(() => bridges(recorder).join() === 'online,online' && announced(recorder) === 2);
  const entities = entitiesIn(recorder.topics);
  const idsOf = (id = ''): string[] =>
    entities
      .filter(({ config }) => (config.unique_id as string).includes(id))
      .flatMap(({ config }) => [
        config.unique_id as string,
        config.state_topic as string,
        ...((config.device as { identifiers: string[] }).identifiers ?? []),
      ]);
  assert.equal(
    idsOf(ids[0]).filter((each) => idsOf(ids[1]).includes(each)),
    [],
  );
  await one.bridge.close();
  await until(() => bridges(recorder).includes('offline'));
  const available = entitiesIn(recorder.topics).filter((each) => isAvailable(each, recorder.topics));
  assert.ok(available.length > 0);
  assert.ok(available.every(({ config }) => (config.unique_id as string).includes(ids[1] ?? '')));
  assert.is(one.bridge.counters.connections + other.bridge.counters.connections, 2);
});

test('case 16: the id of the instance is made once and kept in the storage', async (context) => {
  const { recorder } = context;
  const storage = memoryStorage();
  const first = await context.open({ storage });
  await first.panel('Home');
  await until(() => isThere(context.recorder));
  await first.bridge.close();
  await until(() => bridges(recorder).join() === 'offline');
  const unique = () => entitiesIn(context.recorder.topics).map(({ config }) => config.unique_id);
  const before = unique();
  await context.open({ storage });
  await until(() => isThere(context.recorder));
  assert.equal(unique(), before);
});

test('case 17: the panel has no name of its own, and no entity repeats the name of its device', async (context) => {
  const { recorder } = context;
  const home = await context.open();
  await home.panel('Home Alarm', {
    ...DISARMED,
    contacts: {
      Door: { open: false, kind: 'entry' },
      'Home Alarm Siren': { open: false, kind: 'instant' },
      'Home Alarm': { open: false, kind: 'always' },
      key: { open: false, kind: 'key' },
    },
  });
  await until(() => isThere(recorder));
  const entities = entitiesIn(recorder.topics);
  assert.is(entities.find(({ component }) => component === 'alarm_control_panel')?.config.name, null);
  const classes = entities.map(({ config }) => `${config.name} ${config.device_class}`);
  for (const each of ['Door door', 'Siren window', 'Contact tamper', 'key undefined', 'Siren sound']) {
    assert.ok(classes.includes(each), each);
  }
  for (const { config } of entities) {
    assert.not.ok('object_id' in config);
    for (const value of Object.values(config)) assert.is.not(value, '');
  }
});

test('case 18: a full cycle shows each state in its order, retained, and faults elsewhere', async (context) => {
  const { recorder } = context;
  const home = await context.open();
  const id = await home.panel('Home');
  await until(() => isThere(recorder));
  const steps: Partial<CurrentDocument>[] = [
    { alarm_armed: true, state: 'arming', until: '2026-11-26T12:00:30Z' },
    { alarm_armed: true, state: 'armed', mode: 'night' },
    { alarm_armed: true, state: 'pending', mode: 'night' },
    {
      alarm_armed: true,
      state: 'triggered',
      mode: 'night',
      siren_ringing: true,
      last_alarm: { contacts: ['window'] },
    },
    {
      state: 'disarmed',
      fault: 'clock',
      contacts: {
        'front door': { open: false, kind: 'entry', bypassed: true },
        window: { open: false, kind: 'instant', fault: 'cut' },
        lid: { open: false, kind: 'always', fault: 'cut' },
      },
    },
  ];
  for (const step of steps) await home.report(id, { ...DISARMED, ...step });
  await until(() => topicEnding(recorder, `${id}/problem`) === 'ON' && home.bridge.waiting === 0);
  const states = recorder.payloads(`${id}/state`);
  const from = states.indexOf('arming');
  assert.equal(states.slice(from, from + 5), ['arming', 'armed_night', 'pending', 'triggered', 'disarmed']);
  await until(() => entitiesIn(recorder.topics).some(({ config }) => config.name === 'lid'));
  const entities = entitiesIn(recorder.topics);
  assert.equal(panelEntity(recorder.topics, id).config.supported_features, [
    'arm_away',
    'arm_home',
    'arm_night',
  ]);
  const attributes = JSON.parse(topicEnding(recorder, `${id}/attributes`) ?? '');
  assert.equal(attributes.bypassed_contacts, ['front door']);
  const problems = JSON.parse(topicEnding(recorder, `${id}/problem/attributes`) ?? '');
  assert.equal(problems, { fault: 'clock', faulty_contacts: ['window', 'lid'] });
  // Whether the window is open is not known any more; a tamper line that is cut is a tamper.
  await until(() => isAvailable(named(entities, 'lid'), recorder.topics));
  assert.not.ok(isAvailable(named(entities, 'window'), recorder.topics));
  assert.ok(isAvailable(named(entities, 'front door'), recorder.topics));
  assert.is(recorder.topics.get(named(entities, 'lid').config.state_topic as string), 'ON');
  assert.ok([...recorder.topics].every(([topic, state]) => !topic.endsWith('/state') || state.length < 256));
  const fresh = await record(context.broker.url);
  await until(() => isThere(fresh));
  assert.is(stateOf(fresh, id), 'disarmed');
  await fresh.end();
});

test('a panel with one contact and no delays has a door, and is armed in one way', async (context) => {
  const { recorder } = context;
  const home = await context.open();
  const id = await home.panel('Shed', { alarm_armed: true, siren_ringing: false, door_open: true });
  await until(() => isThere(recorder));
  const entities = entitiesIn(recorder.topics);
  assert.is(stateOf(recorder, id), 'armed_away');
  assert.is(recorder.topics.get(named(entities, 'Door').config.state_topic as string), 'ON');
  assert.equal(panelEntity(recorder.topics, id).config.supported_features, ['arm_away']);
});

test('case 20: a clean stop says that it goes before it disconnects, and the will says that a connection was lost', async (context) => {
  const { recorder, broker } = context;
  const storage = memoryStorage();
  const first = await context.open({ storage });
  const id = await first.panel('Home');
  await until(() => isThere(recorder));
  first.devices.presence.disconnected(id);
  await until(() => topicEnding(recorder, `${id}/availability`) === 'offline');
  const entities = entitiesIn(recorder.topics);
  const available = () =>
    entities.filter((each) => isAvailable(each, recorder.topics)).map(({ config }) => config.name);
  assert.equal(available(), ['Connection', 'Last report']);
  first.devices.presence.connected(id);
  await first.report(id, DISARMED);
  await until(() => available().length === entities.length);
  await first.bridge.close();
  await until(() => bridges(recorder).join() === 'offline');
  assert.equal(available(), []);
  const second = await context.open({ storage });
  await until(() => isThere(recorder));
  const clientId = `alarm-twin-${[...recorder.topics.keys()].find((topic) => topic.startsWith('alarm-twin/'))?.split('/')[1]}`;
  // Another client with its id takes over: the broker publishes the will, and the bridge comes back.
  const before = recorder.payloads('availability').length;
  const thief = await record(broker.url, { clientId });
  await until(() => recorder.payloads('availability').slice(before).includes('offline'));
  await thief.end();
  await until(() => isThere(recorder) && second.bridge.isUp);
});

test('what it says of itself is set right when an old will overwrites it', async (context) => {
  const { recorder } = context;
  await context.open();
  await until(() => isThere(recorder, 0));
  const [topic = ''] = [...recorder.topics.keys()].filter((each) => each.endsWith('/availability'));
  await recorder.client.publishAsync(topic, 'offline', { qos: 1, retain: true });
  await until(() => recorder.payloads('/availability').slice(-2).join() === 'offline,online');
});

test('states are there before the bridge says that it is', async (context) => {
  const { recorder } = context;
  const storage = memoryStorage();
  const first = await context.open({ storage });
  const id = await first.panel('Home');
  await until(() => isThere(recorder));
  await first.bridge.close();
  await until(() => bridges(recorder).join() === 'offline');
  recorder.messages.length = 0;
  await context.open({ storage });
  await until(() => isThere(recorder));
  const order = recorder.messages.map(({ topic }) => topic.split('/').slice(-2).join('/'));
  assert.ok(
    order.indexOf(`${id}/state`) <
      order.findIndex((end) => end.endsWith('/availability') && !end.includes(id)),
  );
});

test('a renamed contact keeps its id, and one that is removed is cleared, also when the broker was away', async (context) => {
  const { broker } = context;
  const home = await context.open();
  const id = await home.panel('Home');
  await until(() => isThere(context.recorder));
  const unique = named(entitiesIn(context.recorder.topics), 'window').config.unique_id;
  const { window, ...others } = DISARMED.contacts ?? {};
  assert.ok(window);
  await home.report(id, { ...DISARMED, contacts: { ...others, skylight: window } });
  await until(() => entitiesIn(context.recorder.topics).some(({ config }) => config.name === 'skylight'));
  const entities = entitiesIn(context.recorder.topics);
  assert.is(named(entities, 'skylight').config.unique_id, unique);
  assert.not.ok(entities.some(({ config }) => config.name === 'window'));
  const fresh = await record(broker.url);
  await home.report(id, { ...DISARMED, contacts: others });
  await until(() => !entitiesIn(fresh.topics).some(({ config }) => config.name === 'skylight'));
  await until(() => ![...fresh.topics.keys()].some((topic) => topic.includes('contact-2')));
  await fresh.end();
});

test('the name of a device follows, and the ids of its entities stay', async (context) => {
  const { recorder } = context;
  const home = await context.open();
  const id = await home.panel('Home');
  await until(() => isThere(recorder));
  const before = panelEntity(recorder.topics, id).config.unique_id;
  await home.devices.update(id, { name: 'Garden shed' });
  const nameOf = () => (panelEntity(recorder.topics, id).config.device as { name: string }).name;
  await until(() => nameOf() === 'Garden shed');
  assert.is(panelEntity(recorder.topics, id).config.unique_id, before);
});

test('a deleted device is cleared, also by the next server, and other programs keep their topics', async (context) => {
  const { recorder } = context;
  const storage = memoryStorage();
  await recorder.client.publishAsync('homeassistant/light/other/config', '{}', { retain: true, qos: 1 });
  const first = await context.open({ storage });
  const [gone, later] = [await first.panel('Gone'), await first.panel('Later')];
  await until(() => isThere(recorder, 2));
  await first.devices.remove(gone);
  await until(() => ![...recorder.topics.keys()].some((topic) => topic.includes(gone)));
  await first.bridge.close();
  await first.devices.remove(later);
  await context.open({ storage, env: { TWIN_HOMEASSISTANT_TOPIC: 'elsewhere' } });
  await until(() => ![...recorder.topics.keys()].some((topic) => topic.includes(later)));
  assert.ok(recorder.topics.has('homeassistant/light/other/config'));
  await until(async () => {
    const files = await storage.list('homeassistant/panels/');
    return files.every((file) => storage.stored(file).size === 0);
  });
});

test('the form with one message for each panel makes the same entities, and the other form is cleared', async (context) => {
  const { recorder } = context;
  const storage = memoryStorage();
  const first = await context.open({ storage });
  const id = await first.panel('Home');
  await until(() => isThere(recorder));
  const withoutPlatform = () =>
    entitiesIn(recorder.topics)
      .map(({ component, config }) => `${component} ${config.unique_id} ${config.state_topic}`)
      .sort();
  const before = withoutPlatform();
  await first.bridge.close();
  const second = await context.open({ storage, env: { TWIN_HOMEASSISTANT_FORM: 'device' } });
  const configs = () => [...recorder.topics.keys()].filter((topic) => topic.endsWith('/config'));
  await until(() => isThere(recorder) && configs().length === 1);
  assert.equal(withoutPlatform(), before);
  await second.report(id, { alarm_armed: false, siren_ringing: false, door_open: false });
  await until(() => entitiesIn(recorder.topics).some(({ config }) => config.name === 'Door'));
  assert.not.ok(entitiesIn(recorder.topics).some(({ config }) => config.name === 'window'));
});

test('of two servers the one that leads is connected, and the next leader goes on with the same entities', async (context) => {
  const { recorder } = context;
  const shared = sharedMemory();
  const [first, second] = [elected(), elected()];
  first.lead(true);
  const one = await context.open({ storage: shared.join(), leadership: first });
  const other = await context.open({ storage: shared.join(), leadership: second });
  const id = await other.panel('Home', ARMED);
  one.devices.presence.connected(id);
  await one.report(id, ARMED);
  await until(() => isThere(recorder) && stateOf(recorder, id) === 'armed_away');
  assert.equal([one.bridge.isUp, other.bridge.isUp], [true, false]);
  const before = entitiesIn(recorder.topics);
  first.lead(false);
  second.lead(true);
  assert.is(one.bridge.isUp, false);
  await until(() => other.bridge.isUp && isThere(recorder));
  assert.equal(entitiesIn(recorder.topics), before);
  await send(recorder, id, 'DISARM');
  await until(async () => (await one.desired(id))?.data.alarm_armed === false);
  assert.equal([noted(one, 'written'), noted(other, 'written')], [0, 1]);
  await one.report(id, DISARMED);
  await until(() => stateOf(recorder, id) === 'disarmed');
  assert.is(other.bridge.counters.connections, 1);
});

bridge.run();
