/** Alerts, mutes and deliveries as the server lists them, in words. Pure. */

import type { PushKind } from './push.js';
import { clockText, type Place } from './time-text.js';

/** Times are RFC 3339. */
export interface Alert {
  readonly id: string;
  /** Null for an alert of the server itself. */
  readonly panel_id: string | null;
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
  const seen =
    alert.acknowledged_at === null
      ? ''
      : ` Acknowledged by ${alert.acknowledged_by ?? '?'}, ${at(alert.acknowledged_at)}.`;
  if (alert.resolved_at === null) return `Since ${at(alert.raised_at)}.${seen || ' Not acknowledged.'}`;
  if (alert.resolved_at === alert.raised_at) return `At ${at(alert.raised_at)}.${seen}`;
  return `From ${at(alert.raised_at)} to ${at(alert.resolved_at)}.${seen}`;
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
  `Muted until ${clockText(Date.parse(until), now, place)} by ${by}.`;

/** `delivered, 14:05`, or why not. */
export function deliveryText(
  { status, attempts, at, reason }: Delivery,
  now: number,
  place: Place = {},
): string {
  const time = clockText(Date.parse(at), now, place);
  if (status === 'delivered') return `delivered, ${time}`;
  if (status === 'failed') return `not delivered, ${time}: ${reason}`;
  if (reason === null) return 'on its way';
  return `tried ${attempts === 1 ? 'once' : `${attempts} times`}: ${reason}`;
}

/** How many of the last deliveries are shown. */
export const SHOWN_DELIVERIES = 10;
