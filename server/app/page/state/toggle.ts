/**
 * What the big toggle shows. It shows as the state only what the panel reported. An order is shown as an order, with whether
 * the panel can follow it now.
 */

import type { AppState, Link } from './app.js';
import { wordsOf } from './fault.js';
import { differs, type Panel, wantedOf } from './panel.js';
import { say } from './say.js';

/** The app says so when a connected panel has not followed an order for this long, in milliseconds. */
export const PATIENCE_MS = 10_000;

export interface Toggle {
  /**
   * `settled`: the panel is as ordered; `changing`: it has just got the order; `late`: it got the order long ago;
   * `waiting`: it gets the order when it is back; `unsure`: the server is away, so it is not known.
   */
  readonly kind: 'settled' | 'changing' | 'late' | 'waiting' | 'unsure';
  /** Whether the panel last reported that it is armed; undefined before its first report. */
  readonly says: boolean | undefined;
  /** What a touch orders. */
  readonly next: boolean;
}

export function toggleOf(panel: Panel, link: Link, now: number): Toggle {
  const says = panel.current?.data.alarm_armed;
  const next = !(wantedOf(panel) ?? says ?? false);
  return { kind: kindOf(panel, link, now), says, next };
}

function kindOf(panel: Panel, link: Link, now: number): Toggle['kind'] {
  if (!differs(panel)) return 'settled';
  if (link.kind !== 'live') return 'unsure';
  if (!panel.presence.isConnected) return 'waiting';
  return now - (panel.differsSince ?? now) >= PATIENCE_MS ? 'late' : 'changing';
}

/** What the panel is asked to do while an order is under way. */
const deedOf = (toggle: Toggle): 'mode' | 'disarm' | 'arm' =>
  isAsWanted(toggle) ? 'mode' : toggle.next ? 'disarm' : 'arm';

/** The panel is armed or disarmed as wanted, though perhaps not in the wanted mode. */
const isAsWanted = ({ says, next }: Toggle): boolean => says === !next;

/** Says which order is under way; undefined when none is. */
export const wishText = (toggle: Toggle): string | undefined =>
  toggle.kind === 'settled' ? undefined : say(`wish.${deedOf(toggle)}.${toggle.kind}`);

/** Says what a touch does. While an arming or a disarming is under way, a touch takes it back. */
export const actionText = (toggle: Toggle): string =>
  say(toggle.kind !== 'settled' && !isAsWanted(toggle) ? 'cancel' : toggle.next ? 'arm' : 'disarm');

/**
 * Says why the toggle cannot be touched, with '' while the app connects; undefined when it can. A press on "Disarm" is kept
 * while the server is away, see `kept-orders.ts`.
 */
export function obstacleText(
  { link, role, isListed }: Pick<AppState, 'link' | 'role' | 'isListed'>,
  next: boolean,
): string | undefined {
  if (role === 'reader') return wordsOf('not-allowed').what;
  if (!next) return undefined;
  if (link.kind === 'lost') return say('obstacle.lost');
  return link.kind === 'live' || isListed ? undefined : '';
}
