/** Times in words. All in milliseconds. */

import { language, region, say } from './say.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Region and time zone; by default those of the phone. */
export interface Place {
  readonly locale?: string;
  readonly timeZone?: string;
}

/** `12 s ago`. A time in the future, by a clock that is a little wrong, is `just now`. */
export function agoText(at: number, now: number): string {
  const passed = Math.max(0, now - at);
  if (passed < 2 * SECOND) return say('time.now');
  if (passed < 2 * DAY) return say('time.ago', { duration: durationText(passed) });
  return new Intl.RelativeTimeFormat(language()).format(-Math.floor(passed / DAY), 'day');
}

/** `12 s`, `3 min`, `2 h 5 min`, `4 days`. */
export function durationText(duration: number): string {
  if (duration < MINUTE) return say('time.seconds', { seconds: Math.floor(duration / SECOND) });
  if (duration < HOUR) return say('time.minutes', { minutes: Math.floor(duration / MINUTE) });
  if (duration >= 2 * DAY) return say('time.days', { days: Math.floor(duration / DAY) });
  const [hours, minutes] = [Math.floor(duration / HOUR), Math.floor((duration % HOUR) / MINUTE)];
  return minutes === 0 ? say('time.hours', { hours }) : say('time.hours-minutes', { hours, minutes });
}

/** `14:05`, or with the day when that is not today: `yesterday, 14:05`. */
export const clockText = (at: number, now: number, place: Place = {}): string =>
  withDay(at, now, place, { hour: '2-digit', minute: '2-digit' });

/** The same to the second: `14:05:09`. */
export const secondsText = (at: number, now: number, place: Place = {}): string =>
  withDay(at, now, place, { hour: '2-digit', minute: '2-digit', second: '2-digit' });

function withDay(at: number, now: number, place: Place, options: Intl.DateTimeFormatOptions): string {
  const time = format(at, options, place);
  return isToday(at, now, place) ? time : `${dayText(at, now, place)}, ${time}`;
}

/** `yesterday`, `Mon 3 Mar`. */
function dayText(at: number, now: number, place: Place): string {
  if (dayOf(at, place) === dayOf(now - DAY, place)) return say('time.yesterday');
  return format(at, { weekday: 'short', day: 'numeric', month: 'short' }, place);
}

export const isToday = (at: number, now: number, place: Place = {}): boolean =>
  dayOf(at, place) === dayOf(now, place);

/** `14`, or `2 PM`. */
export const hourText = (at: number, place: Place = {}): string => format(at, { hour: 'numeric' }, place);

/** `Mon`. */
export const weekdayText = (at: number, place: Place = {}): string => format(at, { weekday: 'short' }, place);

/** Date and time, to the second. */
export const exactText = (at: number, place: Place = {}): string =>
  format(at, { dateStyle: 'medium', timeStyle: 'medium' }, place);

const dayOf = (at: number, place: Place): string => format(at, { dateStyle: 'short' }, place);

function format(at: number, options: Intl.DateTimeFormatOptions, { locale, timeZone }: Place): string {
  const zoned = timeZone === undefined ? options : { ...options, timeZone };
  return new Intl.DateTimeFormat(locale ?? region(), zoned).format(at);
}
