/** What a line on the terminal says of the alarm, for `npm run panel` and `npm start` alike. */

import type { AlarmStateName, Mode } from '../../shared/panel.js';

interface Alarm {
  state: AlarmStateName;
  mode: Mode;
  /** Whether the last wish was refused. */
  refused: boolean;
}

/** The siren has a word of its own beside these. */
export function alarmWords({ state, mode, refused }: Alarm): string {
  if (state === 'disarmed') return refused ? 'disarmed (order refused)' : state;
  return `${state === 'triggered' ? 'armed' : state}${mode === 'away' ? '' : ` (${mode})`}`;
}
