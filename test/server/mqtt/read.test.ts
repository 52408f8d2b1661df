import fc from 'fast-check';
import mqttPacket, { type Packet } from 'mqtt-packet';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ProtocolViolation } from '../../../server/mqtt/packet.js';
import { readPacket } from '../../../server/mqtt/read.js';
import { MALFORMED } from './malformed.js';
import { bytesOf } from './raw-client.js';

function parsed(bytes: Buffer): Record<string, unknown> {
  const packets: Packet[] = [];
  const parser = mqttPacket.parser({ protocolVersion: 4 });
  parser.on('packet', (packet) => packets.push(packet));
  parser.parse(bytes);
  assert.is(packets.length, 1);
  return packets[0] as unknown as Record<string, unknown>;
}

const text = fc.string({ unit: 'grapheme', maxLength: 200 }).filter((given) => !/[\0+#]/.test(given));
const topicName = text.filter((given) => given !== '');
const qos = fc.constantFrom(0, 1, 2) as fc.Arbitrary<0 | 1 | 2>;
const packetId = fc.integer({ min: 1, max: 0xffff });
const binary = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes));

test('a PUBLISH is read as mqtt-packet reads it', () => {
  fc.assert(
    fc.property(
      topicName,
      binary,
      qos,
      packetId,
      fc.boolean(),
      fc.boolean(),
      (topic, payload, level, id, dup, retain) => {
        const bytes = bytesOf({
          cmd: 'publish',
          topic,
          payload,
          qos: level,
          dup: dup && level > 0,
          retain,
          ...(level > 0 ? { messageId: id } : {}),
        });
        const theirs = parsed(bytes);
        assert.equal(readPacket(bytes), {
          command: 'publish',
          topic: theirs.topic,
          payload: theirs.payload,
          qos: theirs.qos,
          id: theirs.messageId ?? 0,
        });
      },
    ),
  );
});

test('an acknowledgement is read as mqtt-packet reads it', () => {
  const command = fc.constantFrom('puback', 'pubrec', 'pubrel', 'pubcomp');
  fc.assert(
    fc.property(command, packetId, (cmd, messageId) => {
      const bytes = bytesOf({ cmd, messageId });
      const theirs = parsed(bytes);
      assert.equal(readPacket(bytes), { command: theirs.cmd, id: theirs.messageId });
    }),
  );
});

test('every field of a CONNECT is read', () => {
  const will = fc.option(fc.record({ topic: topicName, payload: binary, qos, retain: fc.boolean() }), {
    nil: undefined,
  });
  const password = fc.option(binary, { nil: undefined });
  fc.assert(
    fc.property(
      topicName,
      will,
      text,
      password,
      fc.integer({ min: 0, max: 0xffff }),
      (clientId, last, user, secret, keepalive) => {
        const bytes = bytesOf({
          cmd: 'connect',
          clientId,
          clean: false,
          keepalive,
          username: user,
          ...(secret === undefined ? {} : { password: secret }),
          ...(last === undefined ? {} : { will: last }),
        });
        assert.equal(readPacket(bytes), {
          command: 'connect',
          clientId,
          clean: false,
          keepAlive: keepalive,
          userName: user,
          password: secret,
          will: last && { topic: last.topic, payload: last.payload, qos: last.qos },
        });
      },
    ),
  );
});

test('SUBSCRIBE and UNSUBSCRIBE keep their filters in order', () => {
  const filter = fc.constantFrom(
    'a',
    '#',
    '+',
    'a/#',
    'a/+/b',
    '$SCW/twins/me/#',
    'ü/\u{1f6a8}',
    '\ufffd',
    '/',
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(filter, qos), { minLength: 1, maxLength: 20 }),
      packetId,
      (wanted, messageId) => {
        const subscriptions = wanted.map(([topic, level]) => ({ topic, qos: level }));
        assert.equal(readPacket(bytesOf({ cmd: 'subscribe', messageId, subscriptions })), {
          command: 'subscribe',
          id: messageId,
          filters: wanted.map(([topic, level]) => ({ filter: topic, qos: level })),
        });
        const unsubscriptions = wanted.map(([topic]) => topic);
        assert.equal(readPacket(bytesOf({ cmd: 'unsubscribe', messageId, unsubscriptions })), {
          command: 'unsubscribe',
          id: messageId,
          filters: unsubscriptions,
        });
      },
    ),
  );
});

test('PINGREQ and DISCONNECT are read', () => {
  assert.equal(readPacket(bytesOf({ cmd: 'pingreq' })), { command: 'pingreq' });
  assert.equal(readPacket(bytesOf({ cmd: 'disconnect' })), { command: 'disconnect' });
});

for (const [name, bytes] of Object.entries(MALFORMED)) {
  test(`${name} is a violation`, () => {
    assert.throws(
      () => readPacket(bytes),
      (error: unknown) => error instanceof ProtocolViolation,
    );
  });
}

test('reading any bytes gives a packet or a violation', () => {
  const bytes = fc.tuple(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 60 }));
  fc.assert(
    fc.property(bytes, ([header, body]) => {
      try {
        assert.type(readPacket(Buffer.from([header, body.length, ...body])).command, 'string');
      } catch (error) {
        if (!(error instanceof ProtocolViolation)) throw error;
      }
    }),
    { numRuns: 20_000 },
  );
});

test.run();
