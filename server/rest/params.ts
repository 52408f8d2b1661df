/** Parameters of queries and fields of bodies, parsed where they come in. All throw InvalidRequest. */

import type { JsonObject } from '../../shared/document.js';
import { InvalidRequest } from '../twins/errors.js';
import type { Call } from './call.js';

export function intQuery(call: Call, name: string, fallback: number, least: number, most: number): number {
  const given = call.query(name);
  if (given === undefined) return fallback;
  const number = Number(given);
  if (!/^-?\d+$/.test(given)) throw new InvalidRequest(name, 'format', 'not an integer');
  if (number < least || number > most) {
    throw new InvalidRequest(name, 'constraint', `not from ${least} to ${most}`);
  }
  return number;
}

const PAGE_SIZE = 20;
const LARGEST_PAGE = 100;

/** Which page of a list is asked for, from 1, and how many entries it has. */
export const pageOf = (call: Call): { number: number; size: number } => ({
  number: intQuery(call, 'page', 1, 1, Number.MAX_SAFE_INTEGER),
  size: intQuery(call, 'page_size', PAGE_SIZE, 1, LARGEST_PAGE),
});

const RFC_3339 =
  /^(\d{4}-(?:0[1-9]|1[0-2])-(\d\d))T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i;
/** A `+` that was not encoded becomes this in a query. */
const SPACE_FOR_PLUS = /T.* \d\d:\d\d$/i;

/** @param given an RFC 3339 time of the years 0 to 9999, without leap seconds */
export function timeOf(name: string, given: string): Date {
  const [, date, day] = RFC_3339.exec(given) ?? [];
  const time = new Date(day === undefined ? '' : given);
  // JavaScript takes 30 February for 2 March, and an offset may lead out of the years that are written with four digits.
  const isOfCalendar = day !== undefined && new Date(`${date}T00:00Z`).getUTCDate() === Number(day);
  if (isOfCalendar && /^\d{4}-/.test(isoOf(time))) return time;
  const help = SPACE_FOR_PLUS.test(given)
    ? 'not an RFC 3339 time: a + in a query must be written as %2B'
    : 'not an RFC 3339 time';
  throw new InvalidRequest(name, 'format', help);
}

const isoOf = (time: Date): string => (Number.isNaN(time.getTime()) ? '' : time.toISOString());

export function oneOfQuery<T extends string>(call: Call, name: string, words: readonly T[]): T | undefined {
  const given = call.query(name);
  return given === undefined ? undefined : oneOf(name, given, words);
}

export function oneOf<T extends string>(name: string, given: unknown, words: readonly T[]): T {
  const word = words.find((each) => each === given);
  if (word === undefined) throw new InvalidRequest(name, 'constraint', `not one of ${words.join(', ')}`);
  return word;
}

const TYPES = { text: 'string', flag: 'boolean' } as const;

/** A field of a body, or undefined where it is absent or null. */
export function field(body: JsonObject, name: string, type: 'text'): string | undefined;
export function field(body: JsonObject, name: string, type: 'flag'): boolean | undefined;
export function field(body: JsonObject, name: string, type: keyof typeof TYPES): unknown {
  const value = Object.hasOwn(body, name) ? body[name] : undefined;
  if (value === undefined || value === null) return undefined;
  if (typeof value !== TYPES[type]) throw new InvalidRequest(name, 'format', `not a ${TYPES[type]}`);
  return value;
}

/** An RFC 3339 time of a body, or undefined where it is absent or null. */
export function timeField(body: JsonObject, name: string): Date | undefined {
  const given = field(body, name, 'text');
  return given === undefined ? undefined : timeOf(name, given);
}

export const DESCRIPTION_LENGTH = 4096;

/** A text of a body, of at most so many UTF-16 units, or undefined where it is absent or null. */
export function boundedText(body: JsonObject, name: string, most: number): string | undefined {
  const value = field(body, name, 'text');
  if (value !== undefined && value.length > most) {
    throw new InvalidRequest(name, 'constraint', `longer than ${most} characters`);
  }
  return value;
}
