/** Which conditions hold for one panel, by what it says and how it is connected. Pure; times in milliseconds since 1970. */

import { legible } from '../../shared/current-document.js';
import type { CurrentDocument } from '../../shared/panel.js';
import type { Condition } from './alert.js';

/** Times are in milliseconds. */
interface RuleSettings {
  /** How long an armed panel may be without contact. */
  readonly unreachableAfter: number;
  /** How long a door may stay open; undefined: for ever. */
  readonly doorOpenAfter: number | undefined;
}

/** What is known of a panel. */
export interface Facts {
  /** Its last report; undefined before the first one, and for a device that is no alarm panel. */
  readonly current: CurrentDocument | undefined;
  /** When it wrote that report. */
  readonly reportedAt: number;
  /** Since when there is no contact; undefined when it is connected and has reported since it came back. */
  readonly lostSince: number | undefined;
  /** Since when its door is open; undefined while it is closed. */
  readonly openSince: number | undefined;
}

/** The conditions that hold at a time. @returns also when the next one may begin without a further report */
export function conditionsOf(
  facts: Facts,
  now: number,
  settings: RuleSettings,
): { conditions: Condition[]; lookAgainAt: number | undefined } {
  const { current } = facts;
  if (current === undefined) return { conditions: [], lookAgainAt: undefined };
  const said = legible(current);
  const timed = [lostContact(facts, said, settings), openDoor(facts, settings)].filter(
    (each) => each !== undefined,
  );
  const begun = timed.filter(({ since }) => since <= now);
  const later = timed.filter(({ since }) => since > now).map(({ since }) => since);
  return {
    conditions: [...triggered(said, facts), ...faults(said, facts), ...begun],
    lookAgainAt: later.length === 0 ? undefined : Math.min(...later),
  };
}

/** An alarm lasts until the panel is disarmed, also when its siren has run out. */
function triggered(said: CurrentDocument, { reportedAt }: Facts): Condition[] {
  const { siren_ringing, alarm_armed, last_alarm, contacts = {} } = said;
  if (!siren_ringing && !(alarm_armed && last_alarm !== undefined)) return [];
  const at = Date.parse(last_alarm?.at ?? '');
  const since = Number.isNaN(at) ? reportedAt : at;
  const names = last_alarm?.contacts.length ? last_alarm.contacts : [''];
  return names.map((subject) => ({
    kind: 'triggered',
    subject,
    since,
    isLifeSafety: contacts[subject]?.kind === 'always',
  }));
}

function faults({ fault, contacts = {} }: CurrentDocument, { reportedAt: since }: Facts): Condition[] {
  const lines = Object.entries(contacts).flatMap(([name, report]) =>
    report.fault === undefined ? [] : [`${name}: line ${report.fault}`],
  );
  return [...(fault === undefined ? [] : [fault]), ...lines].map((subject) => ({
    kind: 'fault',
    subject,
    since,
  }));
}

function lostContact(
  { lostSince }: Facts,
  { alarm_armed }: CurrentDocument,
  { unreachableAfter }: RuleSettings,
): Condition | undefined {
  if (!alarm_armed || lostSince === undefined) return undefined;
  return { kind: 'unreachable', subject: '', since: lostSince + unreachableAfter };
}

function openDoor({ openSince }: Facts, { doorOpenAfter }: RuleSettings): Condition | undefined {
  if (openSince === undefined || doorOpenAfter === undefined) return undefined;
  return { kind: 'door_open', subject: '', since: openSince + doorOpenAfter };
}
