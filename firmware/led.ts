/** The status LED: armed or not, ringing or not, and by the number of its flashes why the panel is offline. */

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

const FLASH = 200;
const BETWEEN_FLASHES = 300;
const PAUSE = 1800;

/** For how many milliseconds the LED is on and off in turns, on first. */
type Rhythm = readonly number[];
/** A rhythm, or a level that stays. */
type Pattern = Rhythm | boolean;

const RINGING: Rhythm = [100, 100];

/** `count` flashes and a pause; for an armed panel as many gaps, and it is on in the pause. */
function rhythmOf(count: number, armed: boolean): Rhythm {
  const turns = armed ? [PAUSE, FLASH] : [FLASH];
  for (let flash = 1; flash < count; flash++) turns.push(BETWEEN_FLASHES, FLASH);
  if (!armed) turns.push(PAUSE);
  return turns;
}

export function patternFor({ armed, sirenRinging, online }: PanelStatus, trouble: Trouble): Pattern {
  if (sirenRinging) return RINGING;
  return online ? armed : rhythmOf(FLASHES[trouble], armed);
}

export class Led {
  private readonly board: Board;
  private shown: string | undefined;
  private timer: Timer | undefined;

  constructor(board: Board) {
    this.board = board;
  }

  /** @param trouble counts only while the panel is offline */
  show(status: PanelStatus, trouble: Trouble): void {
    const pattern = patternFor(status, trouble);
    if (String(pattern) === this.shown) return;
    this.shown = String(pattern);
    this.board.timers.clear(this.timer);
    this.timer = undefined;
    if (typeof pattern === 'boolean') this.board.led.write(pattern);
    else this.turn(pattern, 0);
  }

  private turn(rhythm: Rhythm, index: number): void {
    this.board.led.write(index % 2 === 0);
    const next = (index + 1) % rhythm.length;
    this.timer = this.board.timers.set(() => this.turn(rhythm, next), rhythm[index] ?? PAUSE);
  }
}
