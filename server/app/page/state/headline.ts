/** What a panel's screen says of its state, and how sure that is. Pure. */

import type { Link } from './app.js';
import { modeName, modeOf } from './contacts.js';
import type { Panel } from './panel.js';
import { agoText, clockText, dayText, type Place } from './time-text.js';

export type Mood = 'disarmed' | 'arming' | 'armed' | 'pending' | 'alarm' | 'unknown';

interface Headline {
  readonly mood: Mood;
  readonly word: string;
  /** This is the last known state; it may have changed since. */
  readonly isOld: boolean;
}

const WORDS: Record<Mood, string> = {
  disarmed: 'Disarmed',
  arming: 'Arming',
  armed: 'Armed',
  pending: 'Disarm now',
  alarm: 'Alarm',
  unknown: 'Not heard of yet',
};

export function headlineOf(panel: Panel, link: Link): Headline {
  const mood = moodOf(panel);
  const mode = modeOf(panel);
  const word = mood === 'armed' && mode !== undefined ? `${WORDS.armed}: ${modeName(mode)}` : WORDS[mood];
  return { mood, word, isOld: link.kind !== 'live' || !panel.presence.isConnected };
}

function moodOf({ current }: Panel): Mood {
  if (current === undefined) return 'unknown';
  const { siren_ringing, alarm_armed, state } = current.data;
  if (siren_ringing) return 'alarm';
  if (state === 'arming' || state === 'pending') return state;
  return alarm_armed ? 'armed' : 'disarmed';
}

/**
 * The alarm since the last arming, or undefined where there was none.
 * @param now the server's clock, in milliseconds since 1970
 */
export function lastAlarmText({ current }: Panel, now: number, place: Place = {}): string | undefined {
  const alarm = current?.data.last_alarm;
  if (alarm === undefined) return undefined;
  const isRinging = current?.data.siren_ringing === true;
  const when = momentText(Date.parse(alarm.at ?? ''), now, isRinging ? 'since' : 'at', place);
  return `${isRinging ? 'Ringing' : 'Rang'}${when}: ${alarm.contacts.join(', ')}`;
}

/** ` at 14:05`, ` yesterday, 14:05`, or nothing where the panel did not know the time. */
function momentText(at: number, now: number, word: 'at' | 'since', place: Place): string {
  if (Number.isNaN(at)) return '';
  const isToday = dayText(at, now, place) === 'today';
  return `${isToday || word === 'since' ? ` ${word}` : ''} ${clockText(at, now, place)}`;
}

export const sirenText = ({ current }: Panel): string => {
  if (current === undefined) return 'Siren unknown';
  return current.data.siren_ringing ? 'Siren ringing' : 'Siren silent';
};

/**
 * Whether the connections to the server and to the panel stand, and since when not.
 * @param now the clocks of the phone and of the server, in milliseconds since 1970; the panel's times are by the server's
 */
export function sureText(
  { presence }: Panel,
  link: Link,
  now: { phone: number; server: number },
  place: Place = {},
): string {
  if (link.kind === 'connecting') return 'Connecting to the server …';
  if (link.kind === 'lost') {
    return `No connection to the server since ${clockText(link.since, now.phone, place)}.`;
  }
  if (presence.isConnected) return 'Panel connected';
  if (presence.at === undefined) return 'The panel has not been connected yet.';
  const since = `${clockText(presence.at, now.server, place)} (${agoText(presence.at, now.server)})`;
  return `No contact with the panel since ${since}.`;
}
