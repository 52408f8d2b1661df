import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startEndpoint } from './endpoint.js';
import { bytesOf, connectPacket, publishPacket, RawClient } from './raw-client.js';

test('at a stop what was asked is still answered, then every connection ends and nobody comes in', async () => {
  const endpoint = await startEndpoint();
  const mute = await RawClient.open(endpoint.port);
  const idle = await RawClient.admitted(endpoint.port, endpoint.devices.add());
  const busy = await RawClient.admitted(endpoint.port, endpoint.devices.add(), '$SCW/twins/me/#');
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
  const late = connect(endpoint.port, '127.0.0.1');
  const [error] = await once(late, 'error');
  assert.is((error as NodeJS.ErrnoException).code, 'ECONNREFUSED');
});

test('a client that does not go is not waited for longer than is allowed', async () => {
  const endpoint = await startEndpoint({ mqttStopMs: 100 });
  const socket = connect({ port: endpoint.port, host: '127.0.0.1', allowHalfOpen: true });
  const client = endpoint.devices.add();
  socket.write(bytesOf(connectPacket(client)));
  await once(socket, 'data');
  await endpoint.close();
  assert.is(endpoint.mqtt.counters.connections, 0);
  socket.destroy();
});

test('a stop carries out no wills: it is not the device that is lost', async () => {
  const endpoint = await startEndpoint();
  const device = endpoint.devices.add();
  const client = await RawClient.open(endpoint.port);
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

test('a port that is taken is an error with the name of the system', async () => {
  const endpoint = await startEndpoint();
  try {
    await endpoint.mqtt.listen({ host: '127.0.0.1', port: endpoint.port });
    assert.unreachable('it listens on a port that is taken');
  } catch (error) {
    assert.is((error as NodeJS.ErrnoException).code, 'EADDRINUSE');
  }
  await endpoint.close();
});

test.run();
