/** What the bridge says of a panel's state, in the words of Home Assistant's MQTT integration. Every message is retained. */

import { DEFAULT_MODE } from '../../shared/current-document.js';
import type { ContactReport, CurrentDocument } from '../../shared/panel.js';
import type { Numbers } from './numbers.js';
import { type Place, topicOf } from './place.js';

export interface Message {
  readonly topic: string;
  readonly payload: string;
}

/** A panel as Home Assistant shows it. */
export interface Panel {
  readonly id: string;
  readonly name: string;
  /** Where the app shows it. */
  readonly link: string;
  /** Its last report, as far as it is legible. */
  readonly current: CurrentDocument;
  /** When the server took that report, RFC 3339. */
  readonly reportedAt: string;
  /** Whether it is connected and has reported since. */
  readonly isOnline: boolean;
  /** The writer of the order by which it was armed last, where that is known. */
  readonly armedBy?: string | undefined;
  readonly numbers: Numbers;
}

export const ONLINE = 'online';
export const OFFLINE = 'offline';
export const ON = 'ON';
export const OFF = 'OFF';

/** The state of the entity `alarm_control_panel`. A panel with one contact and no delays says only whether it is armed. */
export function alarmState({ alarm_armed, siren_ringing, state, mode }: CurrentDocument): string {
  const said = state ?? (siren_ringing ? 'triggered' : alarm_armed ? 'armed' : 'disarmed');
  return said === 'armed' ? `armed_${mode ?? DEFAULT_MODE}` : said;
}

const onOff = (is: boolean): string => (is ? ON : OFF);
const onlineOrNot = (is: boolean): string => (is ? ONLINE : OFFLINE);

/** A contact that is always watched guards its line as well. */
const isTripped = ({ kind, open, fault }: ContactReport): boolean =>
  open || (kind === 'always' && fault !== undefined);

/** Behind a faulty line the panel cannot know whether a door is open. */
const isKnown = ({ kind, fault }: ContactReport): boolean => fault === undefined || kind === 'always';

export const contactPart = (number: number): string => `contact-${number}`;
export const contactAvailability = (number: number): string => `${contactPart(number)}/availability`;

const namesWhere = (
  contacts: CurrentDocument['contacts'],
  holds: (contact: ContactReport) => boolean,
): string[] | undefined => {
  const names = Object.entries(contacts ?? {}).flatMap(([name, contact]) => (holds(contact) ? [name] : []));
  return names.length === 0 ? undefined : names;
};

/** The attributes of the panel's entity. What there is not is left out. */
const attributesOf = ({ current, armedBy }: Panel): object => ({
  armed_by: armedBy,
  refused: current.refused?.reason,
  refused_contacts: current.refused?.contacts,
  bypassed_contacts: namesWhere(current.contacts, ({ bypassed }) => bypassed === true),
  last_alarm_contacts: current.last_alarm?.contacts,
  last_alarm_at: current.last_alarm?.at,
  until: current.until,
});

const faultsOf = ({ current }: Panel): object => ({
  fault: current.fault,
  faulty_contacts: namesWhere(current.contacts, ({ fault }) => fault !== undefined),
});

/** All states of a panel. Whether it is online comes last: what it is shows before that. */
export function statesOf(panel: Panel, place: Place): Message[] {
  const { id, current, numbers } = panel;
  const faults = faultsOf(panel);
  const parts: [part: string, payload: string][] = [
    ['state', alarmState(current)],
    ['attributes', JSON.stringify(attributesOf(panel))],
    ['siren', onOff(current.siren_ringing)],
    ['problem', onOff(Object.values(faults).some((fault) => fault !== undefined))],
    ['problem/attributes', JSON.stringify(faults)],
    ['last-update', current.last_update ?? panel.reportedAt],
    ...(current.contacts === undefined
      ? [['door', onOff(current.door_open)] as [string, string]]
      : numbers.contacts.flatMap(({ name, number }): [string, string][] => {
          const contact = current.contacts?.[name];
          if (contact === undefined) return [];
          return [
            [contactPart(number), onOff(isTripped(contact))],
            [contactAvailability(number), onlineOrNot(isKnown(contact))],
          ];
        })),
    ['availability', onlineOrNot(panel.isOnline)],
  ];
  return parts.map(([part, payload]) => ({ topic: topicOf(place, id, part), payload }));
}

/** The event of a refused order, which is not retained; undefined when nothing is refused. */
export function refusalEvent({ refused }: CurrentDocument): string | undefined {
  if (refused === undefined) return undefined;
  return JSON.stringify({ event_type: REFUSED, ...refused });
}

export const REFUSED = 'refused';
