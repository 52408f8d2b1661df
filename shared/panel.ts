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

/** Other keys are allowed: the app may keep more in `desired` than this panel knows. */
export const isDesiredDocument = (value: unknown): value is DesiredDocument =>
  typeof (value as Partial<DesiredDocument> | null | undefined)?.alarm_armed === 'boolean' &&
  !Array.isArray(value);

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
