/** One MQTT connection of a panel, as the SDK's client would hold it, on mqtt-packet over a plain or a TLS socket. */

import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import mqttPacket, { type Packet } from 'mqtt-packet';

/** Control packet types [MQTT-2.2.1]. */
const CONNACK = 2;
const PUBLISH = 3;
const PUBACK = 4;
const SUBSCRIBE = 8;
const SUBACK = 9;
const PINGREQ = 12;
const PINGRESP = 13;

export interface ConnectionSettings {
  /** Longest part of a message that is handed on at once, in bytes. */
  partBytes: number;
  /** What the client takes in all before the network has taken it, in bytes. */
  sendBytes: number;
  /** Present for TLS. */
  tls: ConnectionOptions | undefined;
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

/** What the XS side is told, as `modules/mqtt-client.ts` understands it. */
export type ConnectionEvent =
  | { what: 'readable'; info: { topic?: string; more: boolean; byteLength: number; QoS: number } }
  | { what: 'writable'; count: number }
  | { what: 'control'; operation: number; message: { id?: number; returnCode?: number; payload?: number[] } }
  | { what: 'close' | 'error' };

export class Connection {
  readonly #settings: ConnectionSettings;
  readonly #socket: Socket;
  readonly #tell: (event: ConnectionEvent, bytes?: Uint8Array) => void;
  readonly #keepAlive: number;
  #ping: NodeJS.Timeout | undefined;
  #accepted = false;
  #frozen = false;
  #closed = false;

  constructor(
    request: OpenRequest,
    settings: ConnectionSettings,
    tell: (event: ConnectionEvent, bytes?: Uint8Array) => void,
  ) {
    this.#settings = settings;
    this.#tell = tell;
    this.#keepAlive = request.keepAlive;
    const { host, port } = request;
    this.#socket = settings.tls ? connectTls({ host, port, ...settings.tls }) : connect({ host, port });
    this.#socket.setNoDelay(true);
    this.#socket.on(settings.tls ? 'secureConnect' : 'connect', () => this.#greet(request));
    const parser = mqttPacket.parser({ protocolVersion: 4 });
    parser.on('packet', (packet) => this.#receive(packet));
    parser.on('error', () => this.#end('error'));
    this.#socket.on('data', (chunk) => {
      if (!this.#frozen && !this.#closed) parser.parse(chunk);
    });
    this.#socket.on('drain', () => this.#offer());
    // A reason is not told: the SDK's client has none either.
    this.#socket.on('error', () => this.#end('error'));
    this.#socket.on('close', () => this.#end('close'));
  }

  /** Bytes that the next packet may have. */
  get writable(): number {
    return this.#accepted ? Math.max(0, this.#settings.sendBytes - this.#socket.writableLength) : 0;
  }

  /** @returns what the next packet may have. @throws Error when this one is longer than that was */
  write(payload: Buffer, options: WriteOptions): number {
    const packet = mqttPacket.generate(packetOf(payload, options));
    if (packet.length > this.writable) throw new Error('overflow');
    if (!this.#frozen) this.#socket.write(packet);
    this.#ping?.refresh();
    return this.writable;
  }

  /** From now on nothing comes and nothing goes, and nobody is told: a half-open connection. */
  freeze(): void {
    this.#frozen = true;
    clearTimeout(this.#ping);
  }

  /** The network is gone: the other side is not told, and this side finds out by itself. */
  lose(): void {
    this.#socket.resetAndDestroy();
    this.#end('error');
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#ping);
    if (this.#frozen) this.#socket.resetAndDestroy();
    else this.#socket.destroySoon();
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
    this.#control(CONNACK, { returnCode });
    if (!this.#accepted) return;
    this.#offer();
    if (this.#keepAlive > 0) this.#ping = setInterval(() => this.#socket.write(PING), this.#keepAlive / 2);
  }

  #offer(): void {
    if (this.#accepted && !this.#closed && !this.#frozen)
      this.#tell({ what: 'writable', count: this.writable });
  }

  #control(operation: number, message: { id?: number; returnCode?: number; payload?: number[] }): void {
    this.#tell({ what: 'control', operation, message });
  }

  #hand(topic: string, payload: Buffer, QoS: number): void {
    const { partBytes } = this.#settings;
    for (let start = 0; start === 0 || start < payload.length; start += partBytes) {
      const part = payload.subarray(start, start + partBytes);
      const more = start + partBytes < payload.length;
      const info = { more, byteLength: payload.length, QoS, ...(start === 0 && { topic }) };
      this.#tell({ what: 'readable', info }, part);
    }
  }

  #end(what: 'close' | 'error'): void {
    clearTimeout(this.#ping);
    if (this.#closed || this.#frozen) return;
    this.#closed = true;
    this.#socket.destroy();
    this.#tell({ what });
  }
}

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
