import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Deliveries } from '../../../server/mqtt/deliveries.js';

test('packet ids go from 1 to 65,535 and begin again, leaving out those in use', () => {
  const deliveries = new Deliveries(65_535);
  const inUse = [deliveries.begin(1), deliveries.begin(2)];
  assert.equal(inUse, [1, 2]);
  for (let id = 3; id <= 65_535; id++) {
    assert.is(deliveries.begin(1), id);
    deliveries.acknowledge({ command: 'puback', id });
  }
  assert.is(deliveries.begin(1), 3);
  assert.is(deliveries.size, 3);
});

test('there are never more unacknowledged messages than allowed, nor than packet ids', () => {
  for (const [limit, allowed] of [
    [3, 3],
    [100_000, 65_535],
  ] as const) {
    const deliveries = new Deliveries(limit);
    for (let count = 0; count < allowed; count++) assert.type(deliveries.begin(1), 'number');
    assert.is(deliveries.begin(1), undefined);
    deliveries.acknowledge({ command: 'puback', id: 2 });
    assert.type(deliveries.begin(2), 'number');
    assert.is(deliveries.begin(2), undefined);
  }
});

test('a message of QoS 2 is done after PUBREC and PUBCOMP, and a PUBREC that is repeated is answered again', () => {
  const deliveries = new Deliveries(10);
  const id = deliveries.begin(2) ?? 0;
  assert.is(deliveries.acknowledge({ command: 'pubcomp', id }), false);
  assert.is(deliveries.acknowledge({ command: 'puback', id }), false);
  assert.is(deliveries.size, 1);
  assert.is(deliveries.acknowledge({ command: 'pubrec', id }), true);
  assert.is(deliveries.acknowledge({ command: 'pubrec', id }), true);
  assert.is(deliveries.acknowledge({ command: 'pubcomp', id }), false);
  assert.is(deliveries.size, 0);
});

test('a message of QoS 1 is not acknowledged by a PUBREC', () => {
  const deliveries = new Deliveries(10);
  const id = deliveries.begin(1) ?? 0;
  assert.is(deliveries.acknowledge({ command: 'pubrec', id }), false);
  assert.is(deliveries.size, 1);
});

test.run();
