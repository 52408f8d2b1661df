import * as assert from 'uvu/assert';
import { startEndpoint, type TestEndpoint } from './endpoint.js';
import { connectPacket, publishPacket, RawClient, subscribePacket } from './raw-client.js';
import { overEach } from './transports.js';

const suites = overEach('keep-alive', (test, transport) => {
  let endpoint: TestEndpoint;

  test.before(async () => {
    endpoint = await startEndpoint();
  });

  test.after(() => endpoint.close());

  test('a silent client is closed after one and a half times its keep-alive; one that pings is not', async () => {
    const silent = await RawClient.open(endpoint, transport);
    silent.send(connectPacket(endpoint.devices.add(), { keepalive: 1 }));
    const alive = await RawClient.open(endpoint, transport);
    alive.send(connectPacket(endpoint.devices.add(), { keepalive: 1 }));
    const without = await RawClient.admitted(endpoint, transport, endpoint.devices.add());
    const pings = setInterval(() => alive.send({ cmd: 'pingreq' }), 250);
    await silent.next('connack');
    await silent.closed;
    clearInterval(pings);
    await alive.next('connack');
    for (const client of [alive, without]) {
      await client.drain();
      client.vanish();
    }
  });

  test('only whole packets count for the keep-alive', async () => {
    const client = await RawClient.open(endpoint, transport);
    const device = endpoint.devices.add();
    client.send(connectPacket(device, { keepalive: 1 }));
    await client.next('connack');
    client.send(Buffer.from([0x30, 0x80, 0x08]));
    const spelling = setInterval(() => client.send(Buffer.from([0])), 50);
    await client.closed;
    clearInterval(spelling);
    const line = endpoint.log.find((entry) => entry.level === 40 && entry.device === device.id);
    assert.match(line?.reason ?? '', 'MQTT-3.1.2-24');
  });

  test('a client that is not read because its requests are under way is not closed as silent', async () => {
    const bounded = await startEndpoint({ inFlight: 1 });
    const client = await RawClient.open(bounded, transport);
    client.send(
      connectPacket(bounded.devices.add(), { keepalive: 1 }),
      subscribePacket('$SCW/twins/me/#'),
      publishPacket('$SCW/twins/me/a/get', ''),
    );
    const get = bounded.twins.get.bind(bounded.twins);
    const asked = new Promise<() => void>((resolve) => {
      bounded.twins.get = (...request) => resolve(() => get(...request));
    });
    const answer = await asked;
    const silent = await RawClient.open(bounded, transport);
    silent.send(connectPacket(bounded.devices.add(), { keepalive: 1 }));
    await silent.closed;
    answer();
    await client.next('connack');
    await client.next('suback');
    assert.is((await client.message()).payload.error, 'document not found');
    client.vanish();
    await bounded.close();
  });
});

suites.run();
