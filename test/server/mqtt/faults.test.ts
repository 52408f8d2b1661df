import * as assert from 'uvu/assert';
import { StorageUnavailable } from '../../../server/storage/storage.js';
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

  test('a fault of the server itself closes the one connection that met it, and is logged with its cause', async () => {
    const [honest, unlucky] = [
      await RawClient.admitted(endpoint, transport, endpoint.devices.add(), '$SCW/twins/me/#'),
      await RawClient.admitted(endpoint, transport, endpoint.devices.add(), '$SCW/twins/me/#'),
    ];
    const get = endpoint.twins.get.bind(endpoint.twins);
    endpoint.twins.get = () => {
      throw new TypeError('a mistake');
    };
    unlucky.send(publishPacket('$SCW/twins/me/current/get', ''));
    await unlucky.closed;
    endpoint.twins.get = get;
    honest.send(publishPacket('$SCW/twins/me/current/get', ''));
    assert.is((await honest.message()).payload.error, 'document not found');
    assert.match(JSON.stringify(endpoint.log.filter(({ level }) => level === 50)), 'a mistake');
    honest.vanish();
  });

  test('a registry that fails in its own way closes the connection', async () => {
    endpoint.devices.authenticate = () => Promise.reject(new TypeError('a mistake'));
    const client = await RawClient.open(endpoint, transport);
    client.send(connectPacket(endpoint.devices.add()));
    await client.closed;
    await client.next('connack').then(
      () => assert.unreachable('answered'),
      () => undefined,
    );
  });
});

suites.run();
