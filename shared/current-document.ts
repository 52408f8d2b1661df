/** A file of its own, because the panel does not need this check and has no room for it. */

import type { CurrentDocument } from './panel.js';

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
