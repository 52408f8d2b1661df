/**
 * An ECMA-419 MQTT client and its sockets, with the manners of the SDK's: it reads headers byte by byte, says nothing of
 * why it was refused, and forgets its options when it is closed, whatever is still on its way to it.
 */

import type { MqttControl, MqttMessageInfo } from '../../../../firmware/board.js';

const CONNACK = 2;
const PUBLISH = 3;
const ROOM = 1000;

interface SocketOptions {
  address?: string;
  secure?: object;
  onReadable?: (count: number) => void;
  onWritable?: (count: number) => void;
  onError?: () => void;
}

/** A TCP socket at whose other end the test sits. Its prototype is frozen, as it is on a board. */
export class SdkSocket {
  static readonly opened: SdkSocket[] = [];
  readonly options: SocketOptions;
  format: 'number' | 'buffer' = 'buffer';
  #bytes: number[] = [];

  constructor(options: SocketOptions, opens = true) {
    this.options = options;
    SdkSocket.opened.push(this);
    if (opens) this.open();
  }

  static get latest(): SdkSocket {
    const latest = SdkSocket.opened.at(-1);
    if (latest === undefined) throw new Error('no socket was opened');
    return latest;
  }

  open(): void {
    this.options.onWritable?.(ROOM);
  }

  read(count?: number): number | ArrayBuffer | undefined {
    if (this.format === 'number') return this.#bytes.shift();
    return new Uint8Array(this.#bytes.splice(0, count)).buffer;
  }

  close(): void {
    this.#bytes = [];
  }

  receive(bytes: number[]): void {
    this.#bytes.push(...bytes);
    this.options.onReadable?.(this.#bytes.length);
  }

  fail(): void {
    this.options.onError?.();
  }
}
Object.freeze(SdkSocket.prototype);

interface ClientOptions {
  host: string;
  port: number;
  keepAlive: number;
  id?: string;
  user?: string;
  password?: string;
  dns: { io: new (options: object) => { resolve(query: object): void } };
  socket: { io: new (options: object) => SdkSocket; secure?: object };
  onReadable?: (count: number, info: MqttMessageInfo) => void;
  onWritable?: (count: number) => void;
  onControl?: (message: MqttControl) => void;
  onError?: () => void;
}

export class SdkClient {
  static latest: SdkClient;
  readonly written: unknown[] = [];
  #options: ClientOptions | undefined;
  #socket: SdkSocket | undefined;

  constructor(options: ClientOptions) {
    SdkClient.latest = this;
    this.#options = options;
    const { dns, host } = options;
    new dns.io(dns).resolve({
      host,
      onResolved: (host: string, address: string) => this.#connect(host, address),
      onError: () => this.#fail(),
    });
  }

  get options(): ClientOptions {
    if (this.#options === undefined) throw new Error('closed');
    return this.#options;
  }

  read(count: number): ArrayBuffer {
    const part = this.#socket?.read(count);
    if (part instanceof ArrayBuffer) return part;
    throw new Error('nothing to read');
  }

  write(...packet: unknown[]): number {
    this.written.push(packet);
    return ROOM;
  }

  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
    this.#options = undefined;
  }

  #connect(host: string, address: string): void {
    try {
      // As in the SDK: after a close there are no options any more.
      const { socket, port } = this.#options as ClientOptions;
      this.#socket = new socket.io({
        ...socket,
        address,
        host,
        port,
        onReadable: () => this.#parse(),
        onWritable: () => undefined,
        onError: () => this.#fail(),
      });
    } catch {
      this.#fail();
    }
  }

  #fail(): void {
    (this.#options as ClientOptions).onError?.();
    this.close();
  }

  #parse(): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    const byte = (): number => Number(socket.read());
    socket.format = 'number';
    const operation = byte() >> 4;
    const length = byte();
    if (operation === PUBLISH) return this.#message(socket, length, byte);
    const rest = Array.from({ length }, byte);
    if (operation !== CONNACK) return this.#options?.onControl?.({ operation, payload: rest.slice(2) });
    const returnCode = rest[1] ?? 0;
    if (returnCode !== 0) return this.#fail();
    this.#options?.onControl?.({ operation, returnCode });
    this.#options?.onWritable?.(ROOM);
  }

  #message(socket: SdkSocket, length: number, byte: () => number): void {
    const topicLength = byte() * 256 + byte();
    const name = Uint8Array.from({ length: topicLength }, byte);
    const topic = new TextDecoder('utf-8', { fatal: true }).decode(name);
    const byteLength = length - 2 - topicLength;
    socket.format = 'buffer';
    this.#options?.onReadable?.(byteLength, { topic, more: false, byteLength, QoS: 0 });
  }
}
