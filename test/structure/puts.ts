/** Which functions of the server one put passes, counted by V8 inside the real server's process. */

import { once } from 'node:events';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectAsync, type MqttClient } from 'mqtt';
import { WebSocket } from 'ws';
import { requestTopic, responseTopic } from '../../shared/topics.js';
import { keepInDirectory } from '../database-under-test.js';
import { createDevice, type Server, startServer } from '../system/server.js';

keepInDirectory();

/** The functions by their file. One without a name stands as `(anonymous)`. */
export type Passed = Map<string, string[]>;

export interface Puts {
  rest: Passed;
  inband: Passed;
}

const TIMES = 10;
/** What tsx wraps functions in, so that they keep their names. */
const NAME_KEEPER = '__name';
const PUT_SUCCEEDED = responseTopic('current', 'put', 'success');
const PUT_FAILED = responseTopic('current', 'put', 'error');
const CURRENT = { alarm_armed: true, siren_ringing: false, door_open: false };

/** Puts of a document that exists, over connections that are open. */
export async function measurePuts(): Promise<Puts> {
  const server = await startServer({ env: { NODE_OPTIONS: '--inspect=127.0.0.1:0' } });
  try {
    const counter = await CallCounter.attach(server);
    const credentials = await createDevice(server, 'front door');
    const path = `/twins/${credentials.id}/documents/current`;
    const rest = await counter.passedBy(async () => {
      const answer = await server.api(path, { method: 'PUT', body: JSON.stringify({ data: CURRENT }) });
      if (!answer.ok) throw new Error(`PUT ${path}: ${answer.status} ${await answer.text()}`);
      await answer.json();
    });
    // Not before: a device that is connected hears of each put by REST.
    const { id: username, password } = credentials;
    const device = await connectAsync(server.mqtt, { username, password, reconnectPeriod: 0 });
    await device.subscribeAsync([PUT_SUCCEEDED, PUT_FAILED], { qos: 0 });
    const inband = await counter.passedBy(() => putInband(device));
    await device.endAsync(true);
    counter.close();
    return { rest, inband };
  } finally {
    await server.stop();
  }
}

/** As the panel does it: request and answer with QoS 0. */
async function putInband(device: MqttClient): Promise<void> {
  const answered = new Promise<[string, Buffer]>((resolve) => {
    device.once('message', (topic, payload) => resolve([topic, payload]));
  });
  await device.publishAsync(requestTopic('current', 'put'), JSON.stringify({ data: CURRENT }), { qos: 0 });
  const [topic, payload] = await answered;
  if (topic !== PUT_SUCCEEDED) throw new Error(`put in-band: ${payload}`);
}

interface Call {
  file: string;
  name: string;
}

/** As the inspector gives it: the first range of a function is the whole of it. */
interface ScriptCoverage {
  url: string;
  functions: { functionName: string; ranges: { startOffset: number; count: number }[] }[];
}

class CallCounter {
  readonly #socket: WebSocket;
  #requests = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  static async attach({ program }: Server): Promise<CallCounter> {
    const url = await program.line((line) => /^Debugger listening on (ws:\S+)$/.exec(line)?.[1]);
    const socket = new WebSocket(url);
    await once(socket, 'open');
    const counter = new CallCounter(socket);
    await counter.#ask('Profiler.enable');
    await counter.#ask('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
    return counter;
  }

  /** What each of several runs passes: what a timer does meanwhile happens in one of them only. */
  async passedBy(run: () => Promise<void>): Promise<Passed> {
    await run();
    await this.#take();
    let always: Map<string, Call> | undefined;
    for (let time = 0; time < TIMES; time += 1) {
      await run();
      const called = await this.#take();
      always = new Map([...(always ?? called)].filter(([place]) => called.has(place)));
    }
    const passed: Passed = new Map();
    for (const { file, name } of always?.values() ?? [])
      passed.set(file, [...(passed.get(file) ?? []), name]);
    return passed;
  }

  close(): void {
    this.#socket.close();
  }

  /** The functions called since the last time, by their place. */
  async #take(): Promise<Map<string, Call>> {
    const { result } = (await this.#ask('Profiler.takePreciseCoverage')) as { result: ScriptCoverage[] };
    const calls = result.flatMap(({ url, functions }) => {
      const file = fileOf(url);
      if (!isOfServer(file)) return [];
      return functions
        .filter(({ functionName, ranges }) => functionName !== NAME_KEEPER && (ranges[0]?.count ?? 0) > 0)
        .map(({ functionName, ranges }): [string, Call] => [
          `${file}:${ranges[0]?.startOffset}`,
          { file, name: functionName || '(anonymous)' },
        ]);
    });
    return new Map(calls);
  }

  async #ask(method: string, params: object = {}): Promise<unknown> {
    this.#requests += 1;
    const id = this.#requests;
    this.#socket.send(JSON.stringify({ id, method, params }));
    for (;;) {
      const [data] = await once(this.#socket, 'message');
      const answer = JSON.parse(String(data)) as { id?: number; result?: unknown };
      if (answer.id === id) return answer.result;
    }
  }
}

const fileOf = (url: string): string => (url.startsWith('file:') ? relative('.', fileURLToPath(url)) : url);
const isOfServer = (file: string): boolean => /^(server|shared)\//.test(file);
