/** What the app and the panel say to each other, in the two documents of the twin. */

export const DESIRED = 'desired';
export const CURRENT = 'current';

/** What the topics of the device's own twin begin with. */
export const OWN_TWIN = '$SCW/twins/me/';

/** The states of the alarm, in Home Assistant's words. */
export type AlarmStateName = 'disarmed' | 'arming' | 'armed' | 'pending' | 'triggered';
export type Mode = 'away' | 'home' | 'night';
/** `always` counts armed or not; `key` is a key switch that arms and disarms. */
export type ContactKind = 'entry' | 'instant' | 'always' | 'key';
/** What is wrong with the line to a contact. */
export type LineFault = 'cut' | 'shorted';

/** Written by the app, and by the panel after a key switch was used; read by the panel. */
export interface DesiredDocument {
  alarm_armed: boolean;
  /** `away` by default. */
  mode?: Mode;
  /** Seconds, 0 to 300; 0 by default. EN 50131-1 wants an entry delay of at most 45. */
  exit_delay?: number;
  entry_delay?: number;
  /** Names of contacts that are left out for this armed period. */
  bypass?: string[];
  /** Up to 64 characters. A new one marks a new act. */
  request?: string;
}

/** A contact as `current` shows it. */
export type ContactReport = {
  open: boolean;
  kind: ContactKind;
  bypassed?: boolean;
  fault?: LineFault;
};

/** Written by the panel, read by the app. */
export interface CurrentDocument {
  /** RFC 3339, absent while the panel cannot tell the time. */
  last_update?: string;
  alarm_armed: boolean;
  siren_ringing: boolean;
  door_open: boolean;
  /** The next keys are absent from a panel with one contact and no delays. */
  state?: AlarmStateName;
  mode?: Mode;
  /** When the delay under way ends, or the siren while it rings (RFC 3339), or after how many seconds, if the panel cannot tell the time. */
  until?: string;
  remaining?: number;
  contacts?: { [name: string]: ContactReport };
  /** The alarm since the last arming: the contacts in the order in which they tripped, and when it began (RFC 3339). */
  last_alarm?: { contacts: string[]; at?: string };
  /** Why `desired` was not taken over: which of its keys is wrong, or which contacts stand in the way. */
  refused?: { reason: string; key?: string; contacts?: string[] };
  /**
   * The version of `desired` that was handled last, or refused. A panel with one contact and no delays says it only with a
   * refusal.
   */
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
  | 'armed too often'
  | 'a contact is open'
  | 'not during an alarm'
  | 'not while armed'
  | 'not a valid value';

/** What a panel cannot do, as `fault` says it. Another panel may have other faults. */
export type PanelFault = 'flash' | 'clock' | 'memory';

/** Other keys are allowed: the app may keep more in `desired` than this panel knows. */
export const isDesiredDocument = (value: unknown): value is DesiredDocument =>
  typeof (value as Partial<DesiredDocument> | null | undefined)?.alarm_armed === 'boolean' &&
  !Array.isArray(value);
