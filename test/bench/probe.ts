/**
 * Loaded into the server's process before the server, and asked over the message channel: `reset` begins, `read`
 * answers what there was since, as a {@link ProbeReading}.
 */

import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { monitorEventLoopDelay } from 'node:perf_hooks';

export interface ProbeReading {
  /** The longest time in milliseconds between two turns of the event loop that were due after one. */
  longestStall: number;
  fdatasyncs: number;
}

const NANOSECONDS = 1e6;

const delay = monitorEventLoopDelay({ resolution: 1 });
let fdatasyncs = 0;

const { fdatasync } = fs;
fs.fdatasync = Object.assign((...args: Parameters<typeof fdatasync>) => {
  fdatasyncs += 1;
  fdatasync(...args);
}, fdatasync);
syncBuiltinESMExports();

const reading = (): ProbeReading => ({ longestStall: delay.max / NANOSECONDS, fdatasyncs });

process.on('message', (question) => {
  process.send?.(reading());
  if (question !== 'reset') return;
  delay.enable();
  delay.reset();
  fdatasyncs = 0;
});
// The server alone decides when its process ends.
process.channel?.unref();
