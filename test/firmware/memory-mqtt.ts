/** An ECMA-419 MQTT client without a network, as strict and as moody as the SDK's; the test is its server. */

import type { MqttClient, MqttMessageInfo, MqttOptions, MqttWriteOptions } from '../../firmware/board.js';

const PUBLISH = 3;
const SUBSCRIBE = 8;
const PINGREQ = 12;

export interface Published {
  topic: string;
  /** The payload as JSON. */
  body: unknown;
}

export class MemoryMqtt implements MqttClient {
  readonly options: MqttOptions;
  readonly published: Published[] = [];
  readonly subscribed: string[] = [];
  pings = 0;
  closes = 0;
  /** What the socket takes; every packet takes from it. */
  room = 0;
  /** Thrown by the next write. */
  writeError: Error | undefined;
  #inCallback = false;
  #unread = new Uint8Array(0);

  constructor(options: MqttOptions) {
    this.options = options;
  }

  read(count: number): ArrayBuffer {
    const part = this.#unread.slice(0, count);
    this.#unread = this.#unread.slice(count);
    return part.buffer;
  }

  write(data: ArrayBuffer | undefined, options: MqttWriteOptions): number {
    if (this.closes > 0) throw new Error('closed');
    if (this.writeError !== undefined) throw this.writeError;
    const size = sizeOf(data, options);
    if (size > this.room) throw new Error('overflow');
    this.room -= size;
    const operation = options.operation ?? PUBLISH;
    if (operation === PINGREQ) this.pings += 1;
    else if (operation === SUBSCRIBE)
      this.subscribed.push(...(options.items ?? []).map(({ topic }) => topic));
    else this.published.push({ topic: options.topic ?? '', body: parse(data) });
    return this.room;
  }

  close(): void {
    this.closes += 1;
    if (this.#inCallback) throw new Error('closed within a callback: the client does not survive that');
  }

  /** The server takes the connection and the subscription. */
  accept(room = 10_000): void {
    this.acknowledge(0);
    this.makeRoom(room);
    this.confirm(0);
  }

  acknowledge(returnCode: number): void {
    this.#call(() => this.options.onControl(2, { operation: 2, returnCode }));
  }

  confirm(returnCode: number): void {
    this.#call(() => this.options.onControl(9, { operation: 9, id: 1, payload: [returnCode] }));
  }

  pong(): void {
    this.#call(() => this.options.onControl(13, { operation: 13 }));
  }

  makeRoom(room: number): void {
    this.room = room;
    this.#call(() => this.options.onWritable(room));
  }

  /** A message of the server, in parts of so many bytes. */
  deliver(topic: string, body: string | Uint8Array | object, partLength = Number.POSITIVE_INFINITY): void {
    const bytes = toBytes(body);
    for (let at = 0; at < bytes.length; at += partLength) {
      const part = bytes.slice(at, at + partLength);
      const more = at + partLength < bytes.length;
      const first: MqttMessageInfo = { topic, more, byteLength: bytes.length, QoS: 0 };
      this.#unread = part;
      this.#call(() => this.options.onReadable(part.length, at === 0 ? first : { more }));
    }
  }

  /** The connection fails, without a reason. */
  fail(): void {
    this.#call(() => this.options.onError());
  }

  end(): void {
    this.#call(() => this.options.onClose());
  }

  /** What was published since this was last asked. */
  take(): Published[] {
    return this.published.splice(0);
  }

  #call(callback: () => void): void {
    this.#inCallback = true;
    try {
      callback();
    } finally {
      this.#inCallback = false;
    }
  }
}

/** As the SDK's client reckons it. */
function sizeOf(
  data: ArrayBuffer | undefined,
  { operation = PUBLISH, topic, items }: MqttWriteOptions,
): number {
  if (operation === PINGREQ) return 2;
  if (operation === SUBSCRIBE) return 4 + (items ?? []).reduce((sum, item) => sum + 3 + item.topic.length, 0);
  const length = 2 + (topic ?? '').length + (data?.byteLength ?? 0);
  return 1 + (length < 128 ? 1 : 2) + length;
}

const parse = (data: ArrayBuffer | undefined): unknown => JSON.parse(new TextDecoder().decode(data));

function toBytes(body: string | Uint8Array | object): Uint8Array<ArrayBuffer> {
  if (body instanceof Uint8Array) return new Uint8Array(body);
  return new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body)).slice();
}
