/**
 * The load: connections with one request outstanding each. Reads a {@link LoadJob} from standard input. Packets are
 * made by mqtt-packet, once; what comes is only cut into packets, because with mqtt-packet's parser this program and
 * not Mosquitto was the bottleneck.
 */

import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as after } from 'node:timers/promises';
import { generate } from 'mqtt-packet';
import { type CoreUse, watchCore } from '../core.js';
import { contextOf, dial } from './dial.js';
import { describe, frames } from './frames.js';
import type { LoadClient, LoadJob, LoadResult } from './job.js';

const CONNACK = 2;
const PUBLISH = 3;
const PUBACK = 4;
const SUBACK = 9;
const PUBACK_BYTES = 4;
const DIGITS = 1000;
const REMEMBERED = 1 << 22;
/** For a subject so slow that not every connection has had an answer in the time given. */
const LONGEST_WAIT_MS = 30_000;
const READ_BYTES = 16 * 1024;

const job: LoadJob = JSON.parse(await text(process.stdin));

/** Milliseconds of the last requests, in a ring. */
const latencies = new Float64Array(REMEMBERED);
let answered = 0;
let total = 0;
let counting = false;
let stopping = false;

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

class Connection {
  readonly #socket: Socket;
  /** The next thing to send: at QoS 1 the PUBACK for the last answer, then the request. */
  readonly #packets: Buffer;
  readonly #request: number;
  readonly #counter: number;
  readonly #answerTopicBytes: number;
  #count = 0;
  #sentAt = 0;
  /** Packets that must come before the request is done. */
  #missing = 0;
  #ready: () => void = () => {};
  #idle: () => void = () => {};

  constructor(private readonly client: LoadClient) {
    const { qos } = job;
    const request = generate({
      cmd: 'publish',
      topic: client.request,
      payload: job.payload,
      qos,
      messageId: 1,
      dup: false,
      retain: false,
    });
    const acknowledgement = qos === 1 ? generate({ cmd: 'puback', messageId: 1 }) : Buffer.alloc(0);
    this.#packets = Buffer.concat([acknowledgement, request]);
    this.#request = acknowledgement.length;
    this.#counter = this.#packets.length - Buffer.byteLength(job.payload) + job.counterAt;
    this.#answerTopicBytes = Buffer.byteLength(client.answer);
    const feed = frames(this.#frame.bind(this));
    this.#socket = dial(client.address ?? job, {
      secureContext: job.byTls ? contextOf(client.certificate) : undefined,
      onread: {
        buffer: Buffer.allocUnsafe(READ_BYTES),
        callback: (length, bytes) => {
          feed(bytes as Buffer, length);
          return true;
        },
      },
    });
    this.#socket.once('error', (error) => fail(`${client.clientId}: ${error.message}`));
    this.#socket.once('close', () => stopping || fail(`${client.clientId}: the connection was closed`));
  }

  open(): Promise<void> {
    const { clientId, username, password } = this.client;
    this.#socket.write(
      generate({
        cmd: 'connect',
        protocolId: 'MQTT',
        protocolVersion: 4,
        clientId,
        clean: true,
        keepalive: 0,
        ...(username !== undefined && { username }),
        ...(password !== undefined && { password: Buffer.from(password) }),
      }),
    );
    return new Promise((ready) => {
      this.#ready = ready;
    });
  }

  /** Sends the first request. */
  begin(): void {
    this.#sentAt = performance.now();
    this.#missing = 1 + job.qos;
    this.#socket.write(this.#packets.subarray(this.#request));
  }

  /** Takes the last answer and closes. */
  async end(): Promise<void> {
    if (this.#missing > 0) {
      await new Promise<void>((idle) => {
        this.#idle = idle;
      });
    }
    this.#socket.end(generate({ cmd: 'disconnect' }));
  }

  #frame(type: number, bytes: Buffer, start: number, body: number, end: number): void {
    if (type === PUBLISH) this.#answer(bytes, start, body, end);
    else if (type === PUBACK) this.#done();
    else if (type === CONNACK && bytes[body + 1] === 0) this.#subscribe();
    else if (type === SUBACK && bytes[body + 2] === job.qos) this.#ready();
    else fail(`${this.client.clientId}: ${describe(type, bytes, body, end)}`);
  }

  #subscribe(): void {
    const subscriptions = [{ topic: this.client.answer, qos: job.qos }];
    this.#socket.write(generate({ cmd: 'subscribe', messageId: 1, subscriptions }));
  }

  #answer(bytes: Buffer, start: number, body: number, end: number): void {
    const topicBytes = bytes.readUInt16BE(body);
    const qos = ((bytes[start] ?? 0) >> 1) & 3;
    if (topicBytes !== this.#answerTopicBytes || qos !== job.qos) fail(describe(PUBLISH, bytes, body, end));
    if (qos === 1) bytes.copy(this.#packets, PUBACK_BYTES - 2, body + 2 + topicBytes, body + 4 + topicBytes);
    this.#done();
  }

  #done(): void {
    this.#missing -= 1;
    if (this.#missing > 0) return;
    const now = performance.now();
    total += 1;
    if (counting) {
      latencies[answered % REMEMBERED] = now - this.#sentAt;
      answered += 1;
    }
    if (stopping) this.#stop();
    else this.#next(now);
  }

  #stop(): void {
    if (this.#request > 0) this.#socket.write(this.#packets.subarray(0, this.#request));
    this.#idle();
  }

  /** The buffer may be changed: with one request outstanding, what was written of it has long been sent. */
  #next(now: number): void {
    this.#count = (this.#count + 1) % DIGITS;
    this.#packets[this.#counter] = 48 + Math.floor(this.#count / 100);
    this.#packets[this.#counter + 1] = 48 + (Math.floor(this.#count / 10) % 10);
    this.#packets[this.#counter + 2] = 48 + (this.#count % 10);
    this.#sentAt = now;
    this.#missing = 1 + job.qos;
    this.#socket.write(this.#packets);
  }
}

function result(milliseconds: number, cpu: NodeJS.CpuUsage, core: CoreUse): LoadResult {
  const sorted = latencies.subarray(0, Math.min(answered, REMEMBERED)).slice().sort();
  const microsecondsAt = (share: number) => 1000 * (sorted[Math.floor(share * (sorted.length - 1))] ?? 0);
  return {
    requests: answered,
    total,
    rate: (1000 * answered) / milliseconds,
    p50: microsecondsAt(0.5),
    p99: microsecondsAt(0.99),
    longest: microsecondsAt(1),
    core,
    busy: (cpu.user + cpu.system) / 1000 / milliseconds,
  };
}

const connections = job.clients.map((client) => new Connection(client));
await Promise.all(connections.map((connection) => connection.open()));
for (const connection of connections) connection.begin();
await after(1000 * job.warmUpSeconds);

const began = performance.now();
const cpuBegan = process.cpuUsage();
const watched = watchCore(job.pid, job.core);
counting = true;
await after(1000 * job.seconds);
const latest = performance.now() + LONGEST_WAIT_MS;
while (answered < connections.length && performance.now() < latest) await after(1);
counting = false;
const milliseconds = performance.now() - began;
const cpu = process.cpuUsage(cpuBegan);
const core = watched();
if (answered === 0) fail('no request was answered');
stopping = true;
await Promise.all(connections.map((connection) => connection.end()));
console.log(JSON.stringify(result(milliseconds, cpu, core)));
