/** The alarm's rules: what the siren does, from the levels of the armed flag and the door and from the time. Pure. */

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

  if (rules.sirenMode === 'follow') return changed(state, armed, doorOpen, armed && doorOpen, undefined);
  if (begins) return changed(state, armed, doorOpen, true, cutOffFrom(now, rules));
  return changed(state, armed, doorOpen, ringsOn, ringsOn ? state.cutOffAt : undefined);
}

const cutOffFrom = (now: number, { sirenCutOff }: AlarmRules): number | undefined =>
  sirenCutOff === 0 ? undefined : now + sirenCutOff;

function changed(
  state: AlarmState,
  armed: boolean,
  doorOpen: boolean,
  sirenRinging: boolean,
  cutOffAt: number | undefined,
): AlarmState {
  const isSame =
    armed === state.armed &&
    doorOpen === state.doorOpen &&
    sirenRinging === state.sirenRinging &&
    cutOffAt === state.cutOffAt;
  return isSame ? state : { armed, doorOpen, sirenRinging, cutOffAt };
}
