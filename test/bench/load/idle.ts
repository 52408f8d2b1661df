/**
 * Devices that are connected and say nothing. Reads an {@link IdleJob} from standard input, prints `connected` when all
 * are, and stays until it is ended.
 */

import { text } from 'node:stream/consumers';
import { forEach, introduce } from './device.js';
import { contextOf, dial } from './dial.js';
import type { IdleJob } from './job.js';

const AT_ONCE = 32;

const { devices, byTls, ...address }: IdleJob = JSON.parse(await text(process.stdin));

await forEach(devices, AT_ONCE, (device) =>
  introduce(dial(address, { secureContext: byTls ? contextOf(device.certificate) : undefined }), device),
);
console.log('connected');
