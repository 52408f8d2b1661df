/** Time that can be trusted, or none. */

import type { Board, Timer } from './board.js';
import { readSealed, viewOf, writeSealed } from './sealed.js';

const FLOOR_KEY = 'clock';
const FLOOR_LENGTH = 4;
/** 2025-01-01 and 2100-01-01: this firmware runs at no other time. */
const EARLIEST = 1_735_689_600_000;
const LATEST = 4_102_444_800_000;
/** The floor in flash is renewed when it is off by this, so that restarts do not wear the flash out. */
const FLOOR_STEP = 12 * 60 * 60 * 1000;
/** So many answers in a row below the floor, and it is the floor that was wrong. */
const ANSWERS_AGAINST_FLOOR = 3;

/**
 * The date as a time server told it, carried on by the board's ticks: whatever becomes of the system clock meanwhile, it
 * neither jumps nor is 1970. The last good time stays in flash as a floor under the system clock, which TLS looks at,
 * and under later answers.
 */
export class Clock {
  readonly #board: Board;
  readonly #onTrusted: () => void;
  /** Milliseconds since 1970 at tick 0; undefined while no answer was good. */
  #origin: number | undefined;
  #floor: number;
  #answersAgainstFloor = 0;
  #retryDelay: number;
  #timer: Timer | undefined;

  /** `onTrusted` is called once, when the time is known for the first time. */
  constructor(board: Board, onTrusted: () => void) {
    this.#board = board;
    this.#onTrusted = onTrusted;
    this.#retryDelay = board.config.clockRetryMin;
    const floor = readSealed(board.storage, FLOOR_KEY, FLOOR_LENGTH);
    this.#floor =
      typeof floor === 'string' ? EARLIEST : Math.max(EARLIEST, viewOf(floor).getUint32(0, true) * 1000);
    if (board.time.now() < this.#floor) board.time.set(this.#floor);
  }

  /** Milliseconds since 1970, or undefined while that is not known. */
  now(): number | undefined {
    return this.#origin === undefined ? undefined : this.#origin + this.#board.time.ticks();
  }

  /** There is a network from now on: asks at once, unless the time is known already. */
  networkUp(): void {
    if (this.#origin !== undefined) return;
    this.#retryDelay = this.#board.config.clockRetryMin;
    this.ask();
  }

  /** Asks, and asks again later should no good answer come. */
  private ask(): void {
    this.askAgainIn(this.#retryDelay);
    this.#retryDelay = Math.min(2 * this.#retryDelay, this.#board.config.clockRetryMax);
    try {
      this.#board.time.query((now) => {
        if (now !== undefined) this.judge(now);
      });
    } catch (error) {
      this.#board.trace(`clock: cannot ask: ${error}`);
    }
  }

  private askAgainIn(delay: number): void {
    this.#board.timers.clear(this.#timer);
    this.#timer = this.#board.timers.set(() => {
      this.#timer = undefined;
      this.ask();
    }, delay);
  }

  private judge(now: number): void {
    if (this.isCredible(now)) return this.accept(now);
    this.#board.trace(`clock: not credible: ${now}`);
  }

  private isCredible(now: number): boolean {
    if (!(now >= EARLIEST && now < LATEST)) return false;
    if (now >= this.#floor) return true;
    this.#answersAgainstFloor += 1;
    return this.#answersAgainstFloor >= ANSWERS_AGAINST_FLOOR;
  }

  private accept(now: number): void {
    const first = this.#origin === undefined;
    this.#origin = now - this.#board.time.ticks();
    this.#answersAgainstFloor = 0;
    this.#retryDelay = this.#board.config.clockRetryMin;
    this.#board.time.set(now);
    this.keepFloor(now);
    this.askAgainIn(this.#board.config.clockRefresh);
    if (first) this.#onTrusted();
  }

  private keepFloor(now: number): void {
    if (Math.abs(now - this.#floor) < FLOOR_STEP) return;
    this.#floor = now;
    const content = new Uint8Array(FLOOR_LENGTH);
    viewOf(content).setUint32(0, Math.floor(now / 1000), true);
    if (!writeSealed(this.#board.storage, FLOOR_KEY, content))
      this.#board.trace('clock: cannot keep the time');
  }
}
