/** What the panel refused and what it cannot do, in words: what it is, and what to do. */

import type { PanelFault, RefusalReason } from '../../../../shared/panel.js';
import type { Words } from './fault.js';
import type { Panel } from './panel.js';
import { say } from './say.js';

/** The names of the texts, by the `reason` in `current.refused`. */
const REFUSALS = {
  'older than what was seen before': 'older',
  'flash takes no writes': 'flash',
  'armed too often': 'often',
  'a contact is open': 'open',
  'not during an alarm': 'alarm',
  'not while armed': 'armed',
  'not a valid value': 'value',
  'not a boolean': 'boolean',
  'not a JSON object': 'json',
  'bad version': 'version',
  'too long': 'long',
} as const satisfies Record<RefusalReason, string>;

/** By `current.fault`. */
const FAULTS: Record<PanelFault, () => Words> = {
  flash: () => ({ what: say('panel-fault.flash.what'), todo: say('panel-fault.flash.todo') }),
  clock: () => ({ what: say('panel-fault.clock.what'), todo: say('panel-fault.clock.todo') }),
  memory: () => ({ what: say('panel-fault.memory.what'), todo: say('panel-fault.memory.todo') }),
};

/** The refusal, then the fault. A value without words of its own is shown as it is. */
export const problemsOf = (panel: Panel): Words[] =>
  [refusalOf(panel), faultOf(panel)].filter((words) => words !== undefined);

/** Why the panel did not follow the last order; undefined when it does not say so. */
export function refusalOf({ current }: Panel): Words | undefined {
  if (current?.data.refused === undefined) return undefined;
  const { reason, key, contacts } = current.data.refused;
  const name = wordsIn(REFUSALS, reason);
  const named = contacts === undefined ? '' : say('refused.contacts', { names: contacts.join(', ') });
  if (name === undefined) {
    const what = say('refused.other', { reason: key === undefined ? reason : `${key}: ${reason}` });
    return { what, todo: named };
  }
  const press = say(current.data.alarm_armed ? 'disarm' : 'arm');
  const todo = say(`refused.${name}.todo`, { press });
  return { what: say(`refused.${name}.what`), todo: [named, todo].filter((text) => text !== '').join(' ') };
}

function faultOf({ current }: Panel): Words | undefined {
  const fault = current?.data.fault;
  if (fault === undefined) return undefined;
  return wordsIn(FAULTS, fault)?.() ?? { what: say('panel-fault.other', { fault }), todo: '' };
}

const LINE = /^(?<name>.*): line (?<fault>cut|shorted)$/s;

/** The subject of an alert of the kind `fault`: what the panel cannot do, or the line to one of its contacts; undefined for another. */
export function faultText(subject: string): string | undefined {
  const { name, fault } = LINE.exec(subject)?.groups ?? {};
  if (name !== undefined) return say(fault === 'cut' ? 'contact.cut' : 'contact.shorted', { name });
  return wordsIn(FAULTS, subject)?.().what;
}

/** The value comes from the panel. It may be the name of a method that every object has, such as `toString`. */
const wordsIn = <T>(table: Record<string, T>, value: string): T | undefined =>
  Object.hasOwn(table, value) ? table[value] : undefined;
