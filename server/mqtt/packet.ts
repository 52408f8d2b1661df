/** The packets of MQTT 3.1.1: what a client may send, the rules of their fields, and the server's packets as bytes. */

import { isUtf8 } from 'node:buffer';
import { isTopicFilter } from '../../shared/topics.js';

/** A client broke the protocol, so its connection is closed [MQTT-4.8.0-1]. The message is for the log and names the rule. */
export class ProtocolViolation extends Error {
  override name = 'ProtocolViolation';
}

/** A client went beyond what one client may use. */
export class LimitReached extends ProtocolViolation {
  override name = 'LimitReached';
}

export type QoS = 0 | 1 | 2;

export interface Message {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: QoS;
}

export interface Connect {
  readonly command: 'connect';
  readonly clientId: string;
  readonly clean: boolean;
  /** In seconds; 0: none. */
  readonly keepAlive: number;
  readonly userName: string | undefined;
  readonly password: Buffer | undefined;
  readonly will: Message | undefined;
}

export interface Publish extends Message {
  readonly command: 'publish';
  /** 0 at QoS 0. */
  readonly id: number;
}

export type Acknowledging = 'puback' | 'pubrec' | 'pubrel' | 'pubcomp';

export interface Acknowledgement {
  readonly command: Acknowledging;
  readonly id: number;
}

export interface Subscribe {
  readonly command: 'subscribe';
  readonly id: number;
  readonly filters: readonly { readonly filter: string; readonly qos: QoS }[];
}

export interface Unsubscribe {
  readonly command: 'unsubscribe';
  readonly id: number;
  readonly filters: readonly string[];
}

export interface Bare {
  readonly command: 'pingreq' | 'disconnect';
}

export type Packet = Connect | Publish | Acknowledgement | Subscribe | Unsubscribe | Bare;

// The rules of the fields. Each function returns its argument or throws a ProtocolViolation.

export function validQoS(qos: number, rule: string): QoS {
  if (qos === 0 || qos === 1 || qos === 2) return qos;
  throw new ProtocolViolation(`QoS ${qos} [${rule}]`);
}

export function validPacketId(id: number | undefined): number {
  if (id !== undefined && id > 0) return id;
  throw new ProtocolViolation('packet id 0 [MQTT-2.3.1-1]');
}

export function validUtf8(bytes: Buffer): Buffer {
  if (isUtf8(bytes)) return bytes;
  throw new ProtocolViolation('a string is not UTF-8 [MQTT-1.5.3-1]');
}

export function validString(text: string): string {
  if (!text.includes('\0')) return text;
  throw new ProtocolViolation('U+0000 in a string [MQTT-1.5.3-2]');
}

const NOT_IN_TOPIC_NAMES = /[\0+#]/;

export function validTopicName(topic: string): string {
  if (topic === '') throw new ProtocolViolation('an empty topic name [MQTT-4.7.3-1]');
  if (!NOT_IN_TOPIC_NAMES.test(topic)) return topic;
  validString(topic);
  throw new ProtocolViolation('a wildcard in a topic name [MQTT-3.3.2-2]');
}

export function validTopicFilter(filter: string): string {
  if (isTopicFilter(validString(filter))) return filter;
  throw new ProtocolViolation('a malformed topic filter [MQTT-4.7.1-2] [MQTT-4.7.1-3] [MQTT-4.7.3-1]');
}

// The server's packets. They are written here because one allocation each costs less than mqtt-packet's stream of pieces.

/** The return codes of CONNACK that this server gives (MQTT 3.1.1, table 3.1). */
export const CONNACK = {
  accepted: 0,
  protocol: 1,
  clientId: 2,
  unavailable: 3,
  badUserNameOrPassword: 4,
  notAuthorized: 5,
} as const;
export type ConnackCode = (typeof CONNACK)[keyof typeof CONNACK];

/** The SUBACK code of a subscription that is not granted. */
export const REFUSED = 0x80;

const ACKNOWLEDGEMENT_HEADERS: Readonly<Record<Acknowledging, number>> = {
  puback: 0x40,
  pubrec: 0x50,
  pubrel: 0x62,
  pubcomp: 0x70,
};

/** Session present is always 0, because there are no stored sessions [MQTT-3.2.2-1] [MQTT-3.2.2-4]. */
export const connack = (code: ConnackCode): Buffer => Buffer.from([0x20, 2, 0, code]);

export const acknowledgement = (command: Acknowledging, id: number): Buffer =>
  Buffer.from([ACKNOWLEDGEMENT_HEADERS[command], 2, id >> 8, id & 0xff]);

/** One code for each filter of the SUBSCRIBE, in its order [MQTT-3.9.3-1]. */
export function suback(id: number, codes: readonly number[]): Buffer {
  const length = 2 + codes.length;
  const packet = Buffer.alloc(1 + lengthBytes(length) + length);
  packet[0] = 0x90;
  packet.set(codes, packet.writeUInt16BE(id, writeLength(packet, length)));
  return packet;
}

export const unsuback = (id: number): Buffer => Buffer.from([0xb0, 2, id >> 8, id & 0xff]);

export const PINGRESP: Buffer = Buffer.from([0xd0, 0]);

/** A topic name as a PUBLISH carries it, with its length in front; at most 65,535 bytes. */
export function topicField(topic: string): Buffer {
  const text = Buffer.from(topic);
  return Buffer.concat([Buffer.from([text.length >> 8, text.length & 0xff]), text]);
}

/** @param topic as {@link topicField} gives it; `id` is left out at QoS 0 */
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
