/** What the app and the panel say to each other, in the two documents of the twin. */

export const DESIRED = 'desired';
export const CURRENT = 'current';

/** What the topics of the device's own twin begin with. */
export const OWN_TWIN = '$SCW/twins/me/';

/** Written by the app, read by the panel. */
export interface DesiredDocument {
  alarm_armed: boolean;
}

/** Written by the panel, read by the app. */
export interface CurrentDocument {
  /** RFC 3339, absent while the panel cannot tell the time. */
  last_update?: string;
  alarm_armed: boolean;
  siren_ringing: boolean;
  door_open: boolean;
  /** The alarm since the last arming: the contacts in the order in which they tripped, and when it began (RFC 3339). */
  last_alarm?: { contacts: string[]; at?: string };
  /** Why `desired` was not taken over: which of its keys is wrong, or which contacts stand in the way. */
  refused?: { reason: string; key?: string; contacts?: string[] };
  /** The version of `desired` that was refused; absent when there is no refusal or the version could not be read. */
  handled?: number;
  /** What the panel cannot do. */
  fault?: string;
}

/** Why the panel of this project refuses a `desired`, as `refused.reason` says it. Another panel may have other reasons. */
export type RefusalReason =
  | 'too long'
  | 'not a JSON object'
  | 'bad version'
  | 'not a boolean'
  | 'older than what was seen before'
  | 'flash takes no writes'
  | 'armed too often';

/** What a panel cannot do, as `fault` says it. Another panel may have other faults. */
export type PanelFault = 'flash' | 'clock' | 'memory';

/** Other keys are allowed: the app may keep more in `desired` than this panel knows. */
export const isDesiredDocument = (value: unknown): value is DesiredDocument =>
  typeof (value as Partial<DesiredDocument> | null | undefined)?.alarm_armed === 'boolean' &&
  !Array.isArray(value);
