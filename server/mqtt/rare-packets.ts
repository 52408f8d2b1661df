/** CONNECT, SUBSCRIBE and UNSUBSCRIBE. mqtt-packet reads them; the rules that it does not check are checked here. */

import mqttPacket, { type IConnectPacket, type ISubscribePacket, type IUnsubscribePacket } from 'mqtt-packet';
import {
  type Connect,
  ProtocolViolation,
  type Subscribe,
  type Unsubscribe,
  validPacketId,
  validQoS,
  validString,
  validTopicFilter,
  validTopicName,
  validUtf8,
} from './packet.js';

const PROTOCOL = Buffer.from('\x00\x04MQTT\x04', 'latin1');
/** Before the payload of a CONNECT: protocol name and level, flags and keep-alive. */
const CONNECT_BYTES = 10;

/** A CONNECT of another protocol or version than MQTT 3.1.1, which gets CONNACK 1 [MQTT-3.1.2-1] [MQTT-3.1.2-2]. */
export class UnknownProtocol extends ProtocolViolation {
  override name = 'UnknownProtocol';
}

/** @throws UnknownProtocol, ProtocolViolation */
export function readConnect(bytes: Buffer, body: Buffer): Connect {
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

export function readSubscribe(bytes: Buffer, body: Buffer): Subscribe {
  const { subscriptions, messageId } = parse<ISubscribePacket>(bytes);
  if (subscriptions.length === 0) throw new ProtocolViolation('an empty SUBSCRIBE [MQTT-3.8.3-3]');
  const fields = subscriptions.flatMap((): Field[] => ['text', 'byte']);
  validFields(body, 2, fields);
  const filters = subscriptions.map(({ topic, qos }) => ({
    filter: validTopicFilter(topic),
    qos: validQoS(qos, 'MQTT-3.8.3-4'),
  }));
  return { command: 'subscribe', id: validPacketId(messageId), filters };
}

export function readUnsubscribe(bytes: Buffer, body: Buffer): Unsubscribe {
  const { unsubscriptions, messageId } = parse<IUnsubscribePacket>(bytes);
  if (unsubscriptions.length === 0) throw new ProtocolViolation('an empty UNSUBSCRIBE [MQTT-3.10.3-2]');
  const fields = unsubscriptions.map((): Field => 'text');
  validFields(body, 2, fields);
  return {
    command: 'unsubscribe',
    id: validPacketId(messageId),
    filters: unsubscriptions.map(validTopicFilter),
  };
}

/** A new parser for each packet, so that nothing a client sends outlives its packet. */
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

/** What a packet's body holds, in order: bytes with two bytes of length in front, or one byte. */
type Field = 'text' | 'binary' | 'byte';

/**
 * Checks that the fields fill a body from `start` to its end, and that every text is UTF-8: mqtt-packet has put replacement
 * characters where a text is not.
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
