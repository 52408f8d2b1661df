/** The life of an alert: raised, told again and again, acknowledged, resolved. Pure; times in milliseconds since 1970. */

import { type Alert, type Condition, KINDS, keyOf, type Telling } from './alert.js';

export const ESCALATION = {
  /** Between two tellings of a critical alert that has not been acknowledged. */
  repeatMs: 60_000,
  /** So often it is sent again to one group of channels, before it goes to the next one as well. */
  repeats: 10,
  /** After so long an acknowledged critical alert that is still open is sent again. */
  remindMs: 3_600_000,
  /** For so long an alert counts when the same thing is raised again. */
  flapMs: 3_600_000,
};

export interface PanelName {
  /** Null for the server itself. */
  readonly id: string | null;
  readonly name: string;
}

const time = (at: number): string => new Date(at).toISOString();

/**
 * The alerts of a panel that change when these conditions hold and no others.
 * @param known the panel's alerts, open and past
 * @param mutedUntil until when the panel's alerts are not told; undefined when they are
 */
export function reconciled(
  known: readonly Alert[],
  conditions: readonly Condition[],
  panel: PanelName,
  now: number,
  mutedUntil: number | undefined,
  newId: () => string,
): Alert[] {
  const open = new Map(known.filter(isOpen).map((alert) => [keyOf(alert, panel.id), alert]));
  const changed: Alert[] = [];
  for (const condition of conditions) {
    const key = keyOf(condition, panel.id);
    if (!open.delete(key)) changed.push(raised(known, condition, panel, now, mutedUntil, newId()));
  }
  for (const alert of open.values()) changed.push(resolved(alert, now, mutedUntil));
  return changed;
}

export const isOpen = ({ state }: Alert): boolean => state !== 'resolved';

function raised(
  known: readonly Alert[],
  condition: Condition,
  panel: PanelName,
  now: number,
  mutedUntil: number | undefined,
  id: string,
): Alert {
  const { kind, subject, since, isLifeSafety = false } = condition;
  const key = keyOf(condition, panel.id);
  const recent = time(now - ESCALATION.flapMs);
  const flaps = known.filter((alert) => keyOf(alert, panel.id) === key && alert.raised_at >= recent).length;
  return {
    id,
    kind,
    panel_id: panel.id,
    panel: panel.name,
    subject,
    state: 'raised',
    raised_at: time(Math.min(since, now)),
    acknowledged_at: null,
    acknowledged_by: null,
    resolved_at: null,
    flaps,
    is_life_safety: isLifeSafety,
    recipients: [],
    told: 0,
    tell_at: time(isLifeSafety ? now : (mutedUntil ?? now)),
  };
}

/** An alert of something that happens and is over at once. */
export function happened(
  condition: Condition,
  panel: PanelName,
  now: number,
  mutedUntil: number | undefined,
  id: string,
): Alert {
  const alert = raised([], condition, panel, now, mutedUntil, id);
  return { ...alert, state: 'resolved', resolved_at: alert.raised_at };
}

/**
 * What began and ended while it was muted is never told. An alarm that was due and ends before it could be sent, as when
 * the server that leads is killed, goes out as one that has happened.
 */
export function resolved(alert: Alert, now: number, mutedUntil: number | undefined): Alert {
  const end = { ...alert, state: 'resolved' as const, resolved_at: time(now) };
  const tellAt = time(alert.is_life_safety ? now : (mutedUntil ?? now));
  if (alert.told > 0) return { ...end, tell_at: tellAt };
  const isDue = alert.tell_at !== null && alert.tell_at <= time(now) && tellAt === time(now);
  return { ...end, tell_at: isCritical(alert) && isDue ? tellAt : null };
}

/** An alert that is acknowledged or over stays as it is. */
export function acknowledged(alert: Alert, by: string, now: number): Alert {
  if (alert.state !== 'raised') return alert;
  const remind = isCritical(alert) ? time(now + ESCALATION.remindMs) : null;
  return {
    ...alert,
    state: 'acknowledged',
    acknowledged_at: time(now),
    acknowledged_by: by,
    tell_at: remind,
  };
}

const isCritical = ({ kind }: Alert): boolean => KINDS[kind].urgency === 'critical';

/** What its next telling says. */
export function tellingOf({ told, state }: Alert): Telling {
  if (told === 0) return 'raised';
  return state === 'resolved' ? 'resolved' : 'repeated';
}

/** The highest group of channels that its next telling goes to, from 1. */
export const groupOf = ({ told }: Alert): number => 1 + Math.floor(told / (ESCALATION.repeats + 1));

/** A critical alert as it goes to the next group of channels now; the same alert when there is no further group. */
export function inNextGroup(alert: Alert, now: number, groups: number): Alert {
  const group = groupOf({ ...alert, told: Math.max(0, alert.told - 1) });
  if (alert.state !== 'raised' || !isCritical(alert) || group >= groups) return alert;
  return { ...alert, told: group * (ESCALATION.repeats + 1), tell_at: time(now) };
}

/**
 * The alert after a telling. A reminder makes an acknowledged alert a raised one, which is repeated again.
 * @param groups how many groups of channels there are
 * @param recipients where it was sent
 */
export function afterTelling(
  alert: Alert,
  now: number,
  groups: number,
  recipients: readonly string[],
): Alert {
  const told = alert.told + 1;
  const all = [...new Set([...alert.recipients, ...recipients])];
  const next = {
    ...alert,
    told,
    recipients: all,
    state: alert.state === 'acknowledged' ? ('raised' as const) : alert.state,
  };
  const goesOn = isOpen(alert) && isCritical(alert) && groupOf(next) <= groups;
  return { ...next, tell_at: goesOn ? time(now + ESCALATION.repeatMs) : null };
}

/**
 * The latest state of an alert after a telling that was begun with an earlier one. What a person or another server has
 * decided meanwhile stays.
 */
export function afterTellingOf(
  told: Alert,
  latest: Alert,
  now: number,
  groups: number,
  recipients: readonly string[],
): Alert {
  if (latest.told === told.told && latest.state === told.state && latest.tell_at === told.tell_at)
    return afterTelling(latest, now, groups, recipients);
  const all = [...new Set([...latest.recipients, ...recipients])];
  return { ...latest, told: Math.max(latest.told, told.told + 1), recipients: all };
}
