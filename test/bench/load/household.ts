/**
 * A household that behaves well: its panel, its app and its owner. Reads a {@link HouseholdJob} as the first line of
 * standard input and prints `begun` when each has had an answer. At each further line it prints a
 * {@link HouseholdReading} of the time since the line before.
 */

import { Agent, request } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { connectAsync, type MqttClient } from 'mqtt';
import { TOKEN_HEADER } from '../../../shared/rest.js';
import { requestTopic, responseTopic } from '../../../shared/topics.js';
import { documentPath } from '../server.js';
import type { HouseholdJob, HouseholdReading, MemberReading } from './job.js';
import { PAYLOAD } from './mqtt.js';

const NANOSECONDS = 1e6;
const ANSWERS = [responseTopic('current', 'put', 'success'), responseTopic('current', 'put', 'error')];

/** Asks at each tick of its clock, unless it still waits for an answer. */
class Member {
  readonly #ask: () => Promise<void>;
  #times: number[] = [];
  #refusals: string[] = [];
  #askedAt: number | undefined;

  constructor(ask: () => Promise<void>) {
    this.#ask = ask;
  }

  async tick(): Promise<void> {
    if (this.#askedAt !== undefined) return;
    this.#askedAt = performance.now();
    try {
      await this.#ask();
      this.#times.push(performance.now() - this.#askedAt);
    } catch (error) {
      this.#refusals.push((error as Error).message);
    }
    this.#askedAt = undefined;
  }

  /** Whether it has not asked since the last reading. */
  get isSilent(): boolean {
    return this.#askedAt === undefined && this.#times.length + this.#refusals.length === 0;
  }

  /** An answer that has not come yet counts with the time so far. */
  read(): MemberReading {
    const waiting = this.#askedAt === undefined ? [] : [performance.now() - this.#askedAt];
    const reading = { times: [...this.#times, ...waiting], refusals: this.#refusals };
    this.#times = [];
    this.#refusals = [];
    return reading;
  }
}

/** Reports in-band on one connection, which is opened anew when it is closed. */
function panelOf({ mqtt, device }: HouseholdJob): () => Promise<void> {
  let client: MqttClient | undefined;
  return async () => {
    client = client?.connected ? client : await connectPanel(mqtt, device);
    await put(client);
  };
}

async function connectPanel({ host, port }: HouseholdJob['mqtt'], { id, password }: HouseholdJob['device']) {
  const options = { username: id, password, reconnectPeriod: 0 };
  const client = await connectAsync(`mqtt://${host}:${port}`, options, false);
  client.on('error', () => undefined);
  await client.subscribeAsync(ANSWERS);
  return client;
}

function put(client: MqttClient): Promise<void> {
  return new Promise((done, failed) => {
    const closed = () => settle(new Error('MQTT: the connection was closed'));
    const answered = (topic: string, payload: Buffer) =>
      settle(topic === ANSWERS[0] ? undefined : new Error(`MQTT: ${payload.toString()}`));
    const settle = (error: Error | undefined) => {
      client.off('close', closed).off('message', answered);
      if (error === undefined) done();
      else failed(error);
    };
    client.once('close', closed).once('message', answered);
    client.publish(requestTopic('current', 'put'), PAYLOAD, { qos: 0 });
  });
}

/** One request with this token after another, each of these in turn. */
function restOf(
  { http }: HouseholdJob,
  token: string,
  agent: Agent,
  requests: readonly { method: string; path: string; body?: string }[],
): () => Promise<void> {
  let next = 0;
  return () => {
    const { method, path, body } = requests[next++ % requests.length] ?? { method: 'GET', path: '/' };
    return new Promise((done, failed) => {
      const asked = request(
        { ...http, agent, method, path, headers: { [TOKEN_HEADER]: token } },
        (answer) => {
          const status = answer.statusCode ?? 0;
          answer.once('error', failed);
          answer.once('end', () => (status < 300 ? done() : failed(new Error(`${method}: ${status}`))));
          answer.resume();
        },
      );
      asked.once('error', failed);
      asked.end(body);
    });
  };
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((later) => setTimeout(later, milliseconds));

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const line = async (): Promise<string | undefined> => (await lines.next()).value;

const job: HouseholdJob = JSON.parse((await line()) ?? '');
const { device, everyMs } = job;
const current = documentPath(device.id, 'current');
const desired = documentPath(device.id, 'desired');
const panel = new Member(panelOf(job));
const app = new Member(
  restOf(job, job.app, new Agent({ keepAlive: true }), [
    { method: 'GET', path: current },
    { method: 'GET', path: `${current}/history?limit=2` },
  ]),
);
// As the command line does, with a connection for each request.
const owner = new Member(
  restOf(job, job.owner, new Agent({ keepAlive: false }), [
    { method: 'PUT', path: `${desired}?wait=0`, body: '{"data":{"alarm_armed":true}}' },
    { method: 'GET', path: desired },
  ]),
);
const members = [panel, app, owner];

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
for (const member of members) await member.tick();
for (const member of members) {
  setInterval(() => member.tick(), everyMs);
  await pause(everyMs / members.length);
}
console.log('begun');
while ((await line()) !== undefined) {
  while (members.some((member) => member.isSilent)) await pause(1);
  const lateMs = delay.max / NANOSECONDS;
  const reading: HouseholdReading = { panel: panel.read(), app: app.read(), owner: owner.read(), lateMs };
  delay.reset();
  console.log(JSON.stringify(reading));
}
process.exit();
