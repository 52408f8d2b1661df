/** The life of one MQTT connection after the other: connect, subscribe, publish, keep alive, back off. */

import { BackOff } from '../shared/backoff.js';
import { OWN_TWIN } from '../shared/panel.js';
import type {
  Board,
  Fault,
  MqttClient,
  MqttControl,
  MqttMessageInfo,
  MqttWriteOptions,
  Timer,
} from './board.js';
import { Incoming } from './incoming.js';
import type { Trouble } from './trouble.js';

/** Control packet types [MQTT-2.2.1]. */
const CONNACK = 2;
const SUBSCRIBE = 8;
const SUBACK = 9;
const PINGREQ = 12;

/** This CONNACK and those above it say that the device is unknown, has another password or is disabled [MQTT-3.2.2-6]. */
const DEVICE_REFUSED = 4;

/** The most that a packet has beside its topic and its payload. */
const OVERHEAD = 7;
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
  /** Hears why each connection ended; for an accepted connection it hears `server`. */
  troubled?(trouble: Trouble): void;
  /** Of a payload that is longer than `LONGEST_PAYLOAD` only the first bytes come, so many that it still is. */
  received(topic: string, payload: ArrayBuffer): void;
  /**
   * The next message to publish, or undefined when there is nothing to say. Asked only when the connection may take it:
   * what waits, waits as state and not as messages, so that it is bounded and the newest state wins.
   */
  next(): Outgoing | undefined;
}

/** `accepted`: by a CONNACK. */
type Phase = 'offline' | 'accepted' | 'subscribing' | 'online';

export class Link {
  private readonly board: Board;
  private readonly user: LinkUser;
  private readonly incoming = new Incoming();
  private readonly backOff: BackOff;
  /** After a refusal of the device: a server locks out an address that has failed too often. */
  private readonly refusals: BackOff;
  private readonly keepAlive: number;
  private networkUp = false;
  private client: MqttClient | undefined;
  /** The number of the connection. Late events of an earlier one do not count. */
  private connection = 0;
  private phase: Phase = 'offline';
  private onlineSince = 0;
  /** How many bytes the client takes now. */
  private writable = 0;
  /** Fetched from the user, and waiting for room. */
  private unsent: Outgoing | undefined;
  private lastHeard = 0;
  private lastSent = 0;
  /** Ends an attempt that takes too long, or the wait for the next one. */
  private timer: Timer | undefined;
  private watchdog: Timer | undefined;

  constructor(board: Board, user: LinkUser) {
    this.board = board;
    this.user = user;
    const random = board.random;
    const { backOffMax, backOffRefused } = board.config;
    this.backOff = new BackOff(board.config, random);
    this.refusals = new BackOff({ backOffMin: backOffMax, backOffMax: backOffRefused }, random);
    this.keepAlive = Math.max(1000, board.config.keepAlive);
  }

  /** Connected and subscribed. */
  get online(): boolean {
    return this.phase === 'online';
  }

  /** To be called at every gain and loss of the network. */
  network(up: boolean): void {
    if (up === this.networkUp) return;
    this.networkUp = up;
    if (!up) return this.lose('the network is lost');
    this.backOff.reset();
    this.restartTimer(() => this.connect(), this.backOff.next());
  }

  /** Publishes what the user has to say, as far as the connection takes it now; the rest follows by itself. */
  flush(): void {
    while (this.online) {
      this.unsent ??= this.user.next();
      if (this.unsent === undefined) return;
      const topic = this.unsent.topic;
      const payload = this.unsent.payload;
      if (!this.write({ topic, QoS: 0 }, topic.length, payload)) return;
      this.unsent = undefined;
    }
  }

  private connect(): void {
    const config = this.board.config;
    const connection = ++this.connection;
    const live =
      <P extends unknown[]>(method: (...parameters: P) => void) =>
      (...parameters: P): void => {
        if (connection === this.connection) method.apply(this, parameters);
      };
    this.restartTimer(() => this.lose('no answer in time'), config.connectTimeout);
    this.board.trace(`link: connecting to ${config.server}`);
    try {
      this.client = this.board.mqtt({
        keepAlive: this.keepAlive,
        onReadable: live(this.onReadable),
        onWritable: live(this.onWritable),
        onControl: live(this.onControl),
        onClose: live(() => this.lose('the connection was closed')),
        onError: live((fault?: unknown) => {
          const kind = (fault as Fault)?.kind;
          this.user.troubled?.(kind === 'certificate' ? kind : 'server');
          this.lose(`${kind ?? 'network'} fault: ${fault ?? 'no reason given'}`);
        }),
      });
    } catch (error) {
      this.lose(`cannot connect: ${error}`);
    }
  }

  private onControl(operation: number, message: MqttControl): void {
    this.lastHeard = this.board.time.ticks();
    if (operation === CONNACK) this.onConnack(message.returnCode ?? 0);
    else if (operation === SUBACK) this.onSuback(message.payload?.[0] ?? 0);
  }

  private onConnack(returnCode: number): void {
    const isRefused = returnCode >= DEVICE_REFUSED;
    const backOff = isRefused ? this.refusals : this.backOff;
    this.user.troubled?.(isRefused ? 'device' : 'server');
    if (returnCode !== 0) return this.lose(`the server refuses this device, CONNACK ${returnCode}`, backOff);
    this.refusals.reset();
    this.phase = 'accepted';
    this.lastSent = this.lastHeard;
    this.watchdog = this.board.timers.repeat(() => this.watch(), this.keepAlive / 4);
    this.subscribe();
  }

  private onSuback(returnCode: number): void {
    if (returnCode === SUBSCRIPTION_REFUSED) return this.lose('the server refuses the subscription');
    if (this.online) return;
    this.stopTimer();
    this.phase = 'online';
    this.onlineSince = this.lastHeard;
    this.board.trace('link: online');
    this.user.connected();
    this.flush();
  }

  private onWritable(count: number): void {
    this.writable = count;
    this.subscribe();
    this.flush();
  }

  private onReadable(count: number, info: MqttMessageInfo): void {
    this.lastHeard = this.board.time.ticks();
    const part = this.client?.read(count);
    if (part === undefined) return;
    const payload = this.incoming.add(part, info);
    if (payload !== undefined) this.user.received(this.incoming.topic, payload);
  }

  private subscribe(): void {
    if (this.phase !== 'accepted') return;
    const topic = `${OWN_TWIN}#`;
    const items = [{ topic, QoS: 0 }];
    if (this.write({ operation: SUBSCRIBE, items }, topic.length)) this.phase = 'subscribing';
  }

  /** Anything that comes from the server is a sign of life; after half the keep-alive without one it is asked for. */
  private watch(): void {
    const now = this.board.time.ticks();
    const silence = now - this.lastHeard;
    if (silence >= 1.25 * this.keepAlive) return this.lose('the server is silent');
    if (Math.max(silence, now - this.lastSent) < this.keepAlive / 2) return;
    this.write({ operation: PINGREQ }, 0);
  }

  /** False when there is no room now: `onWritable` tells when there is. */
  private write(options: MqttWriteOptions, topicLength: number, payload?: ArrayBuffer): boolean {
    const size = OVERHEAD + topicLength + (payload?.byteLength ?? 0);
    if (this.client === undefined || size > this.writable) return false;
    try {
      this.writable = this.client.write(payload, options);
    } catch (error) {
      this.board.trace(`link: write failed: ${error}`);
      this.writable = 0;
      return false;
    }
    this.lastSent = this.board.time.ticks();
    return true;
  }

  private lose(why: string, backOff = this.backOff): void {
    const wasOnline = this.online;
    const client = this.client;
    this.board.trace(`link: ${why}`);
    // Not in this turn, which may be one of the client's own callbacks: the SDK's client does not survive that.
    this.board.timers.set(() => client?.close(), 0);
    this.board.timers.clear(this.watchdog);
    this.stopTimer();
    this.connection += 1;
    this.client = undefined;
    this.watchdog = undefined;
    this.unsent = undefined;
    this.phase = 'offline';
    this.writable = 0;
    this.incoming.clear();
    if (wasOnline) {
      backOff.stood(this.board.time.ticks() - this.onlineSince);
      this.user.disconnected();
    }
    if (this.networkUp) this.restartTimer(() => this.connect(), backOff.next());
  }

  private restartTimer(callback: () => void, delay: number): void {
    this.stopTimer();
    this.timer = this.board.timers.set(callback, delay);
  }

  private stopTimer(): void {
    this.board.timers.clear(this.timer);
    this.timer = undefined;
  }
}
