/** Mosquitto as Home Assistant's broker, and a client that records what is published. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { pathOf } from '../../programs.js';
import { until } from '../../until.js';

export interface Mosquitto {
  readonly url: string;
  readonly port: number;
  start(): Promise<void>;
  /** It keeps nothing. */
  stop(): Promise<void>;
  remove(): Promise<void>;
}

/** @param access lines of its configuration about who may connect, and how */
export async function mosquitto(access: readonly string[] = ['allow_anonymous true']): Promise<Mosquitto> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  const directory = mkdtempSync(join(tmpdir(), 'twin-homeassistant-'));
  const path = join(directory, 'mosquitto.conf');
  const lines = [`listener ${port} 127.0.0.1`, ...access, 'persistence false', 'max_queued_messages 0'];
  writeFileSync(path, [...lines, 'log_dest stderr', 'log_type all', ''].join('\n'));
  let running: ChildProcess | undefined;
  const end = () => running?.kill('SIGKILL');
  process.on('exit', end);
  const broker: Mosquitto = {
    url: `mqtt://127.0.0.1:${port}`,
    port,
    async start() {
      const program = spawn(pathOf('mosquitto') ?? 'mosquitto', ['-c', path], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      running = program;
      let log = '';
      program.stderr.on('data', (chunk) => {
        log += chunk;
      });
      await until(() => log.includes('running'));
      // What is not read would stop the broker.
      program.stderr.removeAllListeners('data').resume();
    },
    async stop() {
      const program = running;
      running = undefined;
      if (program === undefined) return;
      program.kill('SIGKILL');
      await once(program, 'exit');
    },
    async remove() {
      await broker.stop();
      process.off('exit', end);
      rmSync(directory, { recursive: true });
    },
  };
  return broker;
}

export interface Recorded {
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
}

export interface Recorder {
  readonly client: MqttClient;
  /** Every message since the beginning, in order. */
  readonly messages: Recorded[];
  /** The last message on each topic, without those that were cleared. */
  readonly topics: Map<string, string>;
  /** All payloads on the topics that end so. */
  payloads(end: string): string[];
  end(): Promise<void>;
}

/** A fresh client that subscribes to everything: at first it gets what is retained. */
export async function record(url: string, options: IClientOptions = {}): Promise<Recorder> {
  const client = await connectAsync(url, { ...options, reconnectPeriod: 0 });
  const messages: Recorded[] = [];
  const topics = new Map<string, string>();
  client.on('message', (topic, data, { retain }) => {
    const payload = data.toString();
    messages.push({ topic, payload, retain });
    if (payload === '') topics.delete(topic);
    else topics.set(topic, payload);
  });
  await client.subscribeAsync('#', { qos: 1 });
  return {
    client,
    messages,
    topics,
    payloads: (end) => messages.filter(({ topic }) => topic.endsWith(end)).map(({ payload }) => payload),
    end: () => client.endAsync(true),
  };
}
