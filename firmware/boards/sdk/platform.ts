/** What every board takes from the SDK, the desktop's stand-ins included: timers, the clock and an SNTP client. */

import SNTP from 'sntp';
import time from 'time';
import Timer from 'timer';
import type { Time, Timers } from '../../board.js';
import { ticksOf } from './ticks.js';

export const timers = Timer as Timers;

/** @param timeServer a host; the SDK's SNTP client repeats its question before it gives up */
export const timeFrom = (timeServer: string): Time => ({
  ticks: ticksOf(time),
  now: () => Date.now(),
  set: (now) => time.set(now / 1000),
  query(done) {
    new SNTP({ host: timeServer }, (message, seconds = 0) => {
      if (message === SNTP.time) done(seconds * 1000);
      else if (message === SNTP.error) done(undefined);
    });
  },
});
