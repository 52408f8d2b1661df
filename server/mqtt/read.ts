/**
 * Whole packets to what they say. mqtt-packet reads the packets that come rarely; a PUBLISH and the acknowledgements
 * are read here, where they cost a tenth of what they cost there.
 */

import mqttPacket, { type IConnectPacket, type ISubscribePacket, type IUnsubscribePacket } from 'mqtt-packet';
import { bodyOffset } from './framing.js';
import type { Acknowledgement, Acknowledging, Bare, Connect, Packet, Publish } from './packet.js';
import {
  type Field,
  validFields,
  validPacketId,
  validPublishBits,
  validQoS,
  validReservedBits,
  validString,
  validTopicFilter,
  validTopicName,
  validUtf8,
} from './validate.js';
import { ProtocolViolation } from './violation.js';

const PUBLISH = 3;
const REPLACEMENT = '\ufffd';
const ACKNOWLEDGING: Readonly<Record<number, Acknowledging>> = {
  4: 'puback',
  5: 'pubrec',
  6: 'pubrel',
  7: 'pubcomp',
};
const BARE: Readonly<Record<number, Bare>> = {
  12: { command: 'pingreq' },
  14: { command: 'disconnect' },
};

/**
 * What a whole packet says.
 * @throws ProtocolViolation for one that MQTT 3.1.1 does not allow
 */
export function readPacket(bytes: Buffer): Packet {
  const header = bytes[0] ?? 0;
  const body = bytes.subarray(bodyOffset(bytes));
  const type = header >> 4;
  if (type === PUBLISH) return readPublish(header, body);
  validReservedBits(header);
  const acknowledging = ACKNOWLEDGING[type];
  if (acknowledging !== undefined) return readAcknowledgement(acknowledging, body);
  const bare = BARE[type];
  if (bare !== undefined) return readBare(bare, body);
  return readRare(bytes, body);
}

function readPublish(header: number, body: Buffer): Publish {
  const qos = validPublishBits(header);
  const topicEnd = 2 + (body.length < 2 ? 0 : body.readUInt16BE(0));
  const payloadStart = qos === 0 ? topicEnd : topicEnd + 2;
  if (payloadStart > body.length) throw new ProtocolViolation('a PUBLISH is cut short');
  const topic = body.toString('utf8', 2, topicEnd);
  if (topic.includes(REPLACEMENT)) validUtf8(body.subarray(2, topicEnd));
  return {
    command: 'publish',
    topic: validTopicName(topic),
    qos,
    id: qos === 0 ? 0 : validPacketId(body.readUInt16BE(topicEnd)),
    payload: body.subarray(payloadStart),
  };
}

function readAcknowledgement(command: Acknowledging, body: Buffer): Acknowledgement {
  if (body.length !== 2) throw new ProtocolViolation(`a ${command.toUpperCase()} of a wrong length`);
  return { command, id: validPacketId(body.readUInt16BE(0)) };
}

function readBare(bare: Bare, body: Buffer): Bare {
  if (body.length !== 0) throw new ProtocolViolation(`a ${bare.command.toUpperCase()} of a wrong length`);
  return bare;
}

function readRare(bytes: Buffer, body: Buffer): Packet {
  const packet = parse(bytes);
  if (packet.cmd === 'connect') return readConnect(packet, body);
  if (packet.cmd === 'subscribe') return readSubscribe(packet, body);
  return readUnsubscribe(packet, body);
}

type RarePacket = IConnectPacket | ISubscribePacket | IUnsubscribePacket;

/** One packet with a parser of its own, so that nothing a client sends outlives its packet. */
function parse(bytes: Buffer): RarePacket {
  const parser = mqttPacket.parser({ protocolVersion: 4 });
  let packet: RarePacket | undefined;
  let fault: Error | undefined;
  parser.on('packet', (parsed) => {
    packet = parsed as RarePacket;
  });
  parser.on('error', (error: Error) => {
    fault = error;
  });
  parser.parse(bytes);
  if (packet !== undefined && fault === undefined) return packet;
  throw new ProtocolViolation(`malformed: ${fault?.message ?? 'cut short'}`);
}

const NAME_BYTES = 6;
/** Before the payload of a CONNECT: name, level, flags and keep-alive. */
const CONNECT_BYTES = 10;
const PROTOCOL = Buffer.from('\x00\x04MQTT\x04', 'latin1');

/** Whether a CONNECT is one of MQTT 3.1.1; another deserves CONNACK 1 [MQTT-3.1.2-1] [MQTT-3.1.2-2]. */
export function isOurProtocol(bytes: Buffer): boolean {
  const start = bodyOffset(bytes) ?? 0;
  return bytes.subarray(start, start + NAME_BYTES + 1).equals(PROTOCOL);
}

function readConnect(packet: IConnectPacket, body: Buffer): Connect {
  const { will } = packet;
  const fields: Field[] = ['text'];
  if (will !== undefined) fields.push('text', 'binary');
  if (packet.username !== undefined) fields.push('text');
  if (packet.password !== undefined) fields.push('binary');
  validFields(body, CONNECT_BYTES, fields);
  if (packet.password !== undefined && packet.username === undefined) {
    throw new ProtocolViolation('a password without a user name [MQTT-3.1.2-22]');
  }
  return {
    command: 'connect',
    clientId: validString(packet.clientId),
    clean: packet.clean ?? true,
    keepAlive: packet.keepalive ?? 0,
    userName: packet.username === undefined ? undefined : validString(packet.username),
    password: packet.password,
    will: will && {
      topic: validTopicName(will.topic),
      payload: Buffer.from(will.payload),
      qos: validQoS(will.qos ?? 0, 'MQTT-3.1.2-14'),
    },
  };
}

function readSubscribe(packet: ISubscribePacket, body: Buffer): Packet {
  const { subscriptions } = packet;
  if (subscriptions.length === 0) throw new ProtocolViolation('an empty SUBSCRIBE [MQTT-3.8.3-3]');
  validFields(
    body,
    2,
    subscriptions.flatMap((): Field[] => ['text', 'byte']),
  );
  const filters = subscriptions.map(({ topic, qos }) => ({
    filter: validTopicFilter(topic),
    qos: validQoS(qos, 'MQTT-3.8.3-4'),
  }));
  return { command: 'subscribe', id: validPacketId(packet.messageId), filters };
}

function readUnsubscribe(packet: IUnsubscribePacket, body: Buffer): Packet {
  const { unsubscriptions } = packet;
  if (unsubscriptions.length === 0) throw new ProtocolViolation('an empty UNSUBSCRIBE [MQTT-3.10.3-2]');
  validFields(
    body,
    2,
    unsubscriptions.map((): Field => 'text'),
  );
  const filters = unsubscriptions.map(validTopicFilter);
  return { command: 'unsubscribe', id: validPacketId(packet.messageId), filters };
}
