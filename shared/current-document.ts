import { isObject } from './document.js';
import type { CurrentDocument } from './panel.js';

/** Whether this is what a panel says of itself. */
export function isCurrentDocument(value: unknown): value is CurrentDocument {
  return (
    isObject(value) &&
    typeof value.alarm_armed === 'boolean' &&
    typeof value.siren_ringing === 'boolean' &&
    typeof value.door_open === 'boolean' &&
    (value.last_update === undefined || typeof value.last_update === 'string')
  );
}
