import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Makes a queue that lets one waiter go on in each turn of the event loop: for work of milliseconds, of which much may
 * fall due at once.
 */
export function oneATurn(): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return () => {
    last = last.then(() => nextTurn());
    return last;
  };
}
