/** What a panel's screen says of its state, and how sure that is. */

import { type AppState, type Link, serverNow } from './app.js';
import { modeName, modeOf, secondsLeft } from './contacts.js';
import type { Panel } from './panel.js';
import { say } from './say.js';
import { agoText, clockText, durationText, isToday, type Place, secondsText } from './time-text.js';

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

/** Until when the shown state was surely so, by the server's clock; undefined while it is. */
export function knownUntil(
  { link, isListed, ahead }: AppState,
  { presence, current }: Panel,
): number | undefined {
  const heard = link.kind !== 'live' ? (isListed ? link.since + ahead : current?.at) : undefined;
  const seen = presence.isConnected ? undefined : (presence.at ?? current?.at);
  return heard === undefined || seen === undefined ? (heard ?? seen) : Math.min(heard, seen);
}

/** Since when a siren rings, and for how long; of one that may have stopped, for how long it surely rang. */
export function ringingText(
  state: AppState,
  panel: Panel,
  since: number | undefined,
  place: Place = {},
): string {
  const now = serverNow(state);
  const until = knownUntil(state, panel);
  const at = (time: number): string => secondsText(time, now, place);
  if (until === undefined) {
    return since === undefined
      ? ''
      : say('alarm.since', { time: at(since), duration: durationText(Math.max(0, now - since)) });
  }
  const ago = agoText(until, now);
  return since === undefined || since > until
    ? say('alarm.heard', { time: at(until), ago })
    : say('alarm.until', { since: at(since), until: at(until), ago });
}

/** How long the siren still rings, where the panel says it and it is heard. */
export function sirenLeftText(state: AppState, panel: Panel): string {
  const seconds = secondsLeft(panel, serverNow(state));
  return seconds === undefined || seconds === 0 || knownUntil(state, panel) !== undefined
    ? ''
    : say('alarm.left', { duration: durationText(seconds * 1000) });
}

/** When the server is tried again; '' while it is there. @param now this phone's clock */
export function retryText({ kind, retryAt = 0 }: Link, now: number): string {
  if (kind !== 'lost') return '';
  const seconds = Math.ceil((retryAt - now) / 1000);
  return seconds > 0 ? say('gone.retry', { seconds }) : say('gone.trying');
}

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
