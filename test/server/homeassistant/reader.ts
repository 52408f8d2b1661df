/**
 * Reads discovery messages as Home Assistant's MQTT integration does, by what its documentation says of each entity: the
 * required keys, the abbreviations, the values that a key may have. It knows nothing of the bridge.
 */

import * as assert from 'uvu/assert';

type Config = Record<string, unknown>;

export interface Entity {
  readonly component: string;
  readonly config: Config;
}

const ABBREVIATIONS: Record<string, string> = {
  avty: 'availability',
  avty_mode: 'availability_mode',
  cmd_t: 'command_topic',
  cmd_tpl: 'command_template',
  cmps: 'components',
  cod_arm_req: 'code_arm_required',
  cod_dis_req: 'code_disarm_required',
  cu: 'configuration_url',
  def_ent_id: 'default_entity_id',
  dev: 'device',
  dev_cla: 'device_class',
  ent_cat: 'entity_category',
  evt_typ: 'event_types',
  ids: 'identifiers',
  json_attr_t: 'json_attributes_topic',
  mdl: 'model',
  mf: 'manufacturer',
  o: 'origin',
  p: 'platform',
  pl_avail: 'payload_available',
  pl_not_avail: 'payload_not_available',
  pl_off: 'payload_off',
  pl_on: 'payload_on',
  stat_t: 'state_topic',
  sup_feat: 'supported_features',
  t: 'topic',
  uniq_id: 'unique_id',
};

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isBoolean = (value: unknown): boolean => typeof value === 'boolean';
const isTopic = (value: unknown): boolean => isText(value) && !/[+#\0]/.test(value);
const oneOf =
  (...values: string[]) =>
  (value: unknown): boolean =>
    values.includes(value as string);
const listOf =
  (holds: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    Array.isArray(value) && value.length > 0 && value.every(holds);

const COMMON: Record<string, (value: unknown) => boolean> = {
  name: (value) => value === null || isText(value),
  unique_id: isText,
  default_entity_id: isText,
  availability: Array.isArray,
  availability_mode: oneOf('all', 'any', 'latest'),
  device: (value) => typeof value === 'object' && value !== null,
  origin: (value) => isText((value as Config).name),
  entity_category: oneOf('diagnostic', 'config'),
  json_attributes_topic: isTopic,
  state_topic: isTopic,
};

const COMPONENTS: Record<string, { required: string[]; keys: Record<string, (value: unknown) => boolean> }> =
  {
    alarm_control_panel: {
      required: ['state_topic', 'command_topic'],
      keys: {
        command_topic: isTopic,
        command_template: isText,
        code: oneOf('REMOTE_CODE', 'REMOTE_CODE_TEXT'),
        code_arm_required: isBoolean,
        code_disarm_required: isBoolean,
        supported_features: listOf(
          oneOf('arm_home', 'arm_away', 'arm_night', 'arm_vacation', 'arm_custom_bypass', 'trigger'),
        ),
      },
    },
    binary_sensor: {
      required: ['state_topic'],
      keys: {
        payload_on: isText,
        payload_off: isText,
        device_class: oneOf('door', 'window', 'tamper', 'problem', 'sound', 'connectivity'),
      },
    },
    sensor: { required: ['state_topic'], keys: { device_class: oneOf('timestamp') } },
    event: { required: ['state_topic', 'event_types'], keys: { event_types: listOf(isText) } },
  };

function long(config: unknown): unknown {
  if (Array.isArray(config)) return config.map(long);
  if (typeof config !== 'object' || config === null) return config;
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [ABBREVIATIONS[key] ?? key, long(value)]),
  );
}

function check(component: string, config: Config): void {
  const known = COMPONENTS[component];
  assert.ok(known, `component ${component}`);
  for (const key of known.required) assert.ok(key in config, `${component} needs ${key}`);
  // An entity of a device with a registry entry needs an id, and one that is absent would make a second entity.
  for (const key of ['unique_id', 'device', 'origin', 'availability']) assert.ok(key in config, key);
  for (const [key, value] of Object.entries(config)) {
    const holds = known.keys[key] ?? COMMON[key];
    assert.ok(holds, `${component} has no ${key}`);
    assert.ok(holds(value), `${component}: ${key} is ${JSON.stringify(value)}`);
  }
  for (const each of config.availability as Config[]) {
    assert.ok(isTopic(each.topic) && isText(each.payload_available) && isText(each.payload_not_available));
  }
  const { identifiers, name, configuration_url: link } = config.device as Config;
  assert.ok(listOf(isText)(identifiers) && isText(name));
  if (link !== undefined) assert.match(link as string, /^(https?|homeassistant):\/\//);
  if (config.default_entity_id !== undefined) {
    assert.ok((config.default_entity_id as string).startsWith(`${component}.`));
  }
  if (config.name !== null) {
    const begin = (name as string).toLowerCase();
    assert.not.ok((config.name as string).toLowerCase().startsWith(begin), config.name as string);
  }
}

/** All entities that the retained messages below the prefix make. Fails for one that Home Assistant would refuse. */
export function entitiesIn(topics: ReadonlyMap<string, string>, prefix = 'homeassistant'): Entity[] {
  return [...topics].flatMap(([topic, payload]): Entity[] => {
    const levels = topic.split('/');
    if (levels[0] !== prefix || levels.at(-1) !== 'config') return [];
    for (const level of levels.slice(2, -1)) assert.match(level, /^[a-zA-Z0-9_-]+$/);
    const config = long(JSON.parse(payload)) as Config;
    const component = levels[1] as string;
    if (component !== 'device') {
      check(component, config);
      return [{ component, config }];
    }
    const { components, ...shared } = config;
    return Object.values(components as Record<string, Config>).flatMap(({ platform, ...own }) => {
      if (Object.keys(own).length === 0) return [];
      check(platform as string, { ...shared, ...own });
      return [{ component: platform as string, config: { ...shared, ...own } }];
    });
  });
}

/** Fills a command template as far as it has no more than names in it. */
export function commandOf({ config }: Entity, values: Record<string, string>): string {
  if (config.command_template === undefined) return values.action ?? '';
  return (config.command_template as string).replace(/\{\{ (\w+) \}\}/g, (_, name) => values[name] ?? '');
}

/** Whether all availability topics say so. */
export const isAvailable = ({ config }: Entity, topics: ReadonlyMap<string, string>): boolean =>
  (config.availability as Config[]).every(
    (each) => topics.get(each.topic as string) === each.payload_available,
  );
