/** What the server sends to a client: its packets as bytes, and their way to the client's stream. */

import type { Duplex } from 'node:stream';
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

/** The limits of `MqttLimits` for one device. */
interface BacklogLimits {
  readonly deviceBufferBytes: number;
  readonly deviceInFlight: number;
}

/** A connection that waits until its device has read answers. */
interface Waiting {
  relieved(): void;
}

/**
 * What all connections of one device have under way: requests, and the bytes of answers that the device has not read.
 * Room for the answers to the requests under way is counted in advance.
 */
export class Backlog {
  readonly #limits: BacklogLimits;
  readonly #waiting = new Set<Waiting>();
  /** The sessions of the device. */
  sessions = 0;
  #requests = 0;
  #bytes = 0;
  #isRelieving = false;

  constructor(limits: BacklogLimits) {
    this.#limits = limits;
  }

  /** No connection of the device is read until some answers are. */
  get isFull(): boolean {
    return this.#bytes >= this.#limits.deviceBufferBytes;
  }

  /** A request begins. @returns false when there are too many. Then it is not counted. */
  begin(answerBytes: number): boolean {
    if (this.#requests >= this.#limits.deviceInFlight) return false;
    this.#requests += 1;
    this.#bytes += answerBytes;
    return true;
  }

  /** A request that has begun is answered. */
  end(answerBytes: number): void {
    this.#requests -= 1;
    this.change(-answerBytes);
  }

  /** So many more bytes of answers wait for the device, or fewer. */
  change(bytes: number): void {
    this.#bytes += bytes;
    if (bytes < 0 && this.#waiting.size > 0 && !this.#isRelieving) this.#relieve();
  }

  /** Calls `relieved` of the connection when there is room. */
  wait(connection: Waiting): void {
    this.#waiting.add(connection);
  }

  leave(connection: Waiting): void {
    this.#waiting.delete(connection);
  }

  /** The connections that wait longest go first. */
  #relieve(): void {
    this.#isRelieving = true;
    for (const connection of this.#waiting) {
      if (this.isFull) break;
      this.#waiting.delete(connection);
      connection.relieved();
    }
    this.#isRelieving = false;
  }
}

/** The limits of `MqttLimits` for the answers of one connection. */
interface BufferLimits {
  readonly bufferBytes: number;
  readonly progressBytes: number;
  readonly progressMs: number;
}

interface Events {
  /** The client reads again. */
  relieved(): void;
  /** The client reads too little. */
  stuck(): void;
}

/** What the stream gets at a time. It does not say how much of it has left, only when all of it has. */
const PIECE_BYTES = 16 * 1024;

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
  /** What the stream does not have yet. */
  #packets: Buffer[] = [];
  #bytes = 0;
  #isQueued = false;
  #wasFull = false;
  #closed = false;
  /** The bytes of all packets so far. */
  #added = 0;
  /** The bytes that waited for the client when it was last looked at. The backlog counts them too. */
  #waiting = 0;
  #backlog: Backlog | undefined;
  /** Judges the client's progress while answers wait. */
  #judging: NodeJS.Timeout | undefined;
  /** The bytes that had left when that began. */
  #before = 0;

  constructor(stream: Duplex, limits: BufferLimits, events: Events) {
    this.#stream = stream;
    this.#limits = limits;
    this.#events = events;
  }

  get #unread(): number {
    return this.#bytes + this.#stream.writableLength;
  }

  /** The client does not read. Its requests wait until it does. */
  get isFull(): boolean {
    return this.#unread > this.#limits.bufferBytes;
  }

  /** From now on the backlog counts what waits. */
  countIn(backlog: Backlog): void {
    this.#backlog = backlog;
  }

  add(packet: Buffer): void {
    if (this.#closed) return;
    this.#bytes += packet.length;
    this.#added += packet.length;
    this.#packets.push(packet);
    if (this.#isQueued) return;
    this.#isQueued = true;
    if (waiting.push(this) === 1) process.nextTick(flushAll);
  }

  flush(): void {
    this.#isQueued = false;
    this.#advance();
  }

  /** Sends what was added before, and nothing after it. */
  close(): void {
    if (this.#bytes > 0) this.#write(this.#bytes);
    this.#closed = true;
    clearTimeout(this.#judging);
  }

  /** The stream is gone, and with it what was not read. */
  forget(): void {
    this.#backlog?.change(-this.#waiting);
    this.#backlog = undefined;
  }

  #advance(): void {
    if (this.isFull) this.#wasFull = true;
    while (this.#bytes > 0 && this.#stream.writableLength === 0) this.#write(PIECE_BYTES);
    const unread = this.#unread;
    if (unread === this.#waiting) return;
    const before = this.#waiting;
    this.#waiting = unread;
    if (before === 0 && !this.#closed) this.#judge();
    this.#backlog?.change(unread - before);
  }

  #write(most: number): void {
    const packets = this.#take(most);
    // A copy of so little takes less time than a write of several pieces.
    const bytes = packets.length === 1 ? packets[0] : Buffer.concat(packets);
    this.#stream.write(bytes, this.#taken);
  }

  /** Takes so many bytes from the packets. */
  #take(most: number): Buffer[] {
    const packets = this.#packets;
    if (this.#bytes <= most) {
      this.#packets = [];
      this.#bytes = 0;
      return packets;
    }
    this.#bytes -= most;
    let whole = 0;
    let room = most;
    let next = packets[0] as Buffer;
    for (; next.length <= room; next = packets[whole] as Buffer) {
      room -= next.length;
      whole += 1;
    }
    const taken = packets.splice(0, whole);
    if (room > 0) {
      taken.push(next.subarray(0, room));
      packets[0] = next.subarray(room);
    }
    return taken;
  }

  readonly #taken = (): void => {
    this.#advance();
    if (!this.#wasFull || this.#closed || this.isFull) return;
    this.#wasFull = false;
    this.#events.relieved();
  };

  #judge(): void {
    this.#before = this.#added - this.#waiting;
    if (this.#judging === undefined) this.#judging = setTimeout(this.#judged, this.#limits.progressMs);
    else this.#judging.refresh();
  }

  readonly #judged = (): void => {
    if (this.#waiting === 0) this.#judging = undefined;
    else if (this.#added - this.#waiting - this.#before >= this.#limits.progressBytes) this.#judge();
    else this.#events.stuck();
  };
}
