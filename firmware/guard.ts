/** Exceptions are caught where the platform calls the panel, all in this one place. */

import type { Board } from './board.js';

/** Makes a callback one that never throws. */
export type Guard = <A extends unknown[]>(callback: (...parameters: A) => void) => (...parameters: A) => void;

/**
 * The guard's callbacks hand the first exception to `onException`; after it none of them does anything any more: the
 * program is about to end.
 */
export function guardWith(onException: (error: unknown) => void): Guard {
  let isOver = false;
  return (callback) =>
    (...parameters) => {
      if (isOver) return;
      try {
        callback(...parameters);
      } catch (error) {
        isOver = true;
        onException(error);
      }
    };
}

/** The same board, which calls only what is guarded. */
export function guardedBoard(board: Board, guard: Guard): Board {
  return {
    config: board.config,
    siren: board.siren,
    led: board.led,
    storage: board.storage,
    door: (onEdge) => board.door(guard(onEdge)),
    network: (onChange) => board.network(guard(onChange)),
    mqtt: (options) =>
      board.mqtt({
        keepAlive: options.keepAlive,
        onReadable: guard(options.onReadable),
        onWritable: guard(options.onWritable),
        onControl: guard(options.onControl),
        onClose: guard(options.onClose),
        onError: guard(options.onError),
      }),
    time: {
      ticks: () => board.time.ticks(),
      now: () => board.time.now(),
      set: (now) => board.time.set(now),
      query: (done) => board.time.query(guard(done)),
    },
    timers: {
      set: (callback, delay) => board.timers.set(guard(callback), delay),
      repeat: (callback, interval) => board.timers.repeat(guard(callback), interval),
      clear: (timer) => board.timers.clear(timer),
    },
    random: () => board.random(),
    trace: (line) => board.trace(line),
    show: (status) => board.show?.(status),
    restart: () => board.restart(),
  };
}
