/** Alerts, mutes and deliveries as the server lists them, in words. */

import { plainText } from '../../../../shared/plain-text.js';
import { faultText } from './problems.js';
import type { PushKind } from './push.js';
import { say } from './say.js';
import { clockText, type Place } from './time-text.js';

/** Times are RFC 3339. */
export interface Alert {
  readonly id: string;
  /** Null for an alert of the server itself. */
  readonly panel_id: string | null;
  readonly kind: string;
  /** The name of the panel, or '' for the server. */
  readonly panel: string;
  /** What it is about, such as the name of a contact; '' where the kind says it all. */
  readonly subject: string;
  /** In the words of the server, for a kind that this version of the app does not know. */
  readonly title: string;
  readonly state: 'raised' | 'acknowledged' | 'resolved';
  readonly raised_at: string;
  readonly acknowledged_at: string | null;
  readonly acknowledged_by: string | null;
  readonly resolved_at: string | null;
}

export interface Mute {
  readonly panel_id: string;
  readonly until: string;
  /** The description of the token, or its role. */
  readonly by: string;
}

/** A message on its way to one phone or to another channel. */
export interface Delivery {
  readonly id: string;
  readonly channel: string;
  readonly kind: string;
  readonly panel: string;
  readonly subject: string;
  readonly telling: string;
  /** Of how many alerts it tells. */
  readonly count: number;
  readonly title: string;
  readonly status: 'waiting' | 'delivered' | 'failed';
  readonly attempts: number;
  readonly at: string;
  readonly reason: string | null;
}

/** What this phone knows of alerts and of how they reach it. */
export interface Notices {
  /** Newest first; undefined before the server has said them. */
  readonly alerts: readonly Alert[] | undefined;
  readonly mutes: readonly Mute[];
  /** Newest first; only an owner sees them. */
  readonly deliveries: readonly Delivery[];
  readonly push: PushKind;
  /** A change of `push`, or a test, is under way. */
  readonly isBusy: boolean;
  /** What became of the last press. */
  readonly outcome: string;
}

export const NO_NOTICES: Notices = {
  alerts: undefined,
  mutes: [],
  deliveries: [],
  push: 'unknown',
  isBusy: false,
  outcome: '',
};

/** What became of an alert: `Since 14:05. Not acknowledged.` */
export function lifeText(alert: Alert, now: number, place: Place = {}): string {
  const at = (time: string): string => clockText(Date.parse(time), now, place);
  const { raised_at, acknowledged_at, acknowledged_by, resolved_at } = alert;
  const seen =
    acknowledged_at === null
      ? ''
      : say('alerts.acknowledged', { who: acknowledged_by ?? '?', time: at(acknowledged_at) });
  const from = at(raised_at);
  const text =
    resolved_at === null
      ? say('alerts.since', { time: from, seen: seen || say('alerts.not-acknowledged') })
      : resolved_at === raised_at
        ? say('alerts.at', { time: from, seen })
        : say('alerts.from-to', { from, to: at(resolved_at), seen });
  return text.trim();
}

type Subject = Pick<Alert, 'kind' | 'panel' | 'subject' | 'title'>;

/** The kinds of alert, each with its text; with another one where it is known what it is about. */
const TITLES = {
  triggered: (panel, subject) =>
    subject === '' ? say('alert.triggered', { panel }) : say('alert.triggered.what', { panel, subject }),
  unreachable: (panel) => say('alert.unreachable', { panel }),
  door_open: (panel) => say('alert.door_open', { panel }),
  fault: (panel, subject) => {
    const what = faultText(subject);
    return what === undefined
      ? say('alert.fault', { panel, subject })
      : say('alert.fault.known', { panel, what });
  },
  armed: (panel, subject) =>
    subject === '' ? say('alert.armed', { panel }) : say('alert.armed.what', { panel, subject }),
  disarmed: (panel, subject) =>
    subject === '' ? say('alert.disarmed', { panel }) : say('alert.disarmed.what', { panel, subject }),
  // The server writes `a panel was` or `3 panels were`.
  restarted: (_, subject) => say('alert.restarted', { count: Number.parseInt(subject, 10) || 1 }),
  storage: () => say('alert.storage'),
} satisfies Record<string, (panel: string, subject: string) => string>;

/** What an alert is, in one line. */
export function titleOf({ kind, panel, subject, title }: Subject): string {
  const known = Object.hasOwn(TITLES, kind) ? TITLES[kind as keyof typeof TITLES] : undefined;
  return known === undefined ? plainText(title) : known(panel, subject);
}

/** What a message tells, in one line. */
export function messageTitle(message: Subject & Pick<Delivery, 'telling' | 'count'>): string {
  const { telling, count } = message;
  const alert = count > 1 ? say('alert.unreachable.many', { count }) : titleOf(message);
  if (telling === 'resolved') return say('notice.over', { alert });
  return telling === 'test' ? say('notice.test', { alert }) : alert;
}

/** Whether a person may press a button here. */
export const mayAct = (role: string | undefined): boolean => role === 'owner' || role === 'app';

export const isWaiting = ({ state }: Alert): boolean => state === 'raised';

/** The list with the alert as it is now. */
export const withAlert = (alerts: readonly Alert[] | undefined, alert: Alert): readonly Alert[] =>
  (alerts ?? []).map((each) => (each.id === alert.id ? { ...each, ...alert } : each));

/** The mute of a panel that holds at a time. */
export const muteOf = (mutes: readonly Mute[], panelId: string, now: number): Mute | undefined =>
  mutes.find(({ panel_id, until }) => panel_id === panelId && Date.parse(until) > now);

export const mutedText = ({ until, by }: Mute, now: number, place: Place = {}): string =>
  say('mute.until', { time: clockText(Date.parse(until), now, place), who: by });

/** `delivered, 14:05`, or why not. */
export function deliveryText(
  { status, attempts, at, reason }: Delivery,
  now: number,
  place: Place = {},
): string {
  const time = clockText(Date.parse(at), now, place);
  if (status === 'delivered') return say('delivery.delivered', { time });
  if (status === 'failed') return say('delivery.failed', { time, reason: reason ?? '?' });
  if (reason === null) return say('delivery.waiting');
  return say('delivery.tried', { attempts, reason });
}

/** How many of the last deliveries are shown. */
export const SHOWN_DELIVERIES = 10;
