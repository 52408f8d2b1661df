/** The alarm's rules: what the siren does, given the armed flag, the door and the time. Pure. */

import type { PanelConfig } from './config.js';

export interface AlarmState {
  readonly armed: boolean;
  readonly doorOpen: boolean;
  readonly sirenRinging: boolean;
  /** When the siren stops by itself, in ticks; undefined: never. */
  readonly cutOffAt: number | undefined;
}

export type AlarmRules = Pick<PanelConfig, 'sirenMode' | 'sirenCutOff'>;

/** Before anything is known. */
export const UNKNOWN: AlarmState = {
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
  state: AlarmState,
  armed: boolean,
  doorOpen: boolean,
  now: number,
  rules: AlarmRules,
): AlarmState {
  const isOpening = doorOpen && !state.doorOpen;
  const isArming = armed && !state.armed;
  const isCutOff = state.cutOffAt !== undefined && now >= state.cutOffAt;
  const ringsOn = armed && state.sirenRinging && !isCutOff;
  const begins = armed && doorOpen && !ringsOn && (isOpening || isArming);

  const follows = rules.sirenMode === 'follow';
  const sirenRinging = follows ? armed && doorOpen : begins || ringsOn;
  const cutOffAt = begins ? cutOffAfter(0, now, rules) : state.cutOffAt;
  const next = { armed, doorOpen, sirenRinging, cutOffAt: sirenRinging && !follows ? cutOffAt : undefined };
  // A copy, because XS cannot make JSON of an object in ROM, such as UNKNOWN.
  return JSON.stringify(next) === JSON.stringify({ ...state }) ? state : next;
}

/**
 * The state at boot. `rung` is what {@link rungIn} said before the reset: a latched siren rings on for the rest of its
 * time, and a siren that was cut off stays silent until the door has closed.
 */
export function stateAtBoot(
  armed: boolean,
  doorOpen: boolean,
  rung: number,
  now: number,
  rules: AlarmRules,
): AlarmState {
  if (!armed || rung === 0 || rules.sirenMode === 'follow')
    return nextState(UNKNOWN, armed, doorOpen, now, rules);
  const cutOffAt = cutOffAfter(rung, now, rules);
  const sirenRinging = cutOffAt === undefined || cutOffAt > now;
  return { armed, doorOpen, sirenRinging, cutOffAt: sirenRinging ? cutOffAt : undefined };
}

/**
 * How much of its time a latched siren has used up, in milliseconds: at least 1 while it rings, the whole cut-off from
 * the cut-off until the door closes, otherwise 0.
 */
export function rungIn(state: AlarmState, now: number, { sirenMode, sirenCutOff }: AlarmRules): number {
  if (sirenMode === 'follow' || !state.armed) return 0;
  if (!state.sirenRinging) return state.doorOpen ? sirenCutOff : 0;
  return state.cutOffAt === undefined ? 1 : Math.max(1, Math.ceil(sirenCutOff - (state.cutOffAt - now)));
}

const cutOffAfter = (rung: number, now: number, { sirenCutOff }: AlarmRules): number | undefined =>
  sirenCutOff === 0 ? undefined : now + sirenCutOff - rung;
