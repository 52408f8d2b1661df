/** What every board takes from the SDK, the desktop's stand-ins included: timers and the clock. */

import time from 'time';
import Timer from 'timer';
import type { Time, Timers } from '../../board.js';
import { ticksOf } from './ticks.js';

export const timers = Timer as Timers;

export const timeFrom = (query: Time['query']): Time => ({
  ticks: ticksOf(time),
  now: () => Date.now(),
  set: (now) => time.set(now / 1000),
  query,
});
