import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ProtocolViolation } from '../../../server/mqtt/packet.js';
import { SentMessages } from '../../../server/mqtt/qos.js';
import { WORK } from '../../../server/work.js';

const nothing = () => undefined;

test('packet ids go from 1 to 65,535 and begin again, leaving out those in use', () => {
  const sent = new SentMessages(() => 65_535, nothing);
  const inUse = [sent.begin(1), sent.begin(2)];
  assert.equal(inUse, [1, 2]);
  for (let id = 3; id <= 65_535; id++) {
    assert.is(sent.begin(1), id);
    sent.acknowledge({ command: 'puback', id });
  }
  assert.is(sent.begin(1), 3);
  assert.is(sent.size, 3);
});

test('each id in use that is skipped costs work', () => {
  let work = 0;
  const sent = new SentMessages(
    () => 65_535,
    (more) => {
      work += more;
    },
  );
  for (let id = 1; id < 65_535; id++) sent.begin(1);
  assert.is(work, 0);
  sent.begin(1);
  sent.acknowledge({ command: 'puback', id: 65_535 });
  assert.is(sent.begin(1), 65_535);
  assert.is(work, 65_534 * WORK.usedId);
});

test('there are at most as many unacknowledged messages as allowed, and as there are packet ids', () => {
  for (const [limit, allowed] of [
    [3, 3],
    [100_000, 65_535],
  ] as const) {
    const sent = new SentMessages(() => limit, nothing);
    for (let count = 0; count < allowed; count++) assert.type(sent.begin(1), 'number');
    assert.is(sent.begin(1), undefined);
    sent.acknowledge({ command: 'puback', id: 2 });
    assert.type(sent.begin(2), 'number');
    assert.is(sent.begin(2), undefined);
  }
});

test('a message of QoS 2 is complete after PUBREC and PUBCOMP, and a repeated PUBREC is answered again', () => {
  const sent = new SentMessages(() => 10, nothing);
  const id = sent.begin(2) ?? 0;
  assert.is(sent.acknowledge({ command: 'pubrec', id }), true);
  assert.is(sent.acknowledge({ command: 'pubrec', id }), true);
  assert.is(sent.acknowledge({ command: 'pubcomp', id }), false);
  assert.is(sent.size, 0);
});

test('an acknowledgement of an unknown message is ignored', () => {
  const sent = new SentMessages(() => 10, nothing);
  for (const command of ['puback', 'pubrec', 'pubcomp'] as const) {
    assert.is(sent.acknowledge({ command, id: 7 }), false);
  }
  assert.is(sent.size, 0);
});

const WRONG: [qos: 1 | 2, before: 'pubrec'[], wrong: 'puback' | 'pubrec' | 'pubcomp'][] = [
  [1, [], 'pubrec'],
  [1, [], 'pubcomp'],
  [2, [], 'puback'],
  [2, [], 'pubcomp'],
  [2, ['pubrec'], 'puback'],
];

for (const [qos, before, wrong] of WRONG) {
  const after = before.length === 0 ? '' : ' after its PUBREC';
  test(`a ${wrong.toUpperCase()} for a message of QoS ${qos}${after} is a violation`, () => {
    const sent = new SentMessages(() => 10, nothing);
    const id = sent.begin(qos) ?? 0;
    for (const command of before) sent.acknowledge({ command, id });
    assert.throws(
      () => sent.acknowledge({ command: wrong, id }),
      (error: unknown) => error instanceof ProtocolViolation,
    );
    assert.is(sent.size, 1);
  });
}

test.run();
