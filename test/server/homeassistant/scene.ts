/** Mosquitto, a recorder of all that is published, and bridges: what the tests of the bridge begin with. */

import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CurrentDocument } from '../../../shared/panel.js';
import { needsIn } from '../../programs.js';
import { DISARMED, type House, type HouseOptions, house } from './house.js';
import { type Mosquitto, mosquitto, type Recorder, record } from './mosquitto.js';
import { type Entity, entitiesIn } from './reader.js';

export interface Context {
  broker: Mosquitto;
  recorder: Recorder;
  houses: House[];
  open(options?: HouseOptions): Promise<House>;
}

/** Gives each test of the suite a broker of its own. Returns what adds a test. */
export function withBroker(suite: Test<Context>): ReturnType<typeof needsIn<Context>> {
  suite.before.each(async (context) => {
    context.broker = await mosquitto();
    context.houses = [];
    await context.broker.start();
    context.recorder = await record(context.broker.url);
    context.open = async (options) => {
      const opened = await house(context.broker.url, options);
      context.houses.push(opened);
      opened.bridge.begin();
      return opened;
    };
  });
  suite.after.each(async ({ broker, recorder, houses }) => {
    await Promise.all(houses.map((each) => each.bridge.close()));
    await recorder.end();
    await broker.remove();
  });
  return needsIn(suite, 'mosquitto');
}

export const ARMED: CurrentDocument = { ...DISARMED, alarm_armed: true, state: 'armed' };
export const topicEnding = ({ topics }: Recorder, end: string): string | undefined =>
  [...topics].find(([topic]) => topic.endsWith(end))?.[1];
export const stateOf = (recorder: Recorder, id: string): string | undefined =>
  topicEnding(recorder, `${id}/state`);
export const bridges = ({ topics }: Recorder): string[] =>
  [...topics].flatMap(([topic, payload]) => (/^[^/]+\/[^/]+\/availability$/.test(topic) ? [payload] : []));
/** Whether the bridge says that it is there, and so many panels are announced to the last of their entities. */
export const isThere = (recorder: Recorder, panels = 1): boolean =>
  bridges(recorder).join() === 'online' && announced(recorder) >= panels;
export const announced = ({ topics }: Recorder): number =>
  [...topics.keys()].filter((topic) => /(\/last-update|\/device\/[^/]+)\/config$/.test(topic)).length;
export const named = (entities: Entity[], name: string | null): Entity => {
  const found = entities.find(({ config }) => config.name === name);
  assert.ok(found, `an entity ${name}`);
  return found;
};
export const send = async (
  { client, topics }: Recorder,
  id: string,
  action: string,
  retain = false,
): Promise<void> => {
  const { config } = panelEntity(topics, id);
  await client.publishAsync(config.command_topic as string, action, { qos: 1, retain });
};
export const panelEntity = (topics: ReadonlyMap<string, string>, id: string): Entity => {
  const found = entitiesIn(topics).find(
    ({ component, config }) =>
      component === 'alarm_control_panel' && (config.state_topic as string).includes(id),
  );
  assert.ok(found);
  return found;
};
export const noted = (of: House, outcome: string): number =>
  of.lines.filter((line) => line.includes(`"${outcome}"`)).length;
