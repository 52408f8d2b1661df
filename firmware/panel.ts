/** The alarm's rules: what the siren does, from the levels of the armed flag and the door and from the time. Pure. */

import type { PanelConfig } from './config.js';

export interface PanelState {
  readonly armed: boolean;
  readonly doorOpen: boolean;
  readonly sirenRinging: boolean;
  /** When the siren stops by itself, in ticks; undefined: never. */
  readonly cutOffAt: number | undefined;
}

export type PanelRules = Pick<PanelConfig, 'sirenMode' | 'sirenCutOff'>;

/** Before anything is known. */
export const UNKNOWN: PanelState = {
  armed: false,
  doorOpen: false,
  sirenRinging: false,
  cutOffAt: undefined,
};

/**
 * The state that follows when the flag and the door have these levels at the moment `now`, in ticks; the same object
 * when nothing changes. To be asked at every change of a level and when `cutOffAt` has come.
 */
export function nextState(
  state: PanelState,
  armed: boolean,
  doorOpen: boolean,
  now: number,
  rules: PanelRules,
): PanelState {
  const sirenRinging = rings(state, armed, doorOpen, now, rules);
  if (armed === state.armed && doorOpen === state.doorOpen && sirenRinging === state.sirenRinging)
    return state;
  return { armed, doorOpen, sirenRinging, cutOffAt: cutOffOf(state, sirenRinging, now, rules) };
}

function rings(
  state: PanelState,
  armed: boolean,
  doorOpen: boolean,
  now: number,
  rules: PanelRules,
): boolean {
  if (!armed) return false;
  if (rules.sirenMode === 'follow') return doorOpen;
  if (state.sirenRinging) return state.cutOffAt === undefined || now < state.cutOffAt;
  const justArmed = !state.armed;
  const justOpened = !state.doorOpen;
  return doorOpen && (justArmed || justOpened);
}

/** A door that opens again while the siren rings does not make it ring longer. */
function cutOffOf(
  state: PanelState,
  ringing: boolean,
  now: number,
  { sirenMode, sirenCutOff }: PanelRules,
): number | undefined {
  if (!ringing || sirenMode === 'follow' || sirenCutOff === 0) return undefined;
  return state.sirenRinging ? state.cutOffAt : now + sirenCutOff;
}
