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

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;

/** @param given an RFC 3339 time */
export function timeOf(name: string, given: string): Date {
  const time = new Date(RFC_3339.test(given) ? given : '');
  if (Number.isNaN(time.getTime())) throw new InvalidRequest(name, 'format', 'not an RFC 3339 time');
  return time;
}

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
