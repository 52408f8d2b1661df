/** The discovery messages of a panel, by which Home Assistant makes its entities. Their form is that of its MQTT integration. */

import { MODES } from '../../shared/current-document.js';
import type { ContactKind } from '../../shared/panel.js';
import { bridgeTopic, discoveryTopic, type Place, panelIdOf, topicOf } from './place.js';
import {
  contactAvailability,
  contactPart,
  type Message,
  OFF,
  OFFLINE,
  ON,
  ONLINE,
  type Panel,
  REFUSED,
} from './states.js';

/** `entity`: one message for each entity, as every Home Assistant takes them. `device`: one message for each panel. */
export type Form = 'entity' | 'device';

interface Announcing {
  readonly place: Place;
  readonly form: Form;
  /** The code that Home Assistant asks for; empty for none. */
  readonly code: string;
}

interface Entity {
  readonly component: 'alarm_control_panel' | 'binary_sensor' | 'sensor' | 'event';
  /** Unique in its panel, and always the same. */
  readonly object: string;
  readonly config: Readonly<Record<string, unknown>>;
}

const DEVICE_CLASSES: Record<ContactKind, string | undefined> = {
  entry: 'door',
  instant: 'window',
  always: 'tamper',
  key: undefined,
};

const ORIGIN = { name: 'alarm-twin' };

export function announcementsOf(panel: Panel, announcing: Announcing): Message[] {
  const { place, form } = announcing;
  const device = {
    identifiers: [panelIdOf(place, panel.id)],
    name: panel.name,
    manufacturer: 'alarm-twin',
    model: 'Internet alarm panel',
    ...(panel.link !== '' && { configuration_url: panel.link }),
  };
  const entities = entitiesOf(panel, announcing);
  if (form === 'entity') {
    return entities.map(({ component, object, config }) => ({
      topic: discoveryTopic(place, component, panel.id, object),
      payload: JSON.stringify({ ...config, device, origin: ORIGIN }),
    }));
  }
  const components = {
    ...removedContacts(panel),
    ...Object.fromEntries(
      entities.map(({ component, object, config }) => [object, { platform: component, ...config }]),
    ),
  };
  const payload = JSON.stringify({ device, origin: ORIGIN, components });
  return [{ topic: discoveryTopic(place, 'device', panel.id), payload }];
}

/** Entities that there may have been. In a message for the whole panel, one with nothing but its platform is removed. */
function removedContacts({ numbers: { next } }: Panel): Record<string, object> {
  const parts = ['door', ...Array.from({ length: next - 1 }, (_, index) => contactPart(index + 1))];
  return Object.fromEntries(parts.map((part) => [part, { platform: 'binary_sensor' }]));
}

function entitiesOf(panel: Panel, { place, code }: Announcing): Entity[] {
  const topic = (part: string): string => topicOf(place, panel.id, part);
  const available = (...parts: string[]): object => ({
    availability: [bridgeTopic(place), ...parts.map(topic)].map((each) => ({
      topic: each,
      payload_available: ONLINE,
      payload_not_available: OFFLINE,
    })),
    availability_mode: 'all',
  });
  const entity = (
    component: Entity['component'],
    object: string,
    name: string | null,
    config: object,
    availability = available('availability'),
  ): Entity => ({
    component,
    object,
    config: {
      name: name === null ? null : nameBeside(panel.name, name),
      unique_id: `${panelIdOf(place, panel.id)}-${object}`,
      ...config,
      ...availability,
    },
  });
  const onOff = { payload_on: ON, payload_off: OFF };
  return [
    entity('alarm_control_panel', 'panel', null, {
      state_topic: topic('state'),
      command_topic: topic('command'),
      json_attributes_topic: topic('attributes'),
      supported_features: featuresOf(panel),
      ...codeOf(code),
    }),
    ...contactEntities(panel).map(({ part, name, kind, availability }) =>
      entity(
        'binary_sensor',
        part,
        name,
        {
          state_topic: topic(part),
          ...onOff,
          ...(DEVICE_CLASSES[kind] !== undefined && { device_class: DEVICE_CLASSES[kind] }),
        },
        available('availability', ...availability),
      ),
    ),
    entity('binary_sensor', 'siren', 'Siren', {
      state_topic: topic('siren'),
      ...onOff,
      device_class: 'sound',
    }),
    entity('binary_sensor', 'problem', 'Problem', {
      state_topic: topic('problem'),
      json_attributes_topic: topic('problem/attributes'),
      ...onOff,
      device_class: 'problem',
      entity_category: 'diagnostic',
    }),
    entity('event', 'refusal', 'Refused order', { state_topic: topic('event'), event_types: [REFUSED] }),
    // These two tell of a panel that is not there.
    entity(
      'binary_sensor',
      'connectivity',
      'Connection',
      {
        state_topic: topic('availability'),
        payload_on: ONLINE,
        payload_off: OFFLINE,
        device_class: 'connectivity',
        entity_category: 'diagnostic',
      },
      available(),
    ),
    entity(
      'sensor',
      'last-update',
      'Last report',
      { state_topic: topic('last-update'), device_class: 'timestamp', entity_category: 'diagnostic' },
      available(),
    ),
  ];
}

interface ContactEntity {
  readonly part: string;
  readonly name: string;
  readonly kind: ContactKind;
  readonly availability: readonly string[];
}

const contactEntities = ({ current, numbers }: Panel): ContactEntity[] =>
  current.contacts === undefined
    ? [{ part: 'door', name: 'Door', kind: 'entry', availability: [] }]
    : numbers.contacts.map(({ name, number, kind }) => ({
        part: contactPart(number),
        name,
        kind,
        availability: [contactAvailability(number)],
      }));

/** A panel that reports no contacts by name has one, and no modes. */
const featuresOf = ({ current }: Panel): string[] =>
  current.contacts === undefined ? ['arm_away'] : MODES.map((mode) => `arm_${mode}`);

/**
 * Home Assistant asks for the code and passes it on. The code itself is in no message. Digits get a keypad, other codes a
 * field for text.
 */
function codeOf(code: string): object {
  const isAsked = code !== '';
  return {
    code_arm_required: isAsked,
    code_disarm_required: isAsked,
    ...(isAsked && {
      code: /^\d+$/.test(code) ? 'REMOTE_CODE' : 'REMOTE_CODE_TEXT',
      command_template: '{"action":"{{ action }}","code":"{{ code }}"}',
    }),
  };
}

/** What may stand before a name that would begin like its device's. */
const ARTICLES = ['', 'The ', 'Its '];

/** Home Assistant shows the device's name before an entity's, so an entity does not repeat it. */
function nameBeside(device: string, name: string): string {
  const first = device.trim().toLowerCase();
  const repeats = (text: string): boolean => first !== '' && text.toLowerCase().startsWith(first);
  const rest = repeats(name) && /^\s/.test(name.slice(first.length)) ? name.slice(first.length).trim() : name;
  const own = rest.toLowerCase() === first ? 'Contact' : rest;
  return ARTICLES.map((article) => `${article}${own}`).find((text) => !repeats(text)) ?? own;
}
