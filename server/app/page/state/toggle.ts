/**
 * What the big toggle shows. It never says what the panel has not said: a wish is shown as a wish, and whether the panel
 * can follow it now. Pure.
 */

import type { Link, Role } from './app.js';
import { WORDS } from './fault.js';
import { differs, type Panel, wantedOf } from './panel.js';

/** How long a reachable panel may take to follow before that is said, in milliseconds. */
export const PATIENCE_MS = 10_000;

export interface Toggle {
  /**
   * `settled`: as it is wanted; `changing`: it was told and is about to follow; `late`: it was told long ago;
   * `waiting`: it will be told when it is back; `unsure`: nobody can say from here.
   */
  readonly kind: 'settled' | 'changing' | 'late' | 'waiting' | 'unsure';
  /** What the panel last said; undefined: nothing yet. */
  readonly says: boolean | undefined;
  /** What a touch asks for. */
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

/** What is on its way, for a person; undefined when nothing is. */
export function wishText({ kind, next }: Toggle): string | undefined {
  const [doing, word] = next ? ['Disarming…', 'disarm'] : ['Arming…', 'arm'];
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

/** What a touch does: while a wish is on its way, it takes that back. */
export const actionText = ({ kind, next }: Toggle): string =>
  kind === 'settled' ? (next ? 'Arm' : 'Disarm') : 'Cancel';

/** Why the toggle cannot be touched, for a person, or '' for a moment; undefined: it can. */
export function obstacleText(link: Link, role: Role | undefined): string | undefined {
  if (link.kind === 'lost') return 'Nothing can be changed without the server.';
  if (link.kind === 'connecting') return '';
  return role === 'reader' ? WORDS['not-allowed'].what : undefined;
}
