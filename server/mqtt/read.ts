/**
 * A client's bytes, read as packets. PUBLISH and the acknowledgements come often, and they are read here in a tenth of
 * the time that mqtt-packet takes, and so are SUBSCRIBE and UNSUBSCRIBE, which can be long. mqtt-packet reads CONNECT. The
 * rules that it does not check are checked here.
 */

import { isUtf8 } from 'node:buffer';
import mqttPacket, { type IConnectPacket } from 'mqtt-packet';
import { isTopicFilter } from '../../shared/topics.js';
import type { MqttLimits } from './endpoint.js';
import {
  type Acknowledgement,
  type Acknowledging,
  type Bare,
  type Connect,
  LimitReached,
  type Packet,
  ProtocolViolation,
  type Publish,
  type QoS,
  type Subscribe,
  UnknownProtocol,
  type Unsubscribe,
} from './packet.js';

/** Both bound the remaining length of a packet (MQTT 3.1.1, 2.2.3). */
type LengthLimits = Pick<MqttLimits, 'connectBytes' | 'packetBytes'>;

const CONNECT_HEADER = 0x10;
/** The longest length field (MQTT 3.1.1, 2.2.3). */
const LENGTH_BYTES = 4;
const NOTHING = Buffer.alloc(0);

const NUL = 'U+0000 in a string [MQTT-1.5.3-2]';
const EMPTY_FILTER = 'an empty topic filter [MQTT-4.7.3-1]';

/**
 * Cuts a stream of bytes into whole packets. The length field of a packet is checked before its body is kept. A packet
 * that comes in pieces takes only its own length of memory.
 */
export class Framing {
  readonly #limits: LengthLimits;
  #isFirst = true;
  /** From `#at` on they are not cut yet. */
  #bytes: Buffer = NOTHING;
  #at = 0;
  /** The bytes are those that were pushed, which hold only until `keep`. */
  #isLent = false;
  /** A packet whose rest has not come. It has the length that its length field says. */
  #partial: Buffer | undefined;
  #filled = 0;

  constructor(limits: LengthLimits) {
    this.#limits = limits;
  }

  push(chunk: Buffer): void {
    this.#isLent = this.#at === this.#bytes.length;
    this.#bytes = this.#isLent ? chunk : Buffer.concat([this.#bytes.subarray(this.#at), chunk]);
    this.#at = 0;
  }

  /** What was pushed may change from now on. */
  keep(): void {
    if (this.#isLent) this.#hold(Buffer.from(this.#bytes.subarray(this.#at)));
  }

  /**
   * The next whole packet, or undefined until more is pushed. It may share memory with what was pushed.
   * @throws ProtocolViolation when the first packet is not a CONNECT [MQTT-3.1.0-1], LimitReached for a length over a
   * limit
   */
  next(): Buffer | undefined {
    if (this.#partial !== undefined) return this.#fill(this.#partial);
    const start = this.#at;
    const header = this.#bytes[start];
    if (header === undefined) return this.#hold(NOTHING);
    if (this.#isFirst && header !== CONNECT_HEADER) {
      throw new ProtocolViolation('the first packet is not a CONNECT [MQTT-3.1.0-1]');
    }
    const body = bodyOffset(this.#bytes, start);
    if (body === undefined) return this.#hold(Buffer.from(this.#bytes.subarray(start)));
    const end = body + this.#lengthOf(start, body);
    if (end > this.#bytes.length) {
      this.#partial = Buffer.allocUnsafe(end - start);
      this.#filled = 0;
      return this.#fill(this.#partial);
    }
    this.#isFirst = false;
    this.#at = end;
    return start === 0 && end === this.#bytes.length ? this.#bytes : this.#bytes.subarray(start, end);
  }

  /** The remaining length of the packet that begins at `start`. @throws LimitReached */
  #lengthOf(start: number, body: number): number {
    let length = 0;
    for (let at = body - 1; at > start; at--) length = length * 0x80 + ((this.#bytes[at] ?? 0) & 0x7f);
    const limit = this.#isFirst ? this.#limits.connectBytes : this.#limits.packetBytes;
    if (length > limit) throw new LimitReached(`a packet of ${length} bytes; ${limit} are allowed`);
    return length;
  }

  #fill(partial: Buffer): Buffer | undefined {
    const copied = this.#bytes.copy(partial, this.#filled, this.#at);
    this.#at += copied;
    this.#filled += copied;
    if (this.#filled < partial.length) return this.#hold(NOTHING);
    this.#partial = undefined;
    this.#isFirst = false;
    return partial;
  }

  #hold(bytes: Buffer): undefined {
    this.#bytes = bytes;
    this.#at = 0;
    this.#isLent = false;
  }
}

/**
 * Where the body of the packet at `start` begins. Undefined until its whole length field has come.
 * @throws ProtocolViolation for a length field that goes on after four bytes
 */
function bodyOffset(bytes: Buffer, start: number): number | undefined {
  for (let at = start + 1; at <= start + LENGTH_BYTES; at++) {
    const byte = bytes[at];
    if (byte === undefined) return undefined;
    if (byte < 0x80) return at + 1;
  }
  throw new ProtocolViolation('the length field is longer than four bytes (MQTT 3.1.1, 2.2.3)');
}

const PUBLISH = 3;
const REPLACEMENT = '\ufffd';

/**
 * The packets that a client may send besides PUBLISH, by type, with the lower four bits of the first byte
 * [MQTT-2.2.2-1].
 */
const TYPES: Readonly<Record<number, { readonly command: Packet['command']; readonly bits: number }>> = {
  1: { command: 'connect', bits: 0 },
  4: { command: 'puback', bits: 0 },
  5: { command: 'pubrec', bits: 0 },
  6: { command: 'pubrel', bits: 2 },
  7: { command: 'pubcomp', bits: 0 },
  8: { command: 'subscribe', bits: 2 },
  10: { command: 'unsubscribe', bits: 2 },
  12: { command: 'pingreq', bits: 0 },
  14: { command: 'disconnect', bits: 0 },
};

/**
 * Reads a whole packet.
 * @throws ProtocolViolation when MQTT 3.1.1 does not allow it
 */
export function readPacket(bytes: Buffer): Packet {
  const header = bytes[0] ?? 0;
  const start = bodyOffset(bytes, 0) ?? bytes.length;
  if (header >> 4 === PUBLISH) return readPublish(bytes, header, start);
  const type = TYPES[header >> 4];
  if (type === undefined) throw new ProtocolViolation(`packet type ${header >> 4} is not for a server`);
  if ((header & 0x0f) !== type.bits) throw new ProtocolViolation('wrong reserved bits [MQTT-2.2.2-2]');
  const body = bytes.subarray(start);
  switch (type.command) {
    case 'connect':
      return readConnect(bytes, body);
    case 'subscribe':
      return readSubscribe(body);
    case 'unsubscribe':
      return readUnsubscribe(body);
    case 'pingreq':
    case 'disconnect':
      return readBare(type.command, body);
    default:
      return readAcknowledgement(type.command as Acknowledging, body);
  }
}

/** Ignores the retain flag, because nothing is retained. */
function readPublish(bytes: Buffer, header: number, start: number): Publish {
  const qos = (header >> 1) & 3;
  if (qos === 3) throw new ProtocolViolation('QoS 3 [MQTT-3.3.1-4]');
  if (qos === 0 && (header & 8) !== 0) throw new ProtocolViolation('DUP with QoS 0 [MQTT-3.3.1-2]');
  const topicStart = start + 2;
  const topicEnd = topicStart + (topicStart > bytes.length ? 0 : bytes.readUInt16BE(start));
  const payloadStart = qos === 0 ? topicEnd : topicEnd + 2;
  if (payloadStart > bytes.length) throw new ProtocolViolation('a PUBLISH is cut short');
  const topic = bytes.toString('utf8', topicStart, topicEnd);
  if (topic.includes(REPLACEMENT)) validUtf8(bytes.subarray(topicStart, topicEnd));
  return {
    command: 'publish',
    topic: validTopicName(topic),
    qos: qos as QoS,
    id: qos === 0 ? 0 : validPacketId(bytes.readUInt16BE(topicEnd)),
    payload: bytes.subarray(payloadStart),
  };
}

function readAcknowledgement(command: Acknowledging, body: Buffer): Acknowledgement {
  if (body.length !== 2) throw new ProtocolViolation(`a ${command.toUpperCase()} of a wrong length`);
  return { command, id: validPacketId(body.readUInt16BE(0)) };
}

function readBare(command: Bare['command'], body: Buffer): Bare {
  if (body.length !== 0) throw new ProtocolViolation(`a ${command.toUpperCase()} of a wrong length`);
  return { command };
}

/** How the body of a CONNECT begins: the protocol's name and level. */
const PROTOCOL = Buffer.from('\x00\x04MQTT\x04', 'latin1');
/** The length of protocol name and level, flags and keep-alive, which precede the payload of a CONNECT. */
const CONNECT_BYTES = 10;

/** @throws UnknownProtocol, ProtocolViolation */
function readConnect(bytes: Buffer, body: Buffer): Connect {
  if (!body.subarray(0, PROTOCOL.length).equals(PROTOCOL)) {
    throw new UnknownProtocol('not MQTT 3.1.1 [MQTT-3.1.2-2]');
  }
  const { will, username, password, clientId, clean, keepalive } = parse<IConnectPacket>(bytes);
  const fields: Field[] = ['text'];
  if (will !== undefined) fields.push('text', 'binary');
  if (username !== undefined) fields.push('text');
  if (password !== undefined) fields.push('binary');
  validFields(body, CONNECT_BYTES, fields);
  if (password !== undefined && username === undefined) {
    throw new ProtocolViolation('a password without a user name [MQTT-3.1.2-22]');
  }
  return {
    command: 'connect',
    clientId: validString(clientId),
    clean: clean ?? true,
    keepAlive: keepalive ?? 0,
    userName: username === undefined ? undefined : validString(username),
    password,
    will: will && {
      topic: validTopicName(will.topic),
      payload: Buffer.from(will.payload),
      qos: validQoS(will.qos ?? 0, 'MQTT-3.1.2-14'),
    },
  };
}

/** Where the filters of a SUBSCRIBE or an UNSUBSCRIBE begin, after the packet id. */
const FILTERS_START = 2;
/** How many filters of one packet are read. A session may have 100 subscriptions. */
const MOST_FILTERS = 128;
const SPACE = 0x20;

function readSubscribe(body: Buffer): Subscribe {
  const filters: { filter: string; qos: QoS }[] = [];
  let at = FILTERS_START;
  for (; at < body.length && filters.length < MOST_FILTERS; at++) {
    const end = textEnd(body, at);
    filters.push({ filter: filterAt(body, at, end), qos: qosAt(body, end) });
    at = end;
  }
  if (filters.length === 0) throw new ProtocolViolation('an empty SUBSCRIBE [MQTT-3.8.3-3]');
  const further = at < body.length ? countFilters(Buffer.from(body.subarray(at))) : 0;
  return { command: 'subscribe', id: validPacketId(body.readUInt16BE(0)), filters, further };
}

/**
 * Counts the filters and QoS of a SUBSCRIBE that are not read one by one, because they can be 32,000. Checks that they
 * are UTF-8 without U+0000 all together, with spaces in place of what stands between them.
 */
function countFilters(bytes: Buffer): number {
  let count = 0;
  for (let at = 0; at < bytes.length; at++) {
    const end = textEnd(bytes, at);
    if (end === at + 2) throw new ProtocolViolation(EMPTY_FILTER);
    qosAt(bytes, end);
    bytes[at] = bytes[at + 1] = bytes[end] = SPACE;
    count += 1;
    at = end;
  }
  if (validUtf8(bytes).includes(0)) throw new ProtocolViolation(NUL);
  return count;
}

/** A session has fewer subscriptions, so no client has so many to end. */
function readUnsubscribe(body: Buffer): Unsubscribe {
  const filters: string[] = [];
  for (let at = FILTERS_START; at < body.length; ) {
    if (filters.length === MOST_FILTERS) throw new LimitReached('too many filters in an UNSUBSCRIBE');
    const end = textEnd(body, at);
    filters.push(filterAt(body, at, end));
    at = end;
  }
  if (filters.length === 0) throw new ProtocolViolation('an empty UNSUBSCRIBE [MQTT-3.10.3-2]');
  return { command: 'unsubscribe', id: validPacketId(body.readUInt16BE(0)), filters };
}

/** Where a text ends whose length stands at `at`. @throws ProtocolViolation when the body ends before */
function textEnd(body: Buffer, at: number): number {
  const start = at + 2;
  const end = start > body.length ? start : start + body.readUInt16BE(at);
  if (end > body.length) throw new ProtocolViolation('a topic filter is cut short');
  return end;
}

const filterAt = (body: Buffer, at: number, end: number): string =>
  validTopicFilter(validUtf8(body.subarray(at + 2, end)).toString());

function qosAt(body: Buffer, at: number): QoS {
  const qos = body[at];
  if (qos === undefined) throw new ProtocolViolation('a SUBSCRIBE is cut short');
  return validQoS(qos, 'MQTT-3.8.3-4');
}

/** Uses a new parser for each packet, because a parser keeps a packet that is not complete. */
function parse<T>(bytes: Buffer): T {
  const parser = mqttPacket.parser({ protocolVersion: 4 });
  let packet: unknown;
  let fault: Error | undefined;
  parser.on('packet', (parsed) => {
    packet = parsed;
  });
  parser.on('error', (error: Error) => {
    fault = error;
  });
  parser.parse(bytes);
  if (packet !== undefined && fault === undefined) return packet as T;
  throw new ProtocolViolation(`malformed: ${fault?.message ?? 'cut short'}`);
}

/** A field in a packet's body: a text or bytes with two bytes of length in front, or one byte. */
type Field = 'text' | 'binary' | 'byte';

/**
 * Checks that the fields fill a body from `start` to its end and that every text is UTF-8. mqtt-packet does not check
 * it, and puts replacement characters into a text that is not UTF-8.
 */
function validFields(body: Buffer, start: number, fields: readonly Field[]): void {
  let at = start;
  for (const field of fields) {
    if (field === 'byte') at += 1;
    else {
      const end = at + 2 + body.readUInt16BE(at);
      if (field === 'text') validUtf8(body.subarray(at + 2, end));
      at = end;
    }
  }
  if (at !== body.length) throw new ProtocolViolation('bytes after the end of the payload');
}

// The rules of the fields. Each function returns its argument or throws a ProtocolViolation.

function validQoS(qos: number, rule: string): QoS {
  if (qos === 0 || qos === 1 || qos === 2) return qos;
  throw new ProtocolViolation(`QoS ${qos} [${rule}]`);
}

function validPacketId(id: number | undefined): number {
  if (id !== undefined && id > 0) return id;
  throw new ProtocolViolation('packet id 0 [MQTT-2.3.1-1]');
}

function validUtf8(bytes: Buffer): Buffer {
  if (isUtf8(bytes)) return bytes;
  throw new ProtocolViolation('a string is not UTF-8 [MQTT-1.5.3-1]');
}

function validString(text: string): string {
  if (!text.includes('\0')) return text;
  throw new ProtocolViolation(NUL);
}

const NOT_IN_TOPIC_NAMES = /[\0+#]/;

function validTopicName(topic: string): string {
  if (topic === '') throw new ProtocolViolation('an empty topic name [MQTT-4.7.3-1]');
  if (!NOT_IN_TOPIC_NAMES.test(topic)) return topic;
  validString(topic);
  throw new ProtocolViolation('a wildcard in a topic name [MQTT-3.3.2-2]');
}

function validTopicFilter(filter: string): string {
  if (isTopicFilter(validString(filter))) return filter;
  throw new ProtocolViolation('a malformed topic filter [MQTT-4.7.1-2] [MQTT-4.7.1-3] [MQTT-4.7.3-1]');
}
