import * as assert from 'uvu/assert';
import { OutcomeUnknown, OwnerGone, StorageUnavailable } from '../../../server/storage/storage.js';
import { until } from '../../until.js';
import { startEndpoint, type TestEndpoint } from './endpoint.js';
import { connectPacket, publishPacket, RawClient } from './raw-client.js';
import { overEach } from './transports.js';

const suites = overEach('faults', (test, transport) => {
  let endpoint: TestEndpoint;

  test.before.each(async () => {
    endpoint = await startEndpoint();
  });

  test.after.each(() => endpoint.close());

  test('while the registry cannot be read a CONNECT is refused by 3, server unavailable', async () => {
    endpoint.devices.authenticate = async () => {
      throw new StorageUnavailable(new Error('the disk is gone'));
    };
    const client = await RawClient.open(endpoint, transport);
    client.send(connectPacket(endpoint.devices.add()));
    assert.is((await client.next('connack')).returnCode, 3);
    await client.closed;
  });

  /** Where an error can come from that no interface expects, each with how the next write meets it. */
  const FAULTS: Record<string, (endpoint: TestEndpoint, fault: TypeError) => void> = {
    'the twin core throws': ({ twins }, fault) => {
      twins.put = () => {
        throw fault;
      };
    },
    'the storage throws when it takes a change': ({ storage }, fault) => {
      storage.change = () => {
        throw fault;
      };
    },
    'the storage fails after it took a change': ({ storage }, fault) => {
      storage.change = (_file, _decide, done) => done(fault);
    },
  };

  const errorsIn = ({ log }: TestEndpoint) => log.filter(({ level }) => level === 50);

  for (const [where, breaks] of Object.entries(FAULTS)) {
    test(`when ${where}, the device gets "internal error", nothing is acknowledged, and the cause is logged`, async () => {
      const device = endpoint.devices.add();
      const client = await RawClient.admitted(endpoint, transport, device, '$SCW/twins/me/#');
      const { storage, twins } = endpoint;
      const whole = { change: storage.change, write: twins.put };
      breaks(endpoint, new TypeError('a mistake'));
      for (const qos of [1, 2] as const) {
        client.send(publishPacket('$SCW/twins/me/a/put', '{"data":{}}', { qos, messageId: qos }));
        const { topic, payload, id } = await client.message();
        assert.is(topic, '$SCW/twins/me/a/put/response/error');
        assert.equal(payload, { error: 'internal error', twin_id: device.id, document_name: 'a' });
        client.send({ cmd: qos === 1 ? 'puback' : 'pubrec', messageId: id ?? 0 });
        if (qos === 2) await client.next('pubrel');
      }
      assert.is(errorsIn(endpoint).length, 2);
      for (const line of errorsIn(endpoint)) {
        assert.is(line.device, device.id);
        assert.match(JSON.stringify(line), 'TypeError: a mistake');
      }
      Object.assign(storage, { change: whole.change });
      twins.put = whole.write;
      client.send(publishPacket('$SCW/twins/me/a/put', '{"data":{}}', { qos: 1, messageId: 3 }));
      assert.is((await client.next('puback')).messageId, 3);
      assert.is((await client.message()).payload.version, 1);
      client.vanish();
    });
  }

  for (const [error, text] of [
    [new OutcomeUnknown(new Error('cut off')), 'outcome unknown'],
    [new OwnerGone('a-device'), 'device not found'],
  ] as const) {
    test(`a write that the database answers with "${text}" is not acknowledged`, async () => {
      const device = endpoint.devices.add();
      const client = await RawClient.admitted(endpoint, transport, device, '$SCW/twins/me/#');
      endpoint.storage.change = (_file, _decide, done) => done(error);
      client.send(publishPacket('$SCW/twins/me/a/put', '{"data":{}}', { qos: 1, messageId: 1 }));
      const { topic, payload } = await client.message();
      assert.is(topic, '$SCW/twins/me/a/put/response/error');
      assert.equal(payload, { error: text, twin_id: device.id, document_name: 'a' });
      assert.equal(
        (await client.drain()).filter(({ cmd }) => cmd === 'puback'),
        [],
      );
      assert.equal(errorsIn(endpoint), []);
      client.vanish();
    });
  }

  test('an unexpected error while a will is carried out is logged as an error of the server', async () => {
    endpoint.storage.change = () => {
      throw new TypeError('a mistake');
    };
    const device = endpoint.devices.add();
    const client = await RawClient.open(endpoint, transport);
    const will = { topic: '$SCW/twins/me/a/put', payload: Buffer.from('{"data":{}}'), qos: 1, retain: false };
    client.send(connectPacket(device, { will }));
    await client.next('connack');
    client.vanish();
    await until(() => errorsIn(endpoint).length > 0);
    assert.match(JSON.stringify(errorsIn(endpoint)), 'TypeError: a mistake');
  });

  test('an error in the registry closes the connection without a CONNACK, and is logged', async () => {
    endpoint.devices.authenticate = () => Promise.reject(new TypeError('a mistake'));
    const client = await RawClient.open(endpoint, transport);
    client.send(connectPacket(endpoint.devices.add()));
    await client.closed;
    await client.next('connack').then(
      () => assert.unreachable('answered'),
      () => undefined,
    );
    assert.match(JSON.stringify(errorsIn(endpoint)), 'TypeError: a mistake');
  });
});

suites.run();
