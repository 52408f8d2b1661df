/** Reads what a panel says of itself. A file of its own, because the panel does not need it and has no room for it. */

import { isObject } from './document.js';
import type { AlarmStateName, ContactKind, CurrentDocument, LineFault, Mode } from './panel.js';

export const MODES: readonly Mode[] = ['away', 'home', 'night'];
/** What an order without a mode means. */
export const DEFAULT_MODE: Mode = 'away';
export const CONTACT_KINDS: readonly ContactKind[] = ['entry', 'instant', 'always', 'key'];

/** Whether this is what a panel says of itself. */
export function isCurrentDocument(value: unknown): value is CurrentDocument {
  const current = (value ?? {}) as Partial<CurrentDocument>;
  return (
    typeof current.alarm_armed === 'boolean' &&
    typeof current.siren_ringing === 'boolean' &&
    typeof current.door_open === 'boolean' &&
    (current.last_update === undefined || typeof current.last_update === 'string')
  );
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isTextOrAbsent = (value: unknown): boolean => value === undefined || isText(value);
const isOneOf = (list: readonly unknown[], value: unknown): boolean => list.includes(value);
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);

const STATES: readonly AlarmStateName[] = ['disarmed', 'arming', 'armed', 'pending', 'triggered'];
const FAULTS: readonly (LineFault | undefined)[] = [undefined, 'cut', 'shorted'];
const BYPASSED: readonly (boolean | undefined)[] = [undefined, true, false];

const isContact = (value: unknown): boolean =>
  isObject(value) &&
  typeof value.open === 'boolean' &&
  isOneOf(CONTACT_KINDS, value.kind) &&
  isOneOf(BYPASSED, value.bypassed) &&
  isOneOf(FAULTS, value.fault);

const OPTIONAL = {
  state: (value) => isOneOf(STATES, value),
  mode: (value) => isOneOf(MODES, value),
  until: isText,
  remaining: (value) => typeof value === 'number',
  contacts: (value) => isObject(value) && Object.values(value).every(isContact),
  last_alarm: (value) => isObject(value) && isTexts(value.contacts) && isTextOrAbsent(value.at),
  refused: (value) =>
    isObject(value) &&
    isText(value.reason) &&
    isTextOrAbsent(value.key) &&
    (value.contacts === undefined || isTexts(value.contacts)),
  handled: (value) => typeof value === 'number',
  fault: isText,
} satisfies Partial<Record<keyof CurrentDocument, (value: unknown) => boolean>>;

/** The document without the optional keys that have another form than the protocol says: the rest of it still counts. */
export function legible(current: CurrentDocument): CurrentDocument {
  const found = { ...current };
  for (const key of Object.keys(OPTIONAL) as (keyof typeof OPTIONAL)[]) {
    if (!OPTIONAL[key](found[key])) delete found[key];
  }
  return found;
}
