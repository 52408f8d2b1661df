import fc from 'fast-check';
import type { Packet } from 'mqtt-packet';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  acknowledgement,
  connack,
  PINGRESP,
  publish,
  suback,
  topicField,
  unsuback,
} from '../../../server/mqtt/output.js';
import { bytesOf } from './raw-client.js';

function sameAs(bytes: Buffer, packet: Packet): void {
  assert.equal(bytes.toString('hex'), bytesOf(packet).toString('hex'));
}

test('a PUBLISH is written as mqtt-packet writes it, for every size of the length field', () => {
  const size = fc.oneof(fc.nat({ max: 300 }), fc.constantFrom(127, 128, 16_383, 16_384, 140_000, 2_100_000));
  const qos = fc.constantFrom(0, 1, 2) as fc.Arbitrary<0 | 1 | 2>;
  fc.assert(
    fc.property(
      size,
      qos,
      fc.integer({ min: 1, max: 0xffff }),
      fc.constantFrom('a', 'ü', '\u{1f6a8}'),
      (length, level, id, unit) => {
        const topic = `$SCW/twins/me/${unit}/get/response/success`;
        const payload = unit.repeat(length);
        sameAs(publish(topicField(topic), payload, level, id), {
          cmd: 'publish',
          topic,
          payload,
          qos: level,
          dup: false,
          retain: false,
          messageId: id,
        });
      },
    ),
    { numRuns: 60 },
  );
});

test('the other packets are written as mqtt-packet writes them', () => {
  for (const returnCode of [0, 1, 2, 3, 4, 5] as const) {
    sameAs(connack(returnCode), { cmd: 'connack', returnCode, sessionPresent: false });
  }
  for (const id of [1, 255, 256, 0xffff]) {
    for (const cmd of ['puback', 'pubrec', 'pubrel', 'pubcomp'] as const) {
      sameAs(acknowledgement(cmd, id), { cmd, messageId: id });
    }
    sameAs(unsuback(id), { cmd: 'unsuback', messageId: id, granted: [] });
    for (const granted of [[0], [1, 2, 0x80], new Array<number>(200).fill(0)]) {
      sameAs(suback(id, granted), { cmd: 'suback', messageId: id, granted });
    }
  }
  sameAs(PINGRESP, { cmd: 'pingresp' });
});

test.run();
