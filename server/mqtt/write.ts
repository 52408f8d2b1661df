/** Packets from the server, as bytes. Written here rather than by mqtt-packet: one allocation each, no stream between. */

import type { Acknowledging, QoS } from './packet.js';

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

/** Session present is always 0: there are no stored sessions [MQTT-3.2.2-1] [MQTT-3.2.2-4]. */
export const connack = (code: ConnackCode): Buffer => Buffer.from([0x20, 2, 0, code]);

export const acknowledgement = (command: Acknowledging, id: number): Buffer =>
  Buffer.from([ACKNOWLEDGEMENT_HEADERS[command], 2, id >> 8, id & 0xff]);

/** One code for each filter of the SUBSCRIBE, in its order [MQTT-3.9.3-1]. */
export const suback = (id: number, codes: readonly number[]): Buffer =>
  Buffer.from([0x90, ...lengthField(2 + codes.length), id >> 8, id & 0xff, ...codes]);

export const unsuback = (id: number): Buffer => Buffer.from([0xb0, 2, id >> 8, id & 0xff]);

export const PINGRESP: Buffer = Buffer.from([0xd0, 0]);

/** A topic name as a PUBLISH carries it, with its length before it; at most 65,535 bytes. */
export function topicField(topic: string): Buffer {
  const text = Buffer.from(topic);
  return Buffer.concat([Buffer.from([text.length >> 8, text.length & 0xff]), text]);
}

/** @param topic as of {@link topicField}; `id` is left out at QoS 0 */
export function publish(topic: Buffer, payload: string, qos: QoS, id: number): Buffer {
  const payloadBytes = Buffer.byteLength(payload);
  const length = topic.length + (qos === 0 ? 0 : 2) + payloadBytes;
  const packet = Buffer.allocUnsafe(1 + lengthBytes(length) + length);
  packet[0] = 0x30 | (qos << 1);
  let at = writeLength(packet, length);
  at += topic.copy(packet, at);
  if (qos !== 0) at = packet.writeUInt16BE(id, at);
  packet.write(payload, at);
  return packet;
}

const lengthBytes = (length: number): number =>
  length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x20_0000 ? 3 : 4;

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

function lengthField(length: number): Buffer {
  const field = Buffer.alloc(1 + lengthBytes(length));
  writeLength(field, length);
  return field.subarray(1);
}
