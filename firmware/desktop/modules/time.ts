/** The SDK's `time` module, and the board's clock, which Node can set wrong: `Date.now()` tells it as on a board. */

import { ask, ticks } from './host.js';

const time = {
  /** Whole milliseconds since some fixed moment. */
  get ticks(): number {
    return Math.floor(ticks());
  },
  delta: (start: number, end: number): number => end - start,
  /** Sets the clock to seconds since 1970. */
  set(seconds: number): void {
    ask('time.set', { now: seconds * 1000 });
  },
};

Date.now = () => ask('time.now').head.now;

export default time;
