import * as assert from 'uvu/assert';
import type { Change } from '../../../server/twins/twins.js';
import { type Credentials, startEndpoint, type TestEndpoint } from './endpoint.js';
import { connectPacket, publishPacket, RawClient } from './raw-client.js';
import { overEach } from './transports.js';

const suites = overEach('will', (test, transport) => {
  let endpoint: TestEndpoint;
  let device: Credentials;

  test.before(async () => {
    endpoint = await startEndpoint();
  });

  test.before.each(() => {
    device = endpoint.devices.add();
  });

  test.after(() => endpoint.close());

  const WILL = {
    topic: '$SCW/twins/me/current/put',
    payload: Buffer.from('{"data":{"lost":true}}'),
    qos: 1,
    retain: true,
  };

  async function willing(will: object = WILL): Promise<RawClient> {
    const client = await RawClient.open(endpoint, transport);
    client.send(connectPacket(device, { will, keepalive: 1 }));
    await client.next('connack');
    return client;
  }

  /** The next changes of the device's twin. */
  const nextChanges = (count: number) =>
    new Promise<Change[]>((resolve) => {
      const changes: Change[] = [];
      const stop = endpoint.twins.watch(device.id, (change) => {
        if (changes.push(change) < count) return;
        stop();
        resolve(changes);
      });
    });

  const namesOf = () =>
    new Promise<string[]>((resolve) => {
      endpoint.twins.list(device.id, (_error, names) => resolve(names ?? []));
    });

  const LOSSES: Record<string, (client: RawClient) => void> = {
    'the connection breaks': (client) => client.vanish(),
    'the client closes without a DISCONNECT': (client) => client.end(),
    'the client breaks the protocol': (client) => client.send(Buffer.from([0xff, 0])),
    'the keep-alive runs out': () => undefined,
  };

  for (const [loss, lose] of Object.entries(LOSSES)) {
    test(`a will is carried out as its request when ${loss}`, async () => {
      const client = await willing();
      const changes = nextChanges(1);
      lose(client);
      const [change] = await changes;
      assert.is(change?.name, 'current');
      assert.is(change?.document?.data, '{"lost":true}');
      client.vanish();
    });
  }

  test('a will may patch and may use the id, and the other connections of its device hear of it', async () => {
    device = endpoint.devices.add({ allow_multiple_connections: true });
    const listener = await RawClient.admitted(endpoint, transport, device, '$SCW/twins/me/#');
    listener.send(publishPacket('$SCW/twins/me/current/put', '{"data":{"door_open":true}}'));
    await listener.message();
    const client = await RawClient.open(endpoint, transport);
    const will = { ...WILL, topic: `$SCW/twins/${device.id}/current/patch` };
    client.send(connectPacket(device, { clientId: 'willing', will }));
    await client.next('connack');
    client.vanish();
    const { topic, payload } = await listener.message();
    assert.is(topic, '$SCW/twins/me/current/changed');
    assert.equal(payload.data, { door_open: true, lost: true });
    listener.vanish();
  });

  test('a will is carried out before the requests of the connection that takes over', async () => {
    const first = await willing();
    const second = await RawClient.admitted(endpoint, transport, device, '$SCW/twins/me/#');
    second.send(publishPacket('$SCW/twins/me/current/get', ''));
    assert.equal((await second.message()).payload.data, { lost: true });
    await first.closed;
    second.vanish();
  });

  test('a will comes after the requests that came before it', async () => {
    const client = await willing();
    const changes = nextChanges(2);
    client.send(publishPacket(WILL.topic, '{"data":{"last":"words"}}'), Buffer.from([0xff, 0]));
    const texts = (await changes).map(({ document }) => document?.data);
    assert.equal(texts, ['{"last":"words"}', '{"lost":true}']);
    await client.closed;
  });

  test('the will of a client that sends DISCONNECT is not carried out', async () => {
    const client = await willing();
    client.send({ cmd: 'disconnect' });
    await client.closed;
    assert.equal(await namesOf(), []);
  });

  test('the will of a device that loses its rights is not carried out', async () => {
    const client = await willing();
    endpoint.devices.revoke(device.id, 'deleted');
    await client.closed;
    assert.equal(await namesOf(), []);
  });

  test('a will outside the own twin is dropped and counted, and one that is not a request changes nothing', async () => {
    const { droppedPublishes } = endpoint.mqtt.counters;
    const other = endpoint.devices.add();
    const elsewhere = await willing({ ...WILL, topic: `$SCW/twins/${other.id}/current/put` });
    elsewhere.send(Buffer.from([0xff, 0]));
    await elsewhere.closed;
    const broken = await willing({ ...WILL, payload: Buffer.from('{') });
    broken.send(Buffer.from([0xff, 0]));
    await broken.closed;
    assert.is(endpoint.mqtt.counters.droppedPublishes, droppedPublishes + 1);
    assert.equal(await namesOf(), []);
    device = other;
    assert.equal(await namesOf(), []);
  });
});

suites.run();
