/** The date, as soon as a time server has told it. */

import type { Board, Timer } from './board.js';
import { readSealed, viewOf, writeSealed } from './sealed.js';

const FLOOR_KEY = 'clock';
const FLOOR_LENGTH = 4;
/** 2100-01-01, after every date that is believed. */
const LATEST = 4_102_444_800_000;
/** The floor in flash is renewed when it is off by this: twice a day, however often the board restarts. */
const FLOOR_STEP = 12 * 60 * 60 * 1000;
/** After so many answers in a row below the floor, the floor counts as wrong. */
const ANSWERS_AGAINST_FLOOR = 3;

/**
 * The date as a time server told it, carried on by the board's ticks: changes of the system clock do not move it. The
 * last good time stays in flash as a floor under the system clock, which TLS reads, and under later answers. The date
 * is never before the day on which the board was flashed.
 *
 * The answer comes before there is TLS, so that it may be false. A date too early makes a certificate valid again that
 * ended since the floor; a date too late makes the right one invalid, and the panel offline. Neither gives away a
 * key. Three answers in a row take back a floor that a false answer has raised.
 */
export class Clock {
  private readonly board: Board;
  private readonly onTrusted: () => void;
  /** Milliseconds since 1970 at tick 0; undefined while no answer was good. */
  private origin: number | undefined;
  /** Milliseconds since 1970. */
  private floor: number;
  private answersAgainstFloor = 0;
  private retryDelay: number;
  private timer: Timer | undefined;

  /** `onTrusted` is called once, when the time is known for the first time. */
  constructor(board: Board, onTrusted: () => void) {
    this.board = board;
    this.onTrusted = onTrusted;
    this.retryDelay = board.config.clockRetryMin;
    const kept = readSealed(board.storage, FLOOR_KEY, FLOOR_LENGTH);
    const { flashedAt } = board.config;
    this.floor =
      typeof kept === 'string' ? flashedAt : Math.max(flashedAt, viewOf(kept).getUint32(0, true) * 1000);
    if (board.time.now() < this.floor) board.time.set(this.floor);
  }

  /** Milliseconds since 1970, or undefined while that is not known. */
  now(): number | undefined {
    return this.origin === undefined ? undefined : this.origin + this.board.time.ticks();
  }

  /** The network is up: asks at once, unless the time is known. */
  networkUp(): void {
    if (this.origin !== undefined) return;
    this.retryDelay = this.board.config.clockRetryMin;
    this.ask();
  }

  /** Asks, and asks again later if no good answer comes. */
  private ask(): void {
    this.askAgainIn(this.retryDelay);
    this.retryDelay = Math.min(2 * this.retryDelay, this.board.config.clockRetryMax);
    try {
      this.board.time.query((now) => {
        if (now === undefined) return;
        if (this.isCredible(now)) this.accept(now);
        else this.board.trace(`clock: not credible: ${now}`);
      });
    } catch (error) {
      this.board.trace(`clock: cannot ask: ${error}`);
    }
  }

  private askAgainIn(delay: number): void {
    this.board.timers.clear(this.timer);
    this.timer = this.board.timers.set(() => {
      this.timer = undefined;
      this.ask();
    }, delay);
  }

  private isCredible(now: number): boolean {
    if (!(now >= this.board.config.flashedAt && now < LATEST)) return false;
    if (now >= this.floor) return true;
    this.answersAgainstFloor += 1;
    return this.answersAgainstFloor >= ANSWERS_AGAINST_FLOOR;
  }

  private accept(now: number): void {
    const first = this.origin === undefined;
    this.origin = now - this.board.time.ticks();
    this.answersAgainstFloor = 0;
    this.retryDelay = this.board.config.clockRetryMin;
    this.board.time.set(now);
    this.keepFloor(now);
    this.askAgainIn(this.board.config.clockRefresh);
    if (first) this.onTrusted();
  }

  private keepFloor(now: number): void {
    if (Math.abs(now - this.floor) < FLOOR_STEP) return;
    this.floor = now;
    const content = new Uint8Array(FLOOR_LENGTH);
    viewOf(content).setUint32(0, Math.floor(now / 1000), true);
    if (!writeSealed(this.board.storage, FLOOR_KEY, content)) this.board.trace('clock: cannot keep the time');
  }
}
