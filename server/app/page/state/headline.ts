/** What a panel's screen says of its state, and how sure that is. */

import type { Link } from './app.js';
import { modeName, modeOf } from './contacts.js';
import type { Panel } from './panel.js';
import { say } from './say.js';
import { agoText, clockText, isToday, type Place } from './time-text.js';

export type Mood = 'disarmed' | 'arming' | 'armed' | 'pending' | 'alarm' | 'unknown';

interface Headline {
  readonly mood: Mood;
  readonly word: string;
  /** This is the last known state; it may have changed since. */
  readonly isOld: boolean;
}

export function headlineOf(panel: Panel, link: Link): Headline {
  const mood = moodOf(panel);
  const mode = modeOf(panel);
  const word =
    mood === 'armed' && mode !== undefined
      ? say('mood.armed-in', { mode: modeName(mode) })
      : say(`mood.${mood}`);
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
  const names = alarm.contacts.join(', ');
  const at = Date.parse(alarm.at ?? '');
  // The panel did not know the time.
  if (Number.isNaN(at)) return isRinging ? say('rang.now', { names }) : say('rang.over', { names });
  const time = clockText(at, now, place);
  if (isRinging) return say('rang.since', { time, names });
  return isToday(at, now, place) ? say('rang.at', { time, names }) : say('rang.on', { time, names });
}

export const sirenText = ({ current }: Panel): string => {
  if (current === undefined) return say('siren.unknown');
  return current.data.siren_ringing ? say('siren.ringing') : say('siren.silent');
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
  if (link.kind === 'connecting') return say('link.connecting');
  if (link.kind === 'lost') {
    return say('link.lost', { time: clockText(link.since, now.phone, place) });
  }
  if (presence.isConnected) return say('link.panel');
  if (presence.at === undefined) return say('link.panel-new');
  const { at } = presence;
  return say('link.panel-lost', { time: clockText(at, now.server, place), ago: agoText(at, now.server) });
}
