import fc from 'fast-check';
import mqttPacket, { type Packet } from 'mqtt-packet';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LimitReached, ProtocolViolation } from '../../../server/mqtt/packet.js';
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
          further: 0,
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

/** The most filters that are read. */
const MOST = 128;
const LENGTH = 10;

/** A SUBSCRIBE whose filters are `LENGTH` bytes long each, with one more at its end. */
function longSubscribe(count: number, last = Buffer.alloc(0)): Buffer {
  const one = Buffer.from([0, LENGTH, ...Buffer.from('a'.repeat(LENGTH)), 1]);
  const body = Buffer.concat([Buffer.from([0, 1]), ...new Array<Buffer>(count).fill(one), last]);
  const length = [body.length & 0x7f, (body.length >> 7) & 0x7f, body.length >> 14];
  return Buffer.concat([
    Buffer.from([0x82, (length[0] ?? 0) | 0x80, (length[1] ?? 0) | 0x80, length[2] ?? 0]),
    body,
  ]);
}

test('of a SUBSCRIBE with very many filters the first are read, and the others are counted', () => {
  for (const [count, further] of [
    [MOST, 0],
    [MOST + 1, 1],
    [10_000, 10_000 - MOST],
  ] as const) {
    const packet = readPacket(longSubscribe(count)) as { filters?: unknown[]; further?: number };
    assert.equal([packet.filters?.length, packet.further], [Math.min(count, MOST), further]);
  }
});

const FURTHER: Record<string, [last: number[], isAllowed?: true]> = {
  'a filter': [[0, 2, 0xc3, 0xbc, 0], true],
  'half a character': [[0, 1, 0xc3, 0]],
  'a character that the next filter completes': [[0, 1, 0xc3, 0, 0, 1, 0xbc, 0]],
  'U+0000': [[0, 1, 0, 0]],
  'an empty filter': [[0, 0, 0]],
  'QoS 3': [[0, 1, 0x61, 3]],
  'a filter without QoS': [[0, 1, 0x61]],
  'half a filter': [[0, 2, 0x61]],
  'half a length': [[0]],
};

for (const [what, [last, isAllowed]] of Object.entries(FURTHER)) {
  test(`${what} is ${isAllowed ? 'allowed' : 'a violation'} also behind the filters that are read`, () => {
    const bytes = longSubscribe(MOST, Buffer.from(last));
    if (isAllowed) assert.is((readPacket(bytes) as { further?: number }).further, 1);
    else
      assert.throws(
        () => readPacket(bytes),
        (error: unknown) => error instanceof ProtocolViolation,
      );
  });
}

test('an UNSUBSCRIBE with more filters than a client can have exceeds a limit', () => {
  const unsubscribe = (count: number) =>
    bytesOf({ cmd: 'unsubscribe', messageId: 1, unsubscriptions: new Array<string>(count).fill('a') });
  assert.is(readPacket(unsubscribe(MOST)).command, 'unsubscribe');
  assert.throws(
    () => readPacket(unsubscribe(MOST + 1)),
    (error: unknown) => error instanceof LimitReached,
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
