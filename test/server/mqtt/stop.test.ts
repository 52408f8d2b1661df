import * as assert from 'uvu/assert';
import { startEndpoint } from './endpoint.js';
import { connectPacket, publishPacket, RawClient } from './raw-client.js';
import { overEach } from './transports.js';

const suites = overEach('stop', (test, transport) => {
  test('when the endpoint stops, it answers all requests, ends every connection and accepts no more', async () => {
    const endpoint = await startEndpoint();
    const mute = await RawClient.open(endpoint, transport);
    const idle = await RawClient.admitted(endpoint, transport, endpoint.devices.add());
    const busy = await RawClient.admitted(endpoint, transport, endpoint.devices.add(), '$SCW/twins/me/#');
    const asked = new Promise<void>((resolve) => {
      const put = endpoint.twins.put.bind(endpoint.twins);
      endpoint.twins.put = (...request) => {
        put(...request);
        resolve();
      };
    });
    busy.send(publishPacket('$SCW/twins/me/a/put', '{"data":{}}', { qos: 1, messageId: 1 }));
    await asked;
    const closed = endpoint.close();
    assert.is((await busy.next('puback')).messageId, 1);
    assert.is((await busy.message()).payload.version, 1);
    await Promise.all([closed, mute.closed, idle.closed, busy.closed]);
    assert.is(endpoint.mqtt.counters.connections, 0);
    await RawClient.open(endpoint, transport).then(
      () => assert.unreachable('somebody came in'),
      (error) => assert.is(error.code, 'ECONNREFUSED'),
    );
  });

  test('a stop waits for a client that does not close no longer than is allowed', async () => {
    const endpoint = await startEndpoint({ stopMs: 100 });
    const client = await RawClient.admitted(endpoint, transport, endpoint.devices.add());
    client.stopReading();
    await endpoint.close();
    assert.is(endpoint.mqtt.counters.connections, 0);
    client.vanish();
  });

  test('a stop carries out no wills', async () => {
    const endpoint = await startEndpoint();
    const device = endpoint.devices.add();
    const client = await RawClient.open(endpoint, transport);
    const will = {
      topic: '$SCW/twins/me/current/put',
      payload: Buffer.from('{"data":{}}'),
      qos: 0,
      retain: false,
    };
    client.send(connectPacket(device, { will }));
    await client.next('connack');
    await endpoint.close();
    const names = await new Promise((resolve) =>
      endpoint.twins.list(device.id, (_error, list) => resolve(list)),
    );
    assert.equal(names, []);
  });
});

suites.run();
