/** The life of one MQTT connection after the other: connect, subscribe, publish, keep alive, back off. */

import { BackOff } from '../shared/backoff.js';
import { OWN_TOPICS } from '../shared/topics.js';
import type { Board, MqttClient, MqttControl, MqttMessageInfo, MqttWriteOptions, Timer } from './board.js';
import { Incoming } from './incoming.js';

/** Control packet types [MQTT-2.2.1]. */
const CONNACK = 2;
const SUBSCRIBE = 8;
const SUBACK = 9;
const PINGREQ = 12;

/** This CONNACK and those above it say that the device is unknown, has another password or is disabled [MQTT-3.2.2-6]. */
const DEVICE_REFUSED = 4;

const PING_SIZE = 2;
const SUBSCRIBE_SIZE = 7 + OWN_TOPICS.length;
/** Fixed header, its length of up to two bytes, and the length of the topic. */
const PUBLISH_OVERHEAD = 5;
/** The return code of a filter that is refused [MQTT-3.9.3]. */
const SUBSCRIPTION_REFUSED = 0x80;

export interface Outgoing {
  /** ASCII. */
  topic: string;
  /** Never empty: a server that sends it back must not send the SDK's client an empty payload. */
  payload: ArrayBuffer;
}

export interface LinkUser {
  /** Subscribed; what there is to say is fetched right after this. */
  connected(): void;
  disconnected(): void;
  /** Of a payload that is longer than `LONGEST_PAYLOAD` only the first bytes come, so many that it still is. */
  received(topic: string, payload: ArrayBuffer): void;
  /**
   * The next message to publish, or undefined when there is nothing to say. Asked only when the connection may take it:
   * what waits, waits as state and not as messages, so that it is bounded and the newest state wins.
   */
  next(): Outgoing | undefined;
}

export class Link {
  readonly #board: Board;
  readonly #user: LinkUser;
  readonly #incoming = new Incoming();
  readonly #backOff: BackOff;
  /** After a refusal of the device: a server locks out an address that has failed too often. */
  readonly #refusals: BackOff;
  readonly #keepAlive: number;
  #networkUp = false;
  #client: MqttClient | undefined;
  /** Which connection it is: what is still heard of an earlier one does not count. */
  #connection = 0;
  #accepted = false;
  #subscribing = false;
  #online = false;
  #onlineSince = 0;
  /** How many bytes the client takes now. */
  #writable = 0;
  /** Fetched from the user, and waiting for room. */
  #unsent: Outgoing | undefined;
  #lastHeard = 0;
  #lastSent = 0;
  /** Ends an attempt that takes too long, or the wait for the next one. */
  #timer: Timer | undefined;
  #watchdog: Timer | undefined;

  constructor(board: Board, user: LinkUser) {
    this.#board = board;
    this.#user = user;
    const random = (): number => board.random();
    const { backOffMax, backOffRefused } = board.config;
    this.#backOff = new BackOff(board.config, random);
    this.#refusals = new BackOff({ backOffMin: backOffMax, backOffMax: backOffRefused }, random);
    this.#keepAlive = Math.max(1000, board.config.keepAlive);
  }

  /** Connected and subscribed. */
  get online(): boolean {
    return this.#online;
  }

  /** To be called at every gain and loss of the network. */
  network(up: boolean): void {
    if (up === this.#networkUp) return;
    this.#networkUp = up;
    if (!up) return this.lose('the network is lost');
    this.#backOff.reset();
    this.connectIn(this.#backOff.next());
  }

  /** Publishes what the user has to say, as far as the connection takes it now; the rest follows by itself. */
  flush(): void {
    while (this.#online) {
      this.#unsent ??= this.#user.next();
      if (this.#unsent === undefined) return;
      const topic = this.#unsent.topic;
      const payload = this.#unsent.payload;
      const size = PUBLISH_OVERHEAD + topic.length + payload.byteLength;
      if (!this.write(payload, { topic, QoS: 0 }, size)) return;
      this.#unsent = undefined;
    }
  }

  private connectIn(delay: number): void {
    this.restartTimer(() => this.connect(), delay);
  }

  private connect(): void {
    const config = this.#board.config;
    const connection = ++this.#connection;
    this.restartTimer(() => this.lose('no answer in time'), config.connectTimeout);
    this.#board.trace(`link: connecting to ${config.server}`);
    try {
      this.#client = this.open(connection);
    } catch (error) {
      this.lose(`cannot connect: ${error}`);
    }
  }

  private open(connection: number): MqttClient {
    const isLive = (): boolean => connection === this.#connection;
    return this.#board.mqtt({
      keepAlive: this.#keepAlive,
      onReadable: (count, info) => isLive() && this.onReadable(count, info),
      onWritable: (count) => isLive() && this.onWritable(count),
      onControl: (operation, message) => isLive() && this.onControl(operation, message),
      onClose: () => isLive() && this.lose('the connection was closed'),
      onError: (error) => isLive() && this.lose(`network fault: ${error ?? 'no reason given'}`),
    });
  }

  private onControl(operation: number, message: MqttControl): void {
    this.#lastHeard = this.#board.time.ticks();
    if (operation === CONNACK) this.onConnack(message.returnCode ?? 0);
    else if (operation === SUBACK) this.onSuback(message.payload?.[0] ?? 0);
  }

  private onConnack(returnCode: number): void {
    const backOff = returnCode < DEVICE_REFUSED ? this.#backOff : this.#refusals;
    if (returnCode !== 0) return this.lose(`the server refuses this device, CONNACK ${returnCode}`, backOff);
    this.#refusals.reset();
    this.#accepted = true;
    this.#lastSent = this.#lastHeard;
    this.#watchdog = this.#board.timers.repeat(() => this.watch(), this.#keepAlive / 4);
    this.subscribe();
  }

  private onSuback(returnCode: number): void {
    if (returnCode === SUBSCRIPTION_REFUSED) return this.lose('the server refuses the subscription');
    if (this.#online) return;
    this.stopTimer();
    this.#online = true;
    this.#onlineSince = this.#lastHeard;
    this.#board.trace('link: online');
    this.#user.connected();
    this.flush();
  }

  private onWritable(count: number): void {
    this.#writable = count;
    this.subscribe();
    this.flush();
  }

  private onReadable(count: number, info: MqttMessageInfo): void {
    this.#lastHeard = this.#board.time.ticks();
    const part = this.#client?.read(count);
    if (part === undefined) return;
    const payload = this.#incoming.add(part, info);
    if (payload !== undefined) this.#user.received(this.#incoming.topic, payload);
  }

  private subscribe(): void {
    if (!this.#accepted || this.#subscribing) return;
    const items = [{ topic: OWN_TOPICS, QoS: 0 }];
    this.#subscribing = this.write(undefined, { operation: SUBSCRIBE, items }, SUBSCRIBE_SIZE);
  }

  /** Anything that comes from the server is a sign of life; after half the keep-alive without one it is asked for. */
  private watch(): void {
    const now = this.#board.time.ticks();
    const silence = now - this.#lastHeard;
    if (silence >= 1.25 * this.#keepAlive) return this.lose('the server is silent');
    if (Math.max(silence, now - this.#lastSent) < this.#keepAlive / 2) return;
    this.write(undefined, { operation: PINGREQ }, PING_SIZE);
  }

  /** False when there is no room now: `onWritable` tells when there is. */
  private write(data: ArrayBuffer | undefined, options: MqttWriteOptions, size: number): boolean {
    if (this.#client === undefined || size > this.#writable) return false;
    try {
      this.#writable = this.#client.write(data, options);
    } catch (error) {
      this.#board.trace(`link: write failed: ${error}`);
      this.#writable = 0;
      return false;
    }
    this.#lastSent = this.#board.time.ticks();
    return true;
  }

  private lose(why: string, backOff = this.#backOff): void {
    const wasOnline = this.#online;
    this.#board.trace(`link: ${why}`);
    if (this.#client !== undefined) this.closeLater(this.#client);
    this.#board.timers.clear(this.#watchdog);
    this.stopTimer();
    this.#connection += 1;
    this.#client = undefined;
    this.#watchdog = undefined;
    this.#unsent = undefined;
    this.#accepted = false;
    this.#subscribing = false;
    this.#online = false;
    this.#writable = 0;
    this.#incoming.clear();
    if (wasOnline) {
      backOff.stood(this.#board.time.ticks() - this.#onlineSince);
      this.#user.disconnected();
    }
    if (this.#networkUp) this.connectIn(backOff.next());
  }

  /** Not in this turn, which may be one of the client's own callbacks: the SDK's client does not survive that. */
  private closeLater(client: MqttClient): void {
    this.#board.timers.set(() => client.close(), 0);
  }

  private restartTimer(callback: () => void, delay: number): void {
    this.stopTimer();
    this.#timer = this.#board.timers.set(callback, delay);
  }

  private stopTimer(): void {
    this.#board.timers.clear(this.#timer);
    this.#timer = undefined;
  }
}
