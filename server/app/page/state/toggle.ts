/**
 * What the big toggle shows. It shows as the state only what the panel reported. An order is shown as an order, with whether
 * the panel can follow it now. Pure.
 */

import type { Link, Role } from './app.js';
import { WORDS } from './fault.js';
import { differs, type Panel, wantedOf } from './panel.js';

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
function deed(toggle: Toggle): [doing: string, word: string] {
  if (isAsWanted(toggle)) return ['Changing the mode…', 'change the mode'];
  return toggle.next ? ['Disarming…', 'disarm'] : ['Arming…', 'arm'];
}

/** The panel is armed or disarmed as wanted, though perhaps not in the wanted mode. */
const isAsWanted = ({ says, next }: Toggle): boolean => says === !next;

/** Says which order is under way; undefined when none is. */
export function wishText(toggle: Toggle): string | undefined {
  const { kind } = toggle;
  const [doing, word] = deed(toggle);
  switch (kind) {
    case 'settled':
      return undefined;
    case 'changing':
      return doing;
    case 'late':
      return `The panel is connected, but does not ${word}. Look after it.`;
    case 'waiting':
      return `Will ${word} when the panel is back.`;
    case 'unsure':
      return `Asked to ${word}. The answer waits for the connection.`;
  }
}

/** Says what a touch does. While an arming or a disarming is under way, a touch takes it back. */
export const actionText = (toggle: Toggle): string =>
  toggle.kind === 'settled' || isAsWanted(toggle) ? (toggle.next ? 'Arm' : 'Disarm') : 'Cancel';

/** Says why the toggle cannot be touched, with '' while the app connects; undefined when it can. */
export function obstacleText(link: Link, role: Role | undefined): string | undefined {
  if (link.kind === 'lost') return 'Nothing can be changed without the server.';
  if (link.kind === 'connecting') return '';
  return role === 'reader' ? WORDS['not-allowed'].what : undefined;
}
