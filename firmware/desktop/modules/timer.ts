/** The SDK's `timer` module. Node counts the time; delays are in milliseconds. */

import { listen, tell } from './host.js';

type Callback = (timer: Timer) => void;

let lastId = 0;
const running = new Map<number, Timer>();

class Timer {
  readonly #id = ++lastId;
  readonly #callback: Callback;
  readonly #repeats: boolean;

  private constructor(callback: Callback, repeats: boolean) {
    this.#callback = callback;
    this.#repeats = repeats;
  }

  static set(callback: Callback, delay = 0): Timer {
    return Timer.#start(new Timer(callback, false), delay);
  }

  static repeat(callback: Callback, interval: number): Timer {
    return Timer.#start(new Timer(callback, true), interval);
  }

  static clear(timer: Timer | undefined | null): void {
    if (timer && running.delete(timer.#id)) tell('timer.clear', { id: timer.#id });
  }

  /** One that was cleared while its time was already on the way does not fire. */
  static fire(id: number): void {
    const timer = running.get(id);
    if (timer === undefined) return;
    if (!timer.#repeats) running.delete(id);
    timer.#callback(timer);
  }

  static #start(timer: Timer, delay: number): Timer {
    running.set(timer.#id, timer);
    tell('timer.set', { id: timer.#id, delay, repeats: timer.#repeats });
    return timer;
  }
}

listen('timer', ({ head }) => Timer.fire(head.id));

export default Timer;
