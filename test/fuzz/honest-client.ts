/**
 * A client that means no harm, as a process of its own: only the server can keep it waiting. Its first line is an
 * {@link HonestJob}. It asks without a pause, by MQTT and by REST in turns, and ends with exit code 1 when an answer is
 * not what it must be. To every further line it answers with an {@link HonestReport} of a round that began after it.
 */

import { once } from 'node:events';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { json } from 'node:stream/consumers';
import { isDeepStrictEqual } from 'node:util';
import { changedTopic, responseTopic } from '../../shared/topics.js';
import type { Credentials } from '../server/mqtt/endpoint.js';
import { connectDevice } from '../system/device.js';

export interface HonestJob {
  mqtt: string;
  /** Of the documents of its own twin. */
  documents: string;
  token: string;
  device: Credentials;
}

export interface HonestReport {
  /** Since the start; each has four answers. */
  rounds: number;
  /** The answer that took longest, in milliseconds. */
  slowestMs: number;
}

type Body = Record<string, unknown>;

const lines = createInterface(process.stdin);
// The first line asks for nothing.
let asked = -1;
lines.on('line', () => asked++);
const [first] = (await once(lines, 'line')) as [string];
const job: HonestJob = JSON.parse(first);
lines.on('close', () => process.exit(0));

const device = await connectDevice(job, job.device);
const report: HonestReport = { rounds: 0, slowestMs: 0 };

async function timed<T>(answer: Promise<T>): Promise<T> {
  const began = performance.now();
  const value = await answer;
  report.slowestMs = Math.max(report.slowestMs, performance.now() - began);
  return value;
}

/** On a connection of its own each time, as a person's would be. */
async function rest(method: string, name: string, body?: object): Promise<Body> {
  const ask = request(`${job.documents}/${name}`, {
    method,
    agent: false,
    headers: { 'X-Auth-Token': job.token },
  });
  ask.end(body && JSON.stringify(body));
  const [answer] = await once(ask, 'response');
  return (await json(answer)) as Body;
}

function expect(what: string, { version, data }: Body, expected: { version: number; data: object }): void {
  const found = { version, data };
  if (isDeepStrictEqual(found, expected)) return;
  console.error(`${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`);
  process.exit(1);
}

for (;;) {
  const reports = asked;
  const version = ++report.rounds;
  const current = { version, data: { n: version, text: `current ${version}` } };
  const put = await timed(device.ask('current', 'put', { data: current.data }));
  expect(`MQTT put ${put.topic}`, put.body, current);
  if (put.topic !== responseTopic('current', 'put', 'success')) throw new Error(put.topic);
  expect('REST get', await timed(rest('GET', 'current')), current);

  const desired = { version, data: { n: version, text: `desired ${version}` } };
  expect('REST put', await timed(rest('PUT', 'desired', { data: desired.data })), desired);
  const change = await timed(device.heard(changedTopic('desired'), ({ version: of }) => of === version));
  expect('MQTT changed', change.body, desired);
  device.received.length = 0;
  if (reports > 0) {
    asked -= 1;
    console.log(JSON.stringify(report));
  }
}
