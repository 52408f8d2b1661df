/**
 * What the panel shows and sounds. The status LED: armed or not, a delay, ringing or not, and by the number of its flashes
 * why the panel is offline. The beeper, where there is one, sounds with the LED during a delay, and after a refusal.
 */

import type { AlarmStateName } from '../shared/panel.js';
import type { Board, PanelStatus, Timer } from './board.js';
import type { Trouble } from './trouble.js';

/** How often the LED flashes for each reason. The table in `manifests/README.md` says the same. */
export const FLASHES: Readonly<Record<Trouble, number>> = {
  server: 1,
  network: 2,
  time: 3,
  certificate: 4,
  device: 5,
};

/** For how many milliseconds the LED is on and off in turns, on first. */
type Rhythm = readonly number[];
/** A rhythm, or a level that stays. */
type Pattern = Rhythm | boolean;

const RHYTHMS: Partial<Record<AlarmStateName | 'refused', Rhythm>> = {
  triggered: [100, 100],
  arming: [100, 900],
  pending: [100, 100, 100, 700],
  refused: [500, 500],
};
const PAUSE = 1800;

/** `count` flashes and a pause; for an armed panel as many gaps, and it is on in the pause. */
function rhythmOf(count: number, armed: boolean): Rhythm {
  const flash = 200;
  const betweenFlashes = 300;
  const turns = armed ? [PAUSE, flash] : [flash];
  for (let more = 1; more < count; more++) turns.push(betweenFlashes, flash);
  if (!armed) turns.push(PAUSE);
  return turns;
}

export function patternFor(status: PanelStatus, trouble: Trouble): Pattern {
  const armed = status.armed;
  const isRefused = status.refused && !armed;
  const name = status.sirenRinging ? 'triggered' : isRefused ? 'refused' : status.state;
  return RHYTHMS[name] ?? (status.online ? armed : rhythmOf(FLASHES[trouble], armed));
}

export class Signals {
  private readonly board: Board;
  private shown: string | undefined;
  private timer: Timer | undefined;
  /** With how many more flashes of the LED the beeper sounds; a delay of so many milliseconds has fewer. */
  private sounding = 0;
  /** NaN without a delay. */
  private delayEnd = NaN;

  constructor(board: Board) {
    this.board = board;
  }

  /** @param trouble counts only while the panel is offline */
  show(status: PanelStatus, trouble: Trouble): void {
    const pattern = patternFor(status, trouble);
    const text = String(pattern);
    if (text === this.shown) return;
    this.shown = text;
    this.delayEnd = status.delayEnd ?? NaN;
    const tonesOfRefusal = 3;
    this.sounding = pattern === RHYTHMS.refused ? tonesOfRefusal : this.delayEnd;
    this.board.timers.clear(this.timer);
    if (typeof pattern === 'boolean') this.write(pattern);
    else this.turn(pattern, 0);
  }

  /** In the last part of a delay the pause of its rhythm is shorter. */
  private turn(rhythm: Rhythm, index: number): void {
    const lastPart = 10_000;
    const lastPause = 150;
    const board = this.board;
    const next = (index + 1) % rhythm.length;
    const isShort = next === 0 && this.delayEnd - board.time.ticks() < lastPart;
    this.write(index % 2 === 0);
    this.timer = board.timers.set(
      () => this.turn(rhythm, next),
      isShort ? lastPause : (rhythm[index] as number),
    );
  }

  private write(on: boolean): void {
    this.board.led.write(on);
    this.board.beeper?.write(on && this.sounding-- > 0);
  }
}
