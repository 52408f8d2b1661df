/** Times in words. All in milliseconds. Pure. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Language and time zone; by default those of the phone. */
export interface Place {
  readonly locale?: string;
  readonly timeZone?: string;
}

/** `12 s ago`. A time in the future, by a clock that is a little wrong, is `just now`. */
export function agoText(at: number, now: number): string {
  const passed = Math.max(0, now - at);
  return passed < 2 * SECOND ? 'just now' : `${durationText(passed)} ago`;
}

/** `12 s`, `3 min`, `2 h 5 min`, `4 days`. */
export function durationText(duration: number): string {
  if (duration < MINUTE) return `${Math.floor(duration / SECOND)} s`;
  if (duration < HOUR) return `${Math.floor(duration / MINUTE)} min`;
  if (duration >= 2 * DAY) return `${Math.floor(duration / DAY)} days`;
  const minutes = Math.floor((duration % HOUR) / MINUTE);
  return `${Math.floor(duration / HOUR)} h${minutes === 0 ? '' : ` ${minutes} min`}`;
}

/** `14:05`, or with the day when that is not today: `yesterday, 14:05`. */
export function clockText(at: number, now: number, place: Place = {}): string {
  const time = format(at, { hour: '2-digit', minute: '2-digit' }, place);
  return dayText(at, now, place) === 'today' ? time : `${dayText(at, now, place)}, ${time}`;
}

/** `today`, `yesterday`, `Mon 3 Mar`. */
export function dayText(at: number, now: number, place: Place = {}): string {
  const day = dayOf(at, place);
  if (day === dayOf(now, place)) return 'today';
  if (day === dayOf(now - DAY, place)) return 'yesterday';
  return format(at, { weekday: 'short', day: 'numeric', month: 'short' }, place);
}

/** `14`, or `2 PM`. */
export const hourText = (at: number, place: Place = {}): string => format(at, { hour: 'numeric' }, place);

/** `Mon`. */
export const weekdayText = (at: number, place: Place = {}): string => format(at, { weekday: 'short' }, place);

/** Date and time, to the second. */
export const exactText = (at: number, place: Place = {}): string =>
  format(at, { dateStyle: 'medium', timeStyle: 'medium' }, place);

const dayOf = (at: number, place: Place): string => format(at, { dateStyle: 'short' }, place);

function format(at: number, options: Intl.DateTimeFormatOptions, { locale, timeZone }: Place): string {
  return new Intl.DateTimeFormat(locale, timeZone === undefined ? options : { ...options, timeZone }).format(
    at,
  );
}
