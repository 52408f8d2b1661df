/** What the server sends to a client: its packets as bytes, and their way to the client's stream. */

import type { Duplex } from 'node:stream';
import type { MqttLimits } from './endpoint.js';
import type { Acknowledging, ConnackCode, QoS } from './packet.js';

// mqtt-packet is not used to write, because one allocation for each packet costs less than its stream of pieces.

const ACKNOWLEDGEMENT_HEADERS: Readonly<Record<Acknowledging, number>> = {
  puback: 0x40,
  pubrec: 0x50,
  pubrel: 0x62,
  pubcomp: 0x70,
};

/** Session present is always 0, because there are no stored sessions [MQTT-3.2.2-1] [MQTT-3.2.2-4]. */
export const connack = (code: ConnackCode): Buffer => Buffer.from([0x20, 2, 0, code]);

export const acknowledgement = (command: Acknowledging, id: number): Buffer =>
  withPacketId(ACKNOWLEDGEMENT_HEADERS[command], id);

/** One code for each filter of the SUBSCRIBE, in its order [MQTT-3.9.3-1]. */
export function suback(id: number, codes: readonly number[]): Buffer {
  const length = 2 + codes.length;
  const packet = Buffer.alloc(1 + lengthBytes(length) + length);
  packet[0] = 0x90;
  packet.set(codes, packet.writeUInt16BE(id, writeLength(packet, length)));
  return packet;
}

export const unsuback = (id: number): Buffer => withPacketId(0xb0, id);

/** A packet whose body is its id. */
function withPacketId(header: number, id: number): Buffer {
  const packet = Buffer.allocUnsafe(4);
  packet[0] = header;
  packet[1] = 2;
  packet.writeUInt16BE(id, 2);
  return packet;
}

export const PINGRESP: Buffer = Buffer.from([0xd0, 0]);

/** A topic name as a PUBLISH carries it, with its length in front; at most 65,535 bytes. */
export function topicField(topic: string): Buffer {
  const length = Buffer.byteLength(topic);
  const field = Buffer.alloc(2 + length);
  field.write(topic, field.writeUInt16BE(length));
  return field;
}

/** @param topic made by {@link topicField} @param id not used at QoS 0 */
export function publish(topic: Buffer, payload: string, qos: QoS, id: number): Buffer {
  const length = topic.length + (qos === 0 ? 0 : 2) + Buffer.byteLength(payload);
  const packet = Buffer.allocUnsafe(1 + lengthBytes(length) + length);
  packet[0] = 0x30 | (qos << 1);
  let at = writeLength(packet, length);
  at += topic.copy(packet, at);
  if (qos !== 0) at = packet.writeUInt16BE(id, at);
  packet.write(payload, at);
  return packet;
}

/** How long a length field is (MQTT 3.1.1, 2.2.3). */
const lengthBytes = (length: number): number =>
  length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x20_0000 ? 3 : 4;

/** @returns where the packet's body begins */
function writeLength(packet: Buffer, length: number): number {
  let at = 1;
  for (let rest = length; ; rest >>= 7) {
    if (rest < 0x80) {
      packet[at] = rest;
      return at + 1;
    }
    packet[at++] = (rest & 0x7f) | 0x80;
  }
}

type BufferLimits = Pick<MqttLimits, 'bufferBytes' | 'bufferMs'>;

interface Events {
  /** The client reads again. */
  relieved(): void;
  /** The client has not read for too long. */
  stuck(): void;
}

let waiting: Output[] = [];

function flushAll(): void {
  const outputs = waiting;
  waiting = [];
  for (const output of outputs) output.flush();
}

/** The packets on their way to one client. Those of one turn of the event loop are written together at its end. */
export class Output {
  readonly #stream: Duplex;
  readonly #limits: BufferLimits;
  readonly #events: Events;
  #packets: Buffer[] = [];
  #bytes = 0;
  #slow: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(stream: Duplex, limits: BufferLimits, events: Events) {
    this.#stream = stream;
    this.#limits = limits;
    this.#events = events;
  }

  /** The client does not read. Its requests wait until it does. */
  get isFull(): boolean {
    return this.#bytes + this.#stream.writableLength > this.#limits.bufferBytes;
  }

  add(packet: Buffer): void {
    if (this.#closed) return;
    this.#bytes += packet.length;
    if (this.#packets.push(packet) === 1 && waiting.push(this) === 1) process.nextTick(flushAll);
  }

  flush(): void {
    const packets = this.#packets;
    const last = packets.pop();
    if (last === undefined) return;
    const slow = this.isFull;
    this.#packets = [];
    this.#bytes = 0;
    if (packets.length > 0) this.#stream.cork();
    for (const packet of packets) this.#stream.write(packet);
    if (slow) this.#stream.write(last, this.#taken);
    else this.#stream.write(last);
    if (packets.length > 0) this.#stream.uncork();
    if (this.isFull) this.#slow ??= setTimeout(this.#checkAgain, this.#limits.bufferMs);
  }

  /** Sends what was added before, and nothing after it. */
  close(): void {
    this.flush();
    this.#closed = true;
    clearTimeout(this.#slow);
  }

  readonly #taken = (): void => {
    if (this.#closed || this.isFull) return;
    clearTimeout(this.#slow);
    this.#slow = undefined;
    this.#events.relieved();
  };

  readonly #checkAgain = (): void => {
    this.#slow = undefined;
    if (this.isFull) this.#events.stuck();
  };
}
