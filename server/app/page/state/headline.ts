/** The one thing that a panel's screen says first, and how sure that is. Pure. */

import type { Link } from './app.js';
import type { Panel } from './panel.js';

export type Mood = 'disarmed' | 'armed' | 'alarm' | 'unknown';

export interface Headline {
  readonly mood: Mood;
  readonly word: string;
  /** What is said is what was said last, and may not be so any more. */
  readonly isOld: boolean;
}

const WORDS: Record<Mood, string> = {
  disarmed: 'Disarmed',
  armed: 'Armed',
  alarm: 'Alarm',
  unknown: 'Not heard of yet',
};

export function headlineOf(panel: Panel, link: Link): Headline {
  const mood = moodOf(panel);
  return { mood, word: WORDS[mood], isOld: link.kind !== 'live' || !panel.presence.isConnected };
}

function moodOf({ current }: Panel): Mood {
  if (current === undefined) return 'unknown';
  if (current.data.siren_ringing) return 'alarm';
  return current.data.alarm_armed ? 'armed' : 'disarmed';
}

export const doorText = ({ current }: Panel): string => {
  if (current === undefined) return 'Door unknown';
  return current.data.door_open ? 'Door open' : 'Door closed';
};

export const sirenText = ({ current }: Panel): string => {
  if (current === undefined) return 'Siren unknown';
  return current.data.siren_ringing ? 'Siren ringing' : 'Siren silent';
};
