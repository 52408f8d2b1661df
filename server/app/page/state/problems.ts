/** What the panel refused and what it cannot do, in words: what it is, and what to do. Pure. */

import type { PanelFault, RefusalReason } from '../../../../shared/panel.js';
import type { Words } from './fault.js';
import type { Panel } from './panel.js';

const OTHER_PROGRAM = 'Another program wrote it.';

/**
 * By the `reason` in `current.refused`.
 * @param press the text of the button
 */
const REFUSALS: Record<RefusalReason, (press: string) => Words> = {
  'older than what was seen before': (press) => ({
    what: 'The panel does not follow the order on the server: the panel has followed a newer one before.',
    todo: `The server was perhaps restored from a backup. The panel stays as it is until you press ${press}. It obeys that.`,
  }),
  'flash takes no writes': () => ({
    what: 'The panel did not arm: its memory takes no writes, so a power cut would disarm it.',
    todo: 'Try again. If the panel refuses again, replace its board.',
  }),
  'armed too often': () => ({
    what: 'The panel did not arm: it was armed thousands of times today, which wears out its memory.',
    todo: 'Find the program that arms and disarms it again and again. Then wait ten seconds and try again.',
  }),
  'a contact is open': () => ({
    what: 'The panel did not arm, or did not change its mode, because a contact is open.',
    todo: 'Close it and press again. The panel can also be armed without it.',
  }),
  'not during an alarm': () => ({
    what: 'The panel does not follow the last order during an alarm or an entry delay.',
    todo: 'Disarm it first.',
  }),
  'not while armed': () => ({
    what: 'The panel leaves a contact out only when it is armed.',
    todo: 'Disarm it and arm it again without the contact.',
  }),
  'not a valid value': () => ({
    what: 'The panel did not understand a part of the last order, and did not follow it.',
    todo: `${OTHER_PROGRAM} The rest of the order counts.`,
  }),
  'not a boolean': (press) => ({
    what: 'The panel did not understand the last order.',
    todo: `${OTHER_PROGRAM} Press ${press} to write a new one.`,
  }),
  'not a JSON object': (press) => ({
    what: 'The panel could not read the last order.',
    todo: `${OTHER_PROGRAM} Press ${press} to write a new one.`,
  }),
  'bad version': () => ({
    what: 'The panel could not read the version of the last order.',
    todo: 'The server made a mistake. Look into its log.',
  }),
  'too long': () => ({
    what: 'The panel did not read the last order: the document “desired” is too long for it.',
    todo: `${OTHER_PROGRAM} On the server, npm run twin -- put replaces the document by a short one.`,
  }),
};

/** By `current.fault`. */
const FAULTS: Record<PanelFault, Words> = {
  flash: {
    what: 'The memory of the panel is at fault.',
    todo: 'After a power cut the panel may be armed when it is disarmed now, or the reverse. Arm or disarm it once. If the fault stays, replace the board.',
  },
  clock: {
    what: 'The panel does not know the time.',
    todo: 'Door and siren work. Check that the panel reaches the server or the router that tells it the time.',
  },
  memory: {
    what: 'The panel has too little memory.',
    todo: 'Door and siren work. Switch the panel off and on. If the fault stays, install newer firmware.',
  },
};

/** The refusal, then the fault. A value without words of its own is shown as it is. */
export const problemsOf = (panel: Panel): Words[] =>
  [refusalOf(panel), faultOf(panel)].filter((words) => words !== undefined);

/** Why the panel did not follow the last order; undefined when it does not say so. */
export function refusalOf({ current }: Panel): Words | undefined {
  if (current?.data.refused === undefined) return undefined;
  const { reason, key, contacts } = current.data.refused;
  const known = wordsIn(REFUSALS, reason)?.(current.data.alarm_armed ? 'Disarm' : 'Arm');
  const { what, todo } = known ?? {
    what: `The panel did not follow the last order: ${key === undefined ? '' : `${key}: `}${reason}.`,
    todo: '',
  };
  const named = contacts === undefined ? '' : `Contacts: ${contacts.join(', ')}.`;
  return { what, todo: [named, todo].filter((text) => text !== '').join(' ') };
}

function faultOf({ current }: Panel): Words | undefined {
  const fault = current?.data.fault;
  if (fault === undefined) return undefined;
  return wordsIn(FAULTS, fault) ?? { what: `The panel reports a fault: ${fault}.`, todo: '' };
}

/** The value comes from the panel. It may be the name of a method that every object has, such as `toString`. */
const wordsIn = <T>(table: Record<string, T>, value: string): T | undefined =>
  Object.hasOwn(table, value) ? table[value] : undefined;
