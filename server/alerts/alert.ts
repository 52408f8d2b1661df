/** What an alert is: its kinds, its life, and how it is sent. */

export type Kind =
  | 'triggered'
  | 'unreachable'
  | 'door_open'
  | 'fault'
  | 'armed'
  | 'disarmed'
  | 'restarted'
  | 'storage';

/** How loud it is: `critical` is repeated until a person acknowledges it, `quiet` makes no sound. */
export type Urgency = 'critical' | 'high' | 'quiet';

interface KindRow {
  readonly urgency: Urgency;
  /** Whether the owner gets it without asking for it. */
  readonly isOn: boolean;
  /** For how long a push service keeps it for a phone that is off, in seconds. */
  readonly ttlSeconds: number;
}

const HOUR = 3600;

export const KINDS: Readonly<Record<Kind, KindRow>> = {
  triggered: { urgency: 'critical', isOn: true, ttlSeconds: HOUR },
  unreachable: { urgency: 'high', isOn: true, ttlSeconds: HOUR },
  door_open: { urgency: 'high', isOn: false, ttlSeconds: HOUR },
  fault: { urgency: 'high', isOn: true, ttlSeconds: 12 * HOUR },
  armed: { urgency: 'quiet', isOn: false, ttlSeconds: HOUR / 2 },
  disarmed: { urgency: 'quiet', isOn: false, ttlSeconds: HOUR / 2 },
  restarted: { urgency: 'high', isOn: true, ttlSeconds: HOUR },
  storage: { urgency: 'high', isOn: true, ttlSeconds: HOUR },
};

/** Something that is so, and that a person must know. The same thing has the same key as long as it is so. */
export interface Condition {
  readonly kind: Kind;
  /** What it is about: the name of a contact, a fault, the writer of an order; '' where the kind says it all. */
  readonly subject: string;
  /** Since when, in milliseconds since 1970. */
  readonly since: number;
  /** A contact that counts day and night. It is never muted. */
  readonly isLifeSafety?: boolean;
}

/** An alert as it is stored and shown. Times are RFC 3339. */
export interface Alert {
  readonly id: string;
  readonly kind: Kind;
  /** Null for an alert of the server itself. */
  readonly panel_id: string | null;
  /** The panel's name when it was raised; '' for the server. */
  readonly panel: string;
  readonly subject: string;
  readonly state: 'raised' | 'acknowledged' | 'resolved';
  readonly raised_at: string;
  readonly acknowledged_at: string | null;
  /** The description of the token that acknowledged it, or its role. */
  readonly acknowledged_by: string | null;
  readonly resolved_at: string | null;
  /** How often the same thing was raised in the hour before. */
  readonly flaps: number;
  readonly is_life_safety: boolean;
  /** Where it was sent, as `<channel>.<target>`. */
  readonly recipients: readonly string[];
  /** How often it was sent so far. */
  readonly told: number;
  /** When it is sent next; null when there is nothing more to tell. */
  readonly tell_at: string | null;
}

/** What tells one open alert from another one. */
export const keyOf = (
  { kind, subject }: Pick<Condition, 'kind' | 'subject'>,
  panelId: string | null,
): string => `${panelId ?? ''} ${kind} ${subject}`;

/** What is sent of an alert: that it began, that it goes on, or that it is over. */
export type Telling = 'raised' | 'repeated' | 'resolved' | 'test';

const HEADS: Readonly<Record<Kind, (alert: Alert) => string>> = {
  triggered: ({ panel, subject }) => `Alarm: ${panel}${subject === '' ? '' : `, ${subject}`}`,
  unreachable: ({ panel }) => `No contact with ${panel}, which is armed`,
  door_open: ({ panel }) => `${panel}: the door is still open`,
  fault: ({ panel, subject }) => `${panel}: fault ${subject}`,
  armed: ({ panel, subject }) => `${panel} was armed${subject === '' ? '' : ` by ${subject}`}`,
  disarmed: ({ panel, subject }) => `${panel} was disarmed${subject === '' ? '' : ` by ${subject}`}`,
  restarted: ({ subject }) => `The alarm server has restarted while ${subject} armed`,
  storage: () => 'The alarm server cannot write to its disk',
};

/** The title of a message, in one line. */
export function titleOf(alert: Alert, telling: Telling): string {
  const head = HEADS[alert.kind](alert);
  if (telling === 'resolved') return `Over: ${head}`;
  return telling === 'test' ? `Test: ${head}` : head;
}

/** The text below the title. */
export function textOf(alert: Alert, telling: Telling): string {
  if (telling === 'test') return 'This is a test. Nothing has happened.';
  const [began, ended] = [clockText(alert.raised_at), clockText(alert.resolved_at ?? '')];
  if (telling === 'resolved') return `It lasted from ${began} to ${ended}.`;
  const times = alert.flaps === 1 ? 'once' : `${alert.flaps} times`;
  const flaps = alert.flaps === 0 ? '' : ` It also happened ${times} in the hour before.`;
  if (telling === 'repeated') return `It goes on, and is not acknowledged. It began at ${began}.${flaps}`;
  return `It ${ended === '' ? 'began' : 'happened'} at ${began}.${flaps}`;
}

/** An RFC 3339 time in UTC as people read it, to the second; empty for none. */
const clockText = (time: string): string => time.replace(/^(.{10})T(.{8}).*$/, '$1 $2 UTC');
