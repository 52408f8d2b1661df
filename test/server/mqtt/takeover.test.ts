import * as assert from 'uvu/assert';
import { startEndpoint, type TestEndpoint } from './endpoint.js';
import { connectPacket, RawClient } from './raw-client.js';
import { overEach } from './transports.js';

const DEVICE_CONNECTIONS = 4;

const suites = overEach('takeover', (test, transport) => {
  let endpoint: TestEndpoint;

  test.before(async () => {
    endpoint = await startEndpoint({ deviceConnections: DEVICE_CONNECTIONS });
  });

  test.after(() => endpoint.close());

  test('a new connection of a device takes over the old one, whatever their client ids', async () => {
    const device = endpoint.devices.add();
    const first = await RawClient.admitted(endpoint, transport, device);
    const second = await RawClient.open(endpoint, transport);
    second.send(connectPacket(device, { clientId: 'another' }));
    await second.next('connack');
    await first.closed;
    assert.equal(await second.drain(), []);
    second.vanish();
  });

  test('a CONNECT with a wrong password takes over no connection', async () => {
    const device = endpoint.devices.add();
    const first = await RawClient.admitted(endpoint, transport, device);
    const second = await RawClient.open(endpoint, transport);
    second.send(connectPacket(device, { password: Buffer.from('wrong') }));
    await second.closed;
    assert.equal(await first.drain(), []);
    first.vanish();
  });

  test('a device that may have several connections keeps them, but only one for each client id', async () => {
    const device = endpoint.devices.add({ allow_multiple_connections: true });
    const open = async (clientId: string) => {
      const client = await RawClient.open(endpoint, transport);
      client.send(connectPacket(device, { clientId }));
      await client.next('connack');
      return client;
    };
    const [first, second, unnamed, unnamedToo] = [
      await open('a'),
      await open('b'),
      await open(''),
      await open(''),
    ];
    const again = await open('a');
    await first.closed;
    for (const client of [second, unnamed, unnamedToo, again]) {
      assert.equal(await client.drain(), []);
      client.vanish();
    }
  });

  test('one connection too many of a device takes over its oldest one', async () => {
    const device = endpoint.devices.add({ allow_multiple_connections: true });
    const clients: RawClient[] = [];
    for (let count = 0; count <= DEVICE_CONNECTIONS; count++) {
      const client = await RawClient.open(endpoint, transport);
      client.send(connectPacket(device, { clientId: `client ${count}` }));
      await client.next('connack');
      clients.push(client);
    }
    const [oldest, ...others] = clients;
    await oldest?.closed;
    for (const client of others) {
      assert.equal(await client.drain(), []);
      client.vanish();
    }
  });

  for (const why of ['disabled', 'deleted', 'credentials'] as const) {
    test(`the connections of a device close when the registry reports: ${why}`, async () => {
      const device = endpoint.devices.add({ allow_multiple_connections: true });
      const other = await RawClient.admitted(endpoint, transport, endpoint.devices.add());
      const first = await RawClient.admitted(endpoint, transport, device);
      const second = await RawClient.open(endpoint, transport);
      second.send(connectPacket(device, { clientId: 'second' }));
      await second.next('connack');
      endpoint.devices.revoke(device.id, why);
      await first.closed;
      await second.closed;
      assert.equal(await other.drain(), []);
      other.vanish();
    });
  }

  test('a device that loses its rights while it is being authenticated is not let in', async () => {
    const device = endpoint.devices.add();
    const authenticate = endpoint.devices.authenticate.bind(endpoint.devices);
    endpoint.devices.authenticate = async (id, password) => {
      const known = await authenticate(id, password);
      endpoint.devices.revoke(id, 'disabled');
      return known;
    };
    const client = await RawClient.open(endpoint, transport);
    client.send(connectPacket(device));
    await client.closed;
    endpoint.devices.authenticate = authenticate;
    await client.next('connack').then(
      () => assert.unreachable('accepted'),
      () => undefined,
    );
  });
});

suites.run();
