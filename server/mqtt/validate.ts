/** The rules of MQTT 3.1.1 that mqtt-packet lets pass. Each throws a ProtocolViolation. */

import { isUtf8 } from 'node:buffer';
import { isTopicFilter } from '../../shared/topic-grammar.js';
import type { QoS } from './packet.js';
import { ProtocolViolation } from './violation.js';

/** Lower four bits of the first byte, by packet type; a PUBLISH uses its own [MQTT-2.2.2-1]. */
const RESERVED_BITS: Readonly<Record<number, number>> = {
  1: 0,
  4: 0,
  5: 0,
  6: 2,
  7: 0,
  8: 2,
  10: 2,
  12: 0,
  14: 0,
};

export function validReservedBits(header: number): void {
  const type = header >> 4;
  const bits = RESERVED_BITS[type];
  if (bits === undefined) throw new ProtocolViolation(`packet type ${type} is not for a server`);
  if ((header & 0x0f) !== bits) throw new ProtocolViolation('wrong reserved bits [MQTT-2.2.2-2]');
}

/** A PUBLISH's own bits: `dup << 3 | qos << 1 | retain`. Retain is free to be anything. */
export function validPublishBits(header: number): QoS {
  const qos = (header >> 1) & 3;
  if (qos === 3) throw new ProtocolViolation('QoS 3 [MQTT-3.3.1-4]');
  if (qos === 0 && (header & 8) !== 0) throw new ProtocolViolation('DUP with QoS 0 [MQTT-3.3.1-2]');
  return qos as QoS;
}

export function validQoS(qos: number, rule: string): QoS {
  if (qos === 0 || qos === 1 || qos === 2) return qos;
  throw new ProtocolViolation(`QoS ${qos} [${rule}]`);
}

export function validPacketId(id: number | undefined): number {
  if (id !== undefined && id > 0) return id;
  throw new ProtocolViolation('packet id 0 [MQTT-2.3.1-1]');
}

export function validString(text: string): string {
  if (text.includes('\0')) throw new ProtocolViolation('U+0000 in a string [MQTT-1.5.3-2]');
  return text;
}

const NOT_IN_TOPIC_NAMES = /[\0+#]/;

export function validTopicName(topic: string): string {
  if (topic === '') throw new ProtocolViolation('an empty topic name [MQTT-4.7.3-1]');
  if (NOT_IN_TOPIC_NAMES.test(topic)) {
    validString(topic);
    throw new ProtocolViolation('a wildcard in a topic name [MQTT-3.3.2-2]');
  }
  return topic;
}

export function validTopicFilter(filter: string): string {
  validString(filter);
  if (!isTopicFilter(filter)) {
    throw new ProtocolViolation('a malformed topic filter [MQTT-4.7.1-2] [MQTT-4.7.1-3] [MQTT-4.7.3-1]');
  }
  return filter;
}

/** What a packet's body holds, in order: bytes with two bytes of length before them, or one byte. */
export type Field = 'text' | 'binary' | 'byte';

/**
 * The fields fill a body from `start` to its end, and every text is UTF-8: decoding would have put replacement
 * characters where it is not.
 */
export function validFields(body: Buffer, start: number, fields: readonly Field[]): void {
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

export function validUtf8(bytes: Buffer): void {
  if (!isUtf8(bytes)) throw new ProtocolViolation('a string is not UTF-8 [MQTT-1.5.3-1]');
}
