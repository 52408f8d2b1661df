/** Catches exceptions where the platform calls the panel. */

import type { Board } from './board.js';

/** Turns a callback into one that never throws. */
export type Guard = <A extends unknown[]>(callback: (...parameters: A) => void) => (...parameters: A) => void;

/**
 * The callbacks hand the first exception to `onException`. After it they do nothing, because the program is about to
 * end.
 */
export function guardWith(onException: (error: unknown) => void): Guard {
  let isOver = false;
  return (callback) =>
    (...parameters) => {
      if (isOver) return;
      try {
        callback.apply(undefined, parameters);
      } catch (error) {
        isOver = true;
        onException(error);
      }
    };
}

/** The same board; each callback that it calls is guarded. */
export const guardedBoard = (board: Board, guard: Guard): Board =>
  derived(board, {
    contact: (index, onEdge) => board.contact(index, guard(onEdge)),
    network: (onChange) => board.network(guard(onChange)),
    mqtt: (options) =>
      board.mqtt({
        ...options,
        onReadable: guard(options.onReadable),
        onWritable: guard(options.onWritable),
        onControl: guard(options.onControl),
        onClose: guard(options.onClose),
        onError: guard(options.onError),
      }),
    time: derived(board.time, { query: (done) => board.time.query(guard(done)) }),
    timers: derived(board.timers, {
      set: (callback, delay) => board.timers.set(guard(callback), delay),
      repeat: (callback, interval) => board.timers.repeat(guard(callback), interval),
    }),
  });

/** The same object with some of its members replaced. */
export const derived = <T extends object>(from: T, others: Partial<T>): T =>
  Object.setPrototypeOf(others, from) as T;
