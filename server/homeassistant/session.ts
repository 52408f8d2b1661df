/** The connection to the broker, and what the broker is to hold. */

import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import type { Logger } from 'pino';
import { BackOff } from '../../shared/backoff.js';
import type { Message } from './states.js';

/** Times are in milliseconds. */
export const SESSION_LIMITS = {
  backOffMin: 1000,
  backOffMax: 60_000,
  connectTimeoutMs: 10_000,
  /** When everything is said again, so many messages go in one slice, so that no client of the broker is flooded. */
  sliceMessages: 40,
  sliceMs: 50,
  /** So many messages wait for the broker's acknowledgement. Further ones wait here, each topic with its present value. */
  unacknowledged: 64,
  /** After a birth of Home Assistant everything is said again within so long, at random. */
  birthSpreadMs: 2000,
  /** The least time between two times that everything is said. */
  againMs: 10_000,
  /** How long the last message may take when the bridge is closed. */
  farewellMs: 1000,
};

const KEEP_ALIVE_SECONDS = 30;

export interface Broker {
  /** `mqtt://host:port` or `mqtts://host:port`. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** The authority of the broker's certificate, in PEM; those of Node.js when absent. */
  readonly ca?: string;
}

export interface Counters {
  connections: number;
  published: number;
  passes: number;
}

interface Parts {
  readonly broker: Broker;
  readonly clientId: string;
  /** Says `online` when everything else is said, and `offline` by the will. */
  readonly availability: { readonly topic: string; readonly online: string; readonly offline: string };
  readonly commands: string;
  readonly birth: { readonly topic: string; readonly payload: string };
  readonly onCommand: (topic: string, payload: Buffer, isRetained: boolean) => void;
  /** The broker has taken the clearing of a topic. */
  readonly onCleared: (topic: string) => void;
  readonly counters: Counters;
  readonly log: Logger;
  readonly limits?: Partial<typeof SESSION_LIMITS> | undefined;
}

/**
 * Keeps the retained messages of the broker as they are wanted. While there is no connection nothing is queued: after it
 * each topic gets its present value once. Each connection has an MQTT client of its own, because a client would send what
 * was not acknowledged again, however old.
 */
export class Session {
  readonly #parts: Parts;
  readonly #limits: typeof SESSION_LIMITS;
  readonly #backOff: BackOff;
  /** By topic; an empty payload clears it. */
  readonly #wanted = new Map<string, string>();
  /** What was published by this connection. */
  readonly #said = new Map<string, string>();
  /** The topics that wait for their turn: states that have changed, and those of a pass through everything. */
  readonly #changed = new Set<string>();
  readonly #pass = new Set<string>();
  #client: MqttClient | undefined;
  #isUp = false;
  #isClosed = false;
  #upSince = 0;
  #passAt = Number.NEGATIVE_INFINITY;
  #unacknowledged = 0;
  #retry: NodeJS.Timeout | undefined;
  #slice: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#limits = { ...SESSION_LIMITS, ...parts.limits };
    this.#backOff = new BackOff(this.#limits, Math.random);
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  isWanted(topic: string): boolean {
    return this.#wanted.has(topic);
  }

  /** How many topics wait for their turn. */
  get waiting(): number {
    return this.#changed.size + this.#pass.size;
  }

  open(): void {
    const { broker, clientId, availability } = this.#parts;
    const { url, ...proofs } = broker;
    const options: IClientOptions = {
      ...proofs,
      clientId,
      protocolVersion: 4,
      // A command that was given while the bridge was away is not carried out late.
      clean: true,
      keepalive: KEEP_ALIVE_SECONDS,
      reconnectPeriod: 0,
      connectTimeout: this.#limits.connectTimeoutMs,
      queueQoSZero: false,
      resubscribe: false,
      will: { topic: availability.topic, payload: Buffer.from(availability.offline), qos: 1, retain: true },
    };
    const client = connect(url, options);
    this.#client = client;
    let reason = 'the connection was closed';
    client.on('error', (error) => {
      reason = error.message;
      this.#lost(client, reason);
    });
    client.on('close', () => this.#lost(client, reason));
    client.on('connect', () => this.#subscribe(client));
    client.on('message', (topic, payload, { retain }) => this.#hear(topic, payload, retain));
  }

  /** Sets what the broker is to hold. A change of a state is published at once. */
  set(messages: readonly Message[], { inPass = false } = {}): void {
    for (const { topic, payload } of messages) {
      this.#wanted.set(topic, payload);
      if (!this.#isUp || this.#said.get(topic) === payload) continue;
      if (inPass) this.#pass.add(topic);
      else this.#sayNow(topic);
    }
    this.#goOn();
  }

  /** Publishes the present value of a topic once more. */
  repeat(topic: string): void {
    if (this.#isUp && this.#wanted.has(topic)) this.#sayNow(topic);
  }

  /** Publishes what the broker does not keep. It is lost without a connection. */
  tell(topic: string, payload: string): void {
    if (this.#isUp) this.#publish(topic, payload, false);
  }

  /** Says that the bridge goes, and disconnects. Hears no command any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    const client = this.#client;
    if (client === undefined) return;
    if (this.#isUp) {
      const { topic, offline } = this.#parts.availability;
      this.#rest();
      await new Promise<void>((done) => {
        const timer = setTimeout(done, this.#limits.farewellMs);
        client.publish(topic, offline, { qos: 1, retain: true }, () =>
          client.end(false, () => {
            clearTimeout(timer);
            done();
          }),
        );
      });
    }
    client.end(true);
  }

  #subscribe(client: MqttClient): void {
    const { availability, commands, birth, log } = this.#parts;
    const topics = [availability.topic, birth.topic, commands];
    client.subscribe(topics, { qos: 1 }, (error, granted = []) => {
      if (client !== this.#client || this.#isClosed) return;
      if (error !== null) return this.#lost(client, error.message);
      const refused = granted.filter(({ qos }) => qos === 128).map(({ topic }) => topic);
      if (refused.length > 0)
        log.error({ topics: refused }, 'the broker refuses a subscription of the bridge');
      this.#isUp = true;
      this.#upSince = performance.now();
      this.#parts.counters.connections += 1;
      log.info('connected to the broker of Home Assistant');
      this.#sayAll();
    });
  }

  #lost(client: MqttClient, reason: string): void {
    if (client !== this.#client) return;
    this.#client = undefined;
    client.end(true);
    if (this.#isClosed) return;
    if (this.#isUp) this.#backOff.stood(performance.now() - this.#upSince);
    this.#rest();
    const wait = this.#backOff.next();
    this.#parts.log.warn({ reason, retry_ms: wait }, 'no connection to the broker of Home Assistant');
    this.#retry = setTimeout(() => this.open(), wait).unref();
  }

  #rest(): void {
    this.#isUp = false;
    clearTimeout(this.#slice);
    clearTimeout(this.#again);
    this.#slice = undefined;
    this.#again = undefined;
    this.#unacknowledged = 0;
    this.#said.clear();
    this.#changed.clear();
    this.#pass.clear();
    this.#wanted.delete(this.#parts.availability.topic);
  }

  #hear(topic: string, payload: Buffer, isRetained: boolean): void {
    const { availability, birth, onCommand } = this.#parts;
    if (this.#isClosed) return;
    if (topic === availability.topic) {
      // The will of a former connection may come after this one has said that it is there.
      if (payload.toString() === availability.offline) this.repeat(topic);
    } else if (topic === birth.topic) {
      if (!isRetained && payload.toString() === birth.payload) this.#born();
    } else {
      onCommand(topic, payload, isRetained);
    }
  }

  /** Home Assistant has started. Many births in a short time are answered by one pass. */
  #born(): void {
    if (this.#again !== undefined || !this.#isUp) return;
    const { birthSpreadMs, againMs } = this.#limits;
    const wait = Math.max(Math.random() * birthSpreadMs, this.#passAt + againMs - performance.now());
    this.#again = setTimeout(() => {
      this.#again = undefined;
      this.#sayAll();
    }, wait).unref();
  }

  #sayAll(): void {
    this.#passAt = performance.now();
    this.#parts.counters.passes += 1;
    for (const topic of this.#wanted.keys()) this.#pass.add(topic);
    this.#goOn();
  }

  #sayNow(topic: string): void {
    if (this.#unacknowledged >= this.#limits.unacknowledged) this.#changed.add(topic);
    else this.#say(topic);
  }

  #say(topic: string): void {
    const payload = this.#wanted.get(topic);
    this.#changed.delete(topic);
    this.#pass.delete(topic);
    if (payload === undefined) return;
    this.#said.set(topic, payload);
    this.#publish(topic, payload, true, () => {
      if (payload === '' && this.#wanted.get(topic) === '') {
        this.#wanted.delete(topic);
        this.#parts.onCleared(topic);
      }
    });
  }

  #publish(topic: string, payload: string, retain: boolean, onTaken?: () => void): void {
    const client = this.#client;
    if (client === undefined) return;
    this.#unacknowledged += 1;
    this.#parts.counters.published += 1;
    client.publish(topic, payload, { qos: 1, retain }, (error) => {
      if (client !== this.#client || !this.#isUp) return;
      this.#unacknowledged -= 1;
      if (!error) onTaken?.();
      this.#goOn();
    });
  }

  /** Publishes the next slice of what waits. When nothing waits any more, the bridge is there. */
  #goOn(): void {
    if (!this.#isUp || this.#slice !== undefined) return;
    if (this.waiting === 0) return this.#appear();
    const { sliceMessages, sliceMs, unacknowledged } = this.#limits;
    for (const topic of [...this.#changed, ...this.#pass].slice(0, sliceMessages)) {
      if (this.#unacknowledged < unacknowledged) this.#say(topic);
    }
    this.#slice = setTimeout(() => {
      this.#slice = undefined;
      this.#goOn();
    }, sliceMs).unref();
  }

  #appear(): void {
    const { topic, online } = this.#parts.availability;
    if (this.#unacknowledged > 0 || this.#wanted.has(topic)) return;
    this.set([{ topic, payload: online }]);
  }
}
