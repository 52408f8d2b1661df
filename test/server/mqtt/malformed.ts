/** Packets that MQTT 3.1.1 does not allow, each for one reason, as bytes. */

/** A packet from its first byte and the parts of its body; a string gets its length before it. */
export function packet(header: number, ...parts: (string | number[] | Buffer)[]): Buffer {
  const body = Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? field(Buffer.from(part)) : Buffer.from(part))),
  );
  if (body.length > 0x7f) throw new Error('longer than a length field of one byte tells');
  return Buffer.concat([Buffer.from([header, body.length]), body]);
}

const field = (bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
const raw = (...bytes: number[]): Buffer => field(Buffer.from(bytes));

const ID = [0, 1];
const OWN = '$SCW/twins/me/a/get';
const FILTER = '$SCW/twins/me/#';

export const NOT_UTF8: Record<string, Buffer> = {
  'a lone continuation byte': raw(0x61, 0x80),
  'a sequence cut short': raw(0x61, 0xe2, 0x82),
  'a sequence of four cut after three, as long as its replacement': raw(0xf0, 0x9f, 0x98),
  'an overlong form': raw(0xc0, 0xaf),
  'a surrogate': raw(0xed, 0xa0, 0x80),
  'beyond U+10FFFF': raw(0xf4, 0x90, 0x80, 0x80),
  '0xff': raw(0xff),
};

const inEveryString = (name: string, bytes: Buffer): Record<string, Buffer> => ({
  [`${name} in a topic name`]: packet(0x30, bytes),
  [`${name} in a filter to subscribe`]: packet(0x82, ID, bytes, [0]),
  [`${name} in a filter to unsubscribe`]: packet(0xa2, ID, bytes),
});

/** Every packet here comes after an accepted CONNECT. */
export const MALFORMED: Record<string, Buffer> = {
  ...inEveryString('U+0000', raw(0x61, 0, 0x62)),
  ...Object.assign({}, ...Object.entries(NOT_UTF8).map(([name, bytes]) => inEveryString(name, bytes))),
  'an empty topic name': packet(0x30, ''),
  '+ in a topic name': packet(0x30, '$SCW/twins/me/+/get'),
  '# in a topic name': packet(0x30, '$SCW/twins/me/#'),
  'PUBLISH with QoS 3': packet(0x36, OWN, ID),
  'PUBLISH with DUP and QoS 0': packet(0x38, OWN),
  'PUBLISH with QoS 1 and packet id 0': packet(0x32, OWN, [0, 0]),
  'PUBLISH with QoS 2 and packet id 0': packet(0x34, OWN, [0, 0]),
  'PUBLISH with QoS 1 and no packet id': packet(0x32, OWN),
  'PUBLISH with QoS 1 and half a packet id': packet(0x32, OWN, [0]),
  'PUBLISH with a topic longer than the packet': packet(0x30, [0, 9, 0x61]),
  'PUBLISH with half a length of a topic': packet(0x30, [0]),
  'PUBLISH with nothing': packet(0x30),
  'PUBACK of packet id 0': packet(0x40, [0, 0]),
  'PUBACK cut short': packet(0x40, [1]),
  'PUBACK too long': packet(0x40, ID, [0]),
  'PUBACK with reserved bits': packet(0x42, ID),
  'PUBREC of packet id 0': packet(0x50, [0, 0]),
  'PUBREC with reserved bits': packet(0x51, ID),
  'PUBREL without its reserved bits': packet(0x60, ID),
  'PUBREL of packet id 0': packet(0x62, [0, 0]),
  'PUBCOMP of packet id 0': packet(0x70, [0, 0]),
  'PUBCOMP with reserved bits': packet(0x78, ID),
  'SUBSCRIBE without its reserved bits': packet(0x80, ID, FILTER, [0]),
  'SUBSCRIBE with packet id 0': packet(0x82, [0, 0], FILTER, [0]),
  'SUBSCRIBE of nothing': packet(0x82, ID),
  'SUBSCRIBE without a packet id': packet(0x82),
  'SUBSCRIBE with QoS 3': packet(0x82, ID, FILTER, [3]),
  'SUBSCRIBE with reserved bits in its QoS': packet(0x82, ID, FILTER, [4]),
  'SUBSCRIBE without a QoS': packet(0x82, ID, FILTER),
  'SUBSCRIBE to an empty filter': packet(0x82, ID, '', [0]),
  'SUBSCRIBE to # before the end': packet(0x82, ID, '$SCW/twins/me/#/a', [0]),
  'SUBSCRIBE to # within a level': packet(0x82, ID, '$SCW/twins/me/a#', [0]),
  'SUBSCRIBE to + within a level': packet(0x82, ID, '$SCW/twins/me/a+/b', [0]),
  'UNSUBSCRIBE without its reserved bits': packet(0xa0, ID, FILTER),
  'UNSUBSCRIBE with packet id 0': packet(0xa2, [0, 0], FILTER),
  'UNSUBSCRIBE of nothing': packet(0xa2, ID),
  'UNSUBSCRIBE of an empty filter': packet(0xa2, ID, ''),
  'PINGREQ with reserved bits': packet(0xc1),
  'PINGREQ with a body': packet(0xc0, [0]),
  'DISCONNECT with reserved bits': packet(0xe1),
  'DISCONNECT with a body': packet(0xe0, [0]),
  'packet type 0': packet(0x00),
  'a CONNACK': packet(0x20, [0, 0]),
  'a SUBACK': packet(0x90, ID, [0]),
  'an UNSUBACK': packet(0xb0, ID),
  'a PINGRESP': packet(0xd0),
  'an AUTH': packet(0xf0),
};

/** As the first packet: name, level, flags, keep-alive, then the payload. */
export const connectOf = (flags: number, ...payload: (string | Buffer)[]): Buffer =>
  packet(0x10, 'MQTT', [4, flags, 0, 0], ...payload);

const inEveryConnectString = (name: string, bytes: Buffer): Record<string, Buffer> => ({
  [`${name} in a client id`]: connectOf(0x02, bytes),
  [`${name} in a will topic`]: connectOf(0x06, 'id', bytes, 'payload'),
  [`${name} in a user name`]: connectOf(0xc2, 'id', bytes, 'password'),
});

/** Every one of these is a first packet that closes the connection without an answer. */
export const MALFORMED_CONNECTS: Record<string, Buffer> = {
  ...inEveryConnectString('U+0000', raw(0x61, 0, 0x62)),
  ...Object.assign({}, ...Object.entries(NOT_UTF8).map(([name, bytes]) => inEveryConnectString(name, bytes))),
  'CONNECT with its reserved flag': connectOf(0x03, 'id'),
  'CONNECT with reserved bits': Buffer.concat([Buffer.from([0x11]), connectOf(0x02, 'id').subarray(1)]),
  'CONNECT with will QoS 3': connectOf(0x1e, 'id', OWN, '{}'),
  'CONNECT with will QoS and no will': connectOf(0x0a, 'id'),
  'CONNECT with will retain and no will': connectOf(0x22, 'id'),
  'CONNECT with an empty will topic': connectOf(0x06, 'id', '', '{}'),
  'CONNECT with a wildcard in its will topic': connectOf(0x06, 'id', FILTER, '{}'),
  'CONNECT with a password and no user name': connectOf(0x42, 'id', 'password'),
  'CONNECT with a user name that is not there': connectOf(0x82, 'id'),
  'CONNECT with a password that is not there': connectOf(0xc2, 'id', 'user'),
  'CONNECT without a client id': connectOf(0x02),
  'CONNECT with bytes after its end': connectOf(0x02, 'id', 'more'),
  'CONNECT that ends after the level': packet(0x10, 'MQTT', [4]),
};

/** Every one of these is refused by CONNACK 1. */
export const OTHER_PROTOCOLS: Record<string, Buffer> = {
  'MQTT 3.1': packet(0x10, 'MQIsdp', [3, 2, 0, 0], 'id'),
  'MQTT 3.1 under the name of 3.1.1': packet(0x10, 'MQTT', [3, 2, 0, 0], 'id'),
  'MQTT 5': packet(0x10, 'MQTT', [5, 2, 0, 0, 0], 'id'),
  'a bridge of MQTT 3.1.1': packet(0x10, 'MQTT', [0x84, 2, 0, 0], 'id'),
  'level 0': packet(0x10, 'MQTT', [0, 2, 0, 0], 'id'),
  'another name': packet(0x10, 'mqtt', [4, 2, 0, 0], 'id'),
  'a name that is not UTF-8': packet(0x10, raw(0xff, 0xff, 0xff, 0xff), [4, 2, 0, 0], 'id'),
  'an empty name': packet(0x10, '', [4, 2, 0, 0], 'id'),
};
