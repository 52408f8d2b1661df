/** What the phone app and the panel say to each other in the twin's two documents. */

export const DESIRED = 'desired';
export const CURRENT = 'current';

/** Written by the app, read by the panel. */
export interface DesiredDocument {
  alarm_armed: boolean;
}

/** Written by the panel, read by the app. `last_update` is RFC 3339, absent while the panel cannot tell the time. */
export interface CurrentDocument {
  last_update?: string;
  alarm_armed: boolean;
  siren_ringing: boolean;
  door_open: boolean;
}

type Unknown<T> = { [K in keyof T]?: unknown };

/** Other keys are allowed: the app may keep more in `desired` than this panel knows. */
export function isDesiredDocument(value: unknown): value is DesiredDocument {
  return isRecord<DesiredDocument>(value) && typeof value.alarm_armed === 'boolean';
}

export function isCurrentDocument(value: unknown): value is CurrentDocument {
  return (
    isRecord<CurrentDocument>(value) &&
    typeof value.alarm_armed === 'boolean' &&
    typeof value.siren_ringing === 'boolean' &&
    typeof value.door_open === 'boolean' &&
    (value.last_update === undefined || typeof value.last_update === 'string')
  );
}

function isRecord<T>(value: unknown): value is Unknown<T> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
