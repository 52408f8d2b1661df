/** What every board has of the SDK alike, the desktop's stand-ins included: timers, and a time server's client. */

import SNTP from 'sntp';
import Timer from 'timer';
import type { Time, Timers } from '../../board.js';

export const timers = Timer as Timers;

/** Asks by SNTP; the client repeats its question by itself before it gives up. */
export const queryFrom =
  (host: string): Time['query'] =>
  (done) => {
    new SNTP({ host }, (message, seconds = 0) => {
      if (message === SNTP.time) done(seconds * 1000);
      else if (message === SNTP.error) done(undefined);
    });
  };
