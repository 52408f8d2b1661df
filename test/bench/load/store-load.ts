/** The load of the stores: clients with one put outstanding each. Reads a {@link StoreJob} from standard input. */

import { text } from 'node:stream/consumers';
import { setTimeout as after } from 'node:timers/promises';
import { watchCore } from '../core.js';
import type { StoreJob, StoreResult } from './job.js';
import { CONNECT, type StoreClient } from './stores.js';

const DIGITS = 3;
/** For a store so slow that not every client has had an answer in the time given. */
const LONGEST_WAIT_MS = 30_000;

const job: StoreJob = JSON.parse(await text(process.stdin));
const head = job.payload.slice(0, job.counterAt);
const tail = job.payload.slice(job.counterAt + DIGITS);
let answered = 0;
let counting = false;
let stopping = false;

async function putUntilStopped({ put, close }: StoreClient): Promise<void> {
  for (let count = 0; !stopping; count = (count + 1) % 10 ** DIGITS) {
    await put(`${head}${String(count).padStart(DIGITS, '0')}${tail}`);
    if (counting) answered += 1;
  }
  close();
}

const connect = CONNECT[job.store];
const clients = await Promise.all(Array.from({ length: job.clients }, (_, number) => connect(job, number)));
const putting = Promise.all(clients.map(putUntilStopped));
await Promise.race([putting, after(1000 * job.warmUpSeconds)]);

const began = performance.now();
const cpuBegan = process.cpuUsage();
const watched = watchCore(job.pid, job.core);
counting = true;
await Promise.race([putting, after(1000 * job.seconds)]);
const latest = performance.now() + LONGEST_WAIT_MS;
while (answered < job.clients && performance.now() < latest) await after(1);
counting = false;
const milliseconds = performance.now() - began;
const cpu = process.cpuUsage(cpuBegan);
const core = watched();
stopping = true;
await putting;
if (answered === 0) throw new Error('no put was answered');
const result: StoreResult = {
  rate: (1000 * answered) / milliseconds,
  busy: (cpu.user + cpu.system) / 1000 / milliseconds,
  core,
};
console.log(JSON.stringify(result));
