/** One MQTT connection of a panel, as the SDK's client would hold it, on mqtt-packet over a plain or a TLS socket. */

import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext } from 'node:tls';
import mqttPacket, { type Packet } from 'mqtt-packet';
import type { Fault } from './offline.js';

/** Control packet types [MQTT-2.2.1]. */
const CONNACK = 2;
const PUBLISH = 3;
const PUBACK = 4;
const SUBSCRIBE = 8;
const SUBACK = 9;
const PINGREQ = 12;
const PINGRESP = 13;

/** While the program has so many events before it, the socket is not read. */
const MOST_UNHEARD = 64;

export interface ConnectionSettings {
  /** Longest part of a message that is handed on at once, in bytes. */
  partBytes: number;
  /** What the client takes in all before the network has taken it, in bytes. */
  sendBytes: number;
  /** Present for TLS. */
  tls: SecureContext | undefined;
  /** How names are resolved, where not as this machine does. */
  lookup?: LookupFunction;
  /** Hears why there is no connection. The program does not, because the SDK's client gives it no reason either. */
  onFault?: ((fault: Fault) => void) | undefined;
}

export interface OpenRequest {
  host: string;
  port: number;
  user: string;
  password: string;
  /** Milliseconds. */
  keepAlive: number;
}

export interface WriteOptions {
  operation?: number;
  id?: number;
  topic?: string;
  QoS?: 0 | 1 | 2;
  items?: { topic: string; QoS?: 0 | 1 | 2 }[];
}

interface ControlMessage {
  id?: number;
  returnCode?: number;
  payload?: number[];
}

/** What the XS side hears, as `modules/mqtt-client.ts` understands it. `close` and `error` are the last. */
export type ConnectionEvent =
  | { what: 'readable'; info: { topic?: string; more: boolean; byteLength: number; QoS: number } }
  | { what: 'writable'; count: number }
  | { what: 'control'; operation: number; message: ControlMessage }
  | { what: 'close' | 'error' };

/** Sends the program an event, and calls `heard` when it has dealt with it. */
export type Tell = (event: ConnectionEvent, bytes: Uint8Array | undefined, heard: () => void) => void;

export class Connection {
  readonly #settings: ConnectionSettings;
  readonly #tell: Tell;
  readonly #keepAlive: number;
  /** The same as `#socket` without TLS. */
  readonly #tcp: Socket;
  readonly #socket: Socket;
  #ping: NodeJS.Timeout | undefined;
  #accepted = false;
  #frozen = false;
  #closed = false;
  /** How many bytes the next packet may have, by the last event. */
  #promised = 0;
  #unheard = 0;

  /** @throws Error for a port out of range */
  constructor(request: OpenRequest, settings: ConnectionSettings, tell: Tell) {
    this.#settings = settings;
    this.#tell = tell;
    this.#keepAlive = request.keepAlive;
    const { host, port } = request;
    const { lookup } = settings;
    this.#tcp = connect({ host, port, noDelay: true, ...(lookup && { lookup }) });
    this.#socket = settings.tls === undefined ? this.#tcp : secured(this.#tcp, host, settings.tls);
    this.#socket.on(settings.tls ? 'secureConnect' : 'connect', () => this.#greet(request));
    const parser = mqttPacket.parser({ protocolVersion: 4 });
    parser.on('packet', (packet) => this.#receive(packet));
    parser.on('error', () => this.#end('error'));
    this.#socket.on('data', (chunk) => {
      if (!this.#frozen && !this.#closed) parser.parse(chunk);
    });
    for (const socket of [this.#tcp, this.#socket]) {
      socket.on('error', (error) => this.#fail({ error }));
      socket.on('close', () => this.#end('close'));
    }
  }

  /** @returns what the next packet may have. @throws Error when this one is longer than that was */
  write(payload: Buffer, options: WriteOptions): number {
    const packet = mqttPacket.generate(packetOf(payload, options));
    if (packet.length > this.#room) throw new Error('overflow');
    if (!this.#frozen) this.#socket.write(packet, () => this.#written());
    this.#ping?.refresh();
    this.#promised = this.#room;
    return this.#promised;
  }

  /** The connection becomes half-open: no byte comes or goes any more, and neither side sees it. */
  freeze(): void {
    this.#frozen = true;
    clearTimeout(this.#ping);
  }

  /** The network is gone. A socket cannot be left behind like a cable: the other side sees its end. */
  lose(): void {
    this.#reset();
    this.#end('error');
  }

  /** The program hears nothing more. What the network has not taken by now is lost, as all of it may be. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#ping);
    if (this.#frozen) this.#reset();
    else this.#destroy();
  }

  get #room(): number {
    return this.#accepted ? Math.max(0, this.#settings.sendBytes - this.#socket.writableLength) : 0;
  }

  #greet({ user, password, keepAlive }: OpenRequest): void {
    const packet = mqttPacket.generate({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clean: true,
      clientId: user,
      keepalive: Math.round(keepAlive / 1000),
      username: user,
      password: Buffer.from(password),
    });
    if (!this.#frozen) this.#socket.write(packet);
  }

  #receive(packet: Packet): void {
    if (this.#closed) return;
    if (packet.cmd === 'connack') this.#admitted(packet.returnCode ?? 0);
    else if (packet.cmd === 'publish') this.#hand(packet.topic, Buffer.from(packet.payload), packet.qos);
    else if (packet.cmd === 'suback')
      this.#control(SUBACK, { id: packet.messageId ?? 0, payload: packet.granted as number[] });
    else if (packet.cmd === 'puback') this.#control(PUBACK, { id: packet.messageId ?? 0 });
    else if (packet.cmd === 'pingresp') this.#control(PINGRESP, {});
  }

  #admitted(returnCode: number): void {
    this.#accepted = returnCode === 0;
    if (!this.#accepted) this.#settings.onFault?.({ returnCode });
    this.#control(CONNACK, { returnCode });
    if (!this.#accepted) return;
    this.#offer();
    if (this.#keepAlive > 0) this.#ping = setInterval(() => this.#socket.write(PING), this.#keepAlive / 2);
  }

  /** The network has taken a packet. A program that may use the whole buffer already needs no event. */
  #written(): void {
    if (this.#promised < this.#settings.sendBytes) this.#offer();
  }

  #offer(): void {
    if (!this.#accepted || this.#closed || this.#frozen) return;
    this.#promised = this.#room;
    this.#say({ what: 'writable', count: this.#promised });
  }

  #control(operation: number, message: ControlMessage): void {
    this.#say({ what: 'control', operation, message });
  }

  #hand(topic: string, payload: Buffer, QoS: number): void {
    const { partBytes } = this.#settings;
    for (let start = 0; start === 0 || start < payload.length; start += partBytes) {
      const part = payload.subarray(start, start + partBytes);
      const more = start + partBytes < payload.length;
      const info = { more, byteLength: payload.length, QoS, ...(start === 0 && { topic }) };
      this.#say({ what: 'readable', info }, part);
    }
  }

  #say(event: ConnectionEvent, bytes?: Uint8Array): void {
    this.#unheard += 1;
    if (this.#unheard >= MOST_UNHEARD) this.#socket.pause();
    this.#tell(event, bytes, () => {
      this.#unheard -= 1;
      if (this.#unheard === 0) this.#socket.resume();
    });
  }

  #fail(fault: Fault): void {
    if (!this.#closed && !this.#frozen) this.#settings.onFault?.(fault);
    this.#end('error');
  }

  #end(what: 'close' | 'error'): void {
    clearTimeout(this.#ping);
    if (this.#closed || this.#frozen) return;
    this.#closed = true;
    this.#destroy();
    this.#say({ what });
  }

  /**
   * While it is connecting there is no peer to reset, and the reset would wait for one. Under TLS, Node does not
   * survive a reset: there the connection only ends.
   */
  #reset(): void {
    if (!this.#tcp.connecting && this.#socket === this.#tcp) this.#tcp.resetAndDestroy();
    this.#destroy();
  }

  #destroy(): void {
    this.#socket.destroy();
    this.#tcp.destroy();
  }
}

/** The server has to prove its name, or its address where it was given by that. */
const secured = (socket: Socket, host: string, secureContext: SecureContext): Socket =>
  connectTls({
    socket,
    host,
    secureContext,
    rejectUnauthorized: true,
    // An address has no place in the greeting [RFC 6066, section 3].
    ...(isIP(host) === 0 && { servername: host }),
  });

const PING = mqttPacket.generate({ cmd: 'pingreq' });

function packetOf(
  payload: Buffer,
  { operation = PUBLISH, id = 1, topic = '', QoS = 0, items = [] }: WriteOptions,
): Packet {
  if (operation === PUBLISH) {
    return { cmd: 'publish', topic, payload, qos: QoS, dup: false, retain: false, messageId: id };
  }
  if (operation === SUBSCRIBE) {
    const subscriptions = items.map((item) => ({ topic: item.topic, qos: item.QoS ?? 0 }));
    return { cmd: 'subscribe', messageId: id, subscriptions };
  }
  if (operation === PINGREQ) return { cmd: 'pingreq' };
  throw new Error(`operation ${operation} is not known`);
}
