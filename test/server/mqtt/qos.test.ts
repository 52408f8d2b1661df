import * as assert from 'uvu/assert';
import { type Credentials, limitReached, startEndpoint, type TestEndpoint } from './endpoint.js';
import { connectPacket, publishPacket, RawClient, subscribePacket } from './raw-client.js';
import { overEach } from './transports.js';

const suites = overEach('qos', (test, transport) => {
  let endpoint: TestEndpoint;
  let device: Credentials;
  let client: RawClient;

  test.before(async () => {
    endpoint = await startEndpoint({ unacknowledged: 20 });
  });

  test.before.each(async () => {
    device = endpoint.devices.add();
    // While a twin is read, its device is served one request after another.
    await new Promise((listed) => endpoint.twins.list(device.id, listed));
    client = await RawClient.admitted(endpoint, transport, device);
  });

  test.after.each(() => client.vanish());

  test.after(() => endpoint.close());

  const PUT = '$SCW/twins/me/current/put';
  const BODY = '{"data":{"x":1}}';

  async function subscribe(filter: string, qos: 0 | 1 | 2): Promise<void> {
    client.send(subscribePacket(filter, qos));
    assert.equal((await client.next('suback')).granted, [qos]);
  }

  for (const asked of [0, 1, 2] as const) {
    for (const granted of [0, 1, 2] as const) {
      test(`a request of QoS ${asked} with a subscription of QoS ${granted} is answered with the lower QoS`, async () => {
        await subscribe('$SCW/twins/me/#', granted);
        client.send(publishPacket(PUT, BODY, { qos: asked, messageId: 9 }));
        if (asked === 1) assert.is((await client.next('puback')).messageId, 9);
        if (asked === 2) assert.is((await client.next('pubrec')).messageId, 9);
        const { topic, qos, id, payload } = await client.message();
        assert.is(topic, `${PUT}/response/success`);
        assert.is(payload.version, 1);
        assert.is(qos, Math.min(asked, granted));
        if (qos === 1) client.send({ cmd: 'puback', messageId: id ?? 0 });
        if (qos === 2) {
          client.send({ cmd: 'pubrec', messageId: id ?? 0 });
          assert.is((await client.next('pubrel')).messageId, id);
          client.send({ cmd: 'pubcomp', messageId: id ?? 0 });
        }
        if (asked === 2) {
          client.send({ cmd: 'pubrel', messageId: 9 });
          assert.is((await client.next('pubcomp')).messageId, 9);
        }
        assert.equal(await client.drain(), []);
      });
    }
  }

  test('an answer comes once, with the highest QoS of all subscriptions that match', async () => {
    await subscribe('$SCW/twins/me/#', 0);
    await subscribe('$SCW/twins/me/+/put/response/success', 2);
    await subscribe(`${PUT}/response/+`, 1);
    client.send(publishPacket(PUT, BODY, { qos: 2, messageId: 1 }));
    await client.next('pubrec');
    assert.is((await client.message()).qos, 2);
    assert.equal(await client.drain(), []);
  });

  test('subscribing again changes the QoS, and unsubscribing ends the answers', async () => {
    await subscribe('$SCW/twins/me/#', 2);
    await subscribe('$SCW/twins/me/#', 0);
    client.send(publishPacket(PUT, BODY, { qos: 1, messageId: 1 }));
    await client.next('puback');
    assert.is((await client.message()).qos, 0);
    client.send({
      cmd: 'unsubscribe',
      messageId: 3,
      unsubscriptions: ['$SCW/twins/me/#', 'never/subscribed'],
    });
    assert.is((await client.next('unsuback')).messageId, 3);
    client.send(publishPacket(PUT, BODY, { qos: 1, messageId: 2 }));
    await client.next('puback');
    assert.equal(await client.drain(), []);
  });

  test('without a subscription that matches there is no answer, and the request is carried out', async () => {
    await subscribe('$SCW/twins/me/+/get/response/success', 0);
    await subscribe(`$SCW/twins/${device.id}/#`, 0);
    client.send(
      publishPacket(PUT, BODY),
      publishPacket(PUT, '{'),
      publishPacket('$SCW/twins/me/current/get', ''),
    );
    const { topic, payload } = await client.message();
    assert.is(topic, '$SCW/twins/me/current/get/response/success');
    assert.is(payload.version, 1);
    assert.equal(await client.drain(), []);
  });

  test('a QoS 1 request is acknowledged when it is stored, not before', async () => {
    client.send(publishPacket(PUT, BODY, { qos: 1, messageId: 1 }));
    await client.next('puback');
    assert.is(
      endpoint.storage.stored(`twins/${device.id.slice(0, 2)}/${device.id}`).get('current')?.version,
      1,
    );
  });

  test('a QoS 2 request is carried out once however often it is sent, until it is released', async () => {
    await subscribe('$SCW/twins/me/#', 0);
    client.send(
      publishPacket(PUT, BODY, { qos: 2, messageId: 5 }),
      publishPacket(PUT, BODY, { qos: 2, messageId: 5, dup: true }),
    );
    assert.is((await client.next('pubrec')).messageId, 5);
    assert.is((await client.message()).payload.version, 1);
    client.send(publishPacket(PUT, BODY, { qos: 2, messageId: 5, dup: true }));
    assert.is((await client.next('pubrec')).messageId, 5);
    client.send({ cmd: 'pubrel', messageId: 5 });
    assert.is((await client.next('pubcomp')).messageId, 5);
    client.send(publishPacket(PUT, BODY, { qos: 2, messageId: 5 }));
    assert.is((await client.next('pubrec')).messageId, 5);
    assert.is((await client.message()).payload.version, 2);
  });

  test('a QoS 2 request that is released before it is stored is completed after it is', async () => {
    client.send(publishPacket(PUT, BODY, { qos: 2, messageId: 6 }), { cmd: 'pubrel', messageId: 6 });
    assert.is((await client.next('pubrec')).messageId, 6);
    assert.is((await client.next('pubcomp')).messageId, 6);
    await subscribe('$SCW/twins/me/#', 0);
    endpoint.storage.failWith(new Error('disk full'));
    client.send(publishPacket(PUT, BODY, { qos: 2, messageId: 6 }), { cmd: 'pubrel', messageId: 6 });
    assert.is((await client.message()).payload.error, 'storage unavailable');
    endpoint.storage.failWith(undefined);
    assert.equal(await client.drain(), []);
  });

  test('a QoS 1 request that is sent again is carried out again', async () => {
    await subscribe('$SCW/twins/me/#', 0);
    for (const version of [1, 2]) {
      client.send(publishPacket(PUT, BODY, { qos: 1, messageId: 5, dup: version > 1 }));
      await client.next('puback');
      assert.is((await client.message()).payload.version, version);
    }
  });

  test('a PUBREL of an unknown id is completed, and acknowledgements of unknown ids are ignored', async () => {
    client.send({ cmd: 'pubrel', messageId: 77 });
    assert.is((await client.next('pubcomp')).messageId, 77);
    client.send(
      { cmd: 'puback', messageId: 7 },
      { cmd: 'pubrec', messageId: 8 },
      { cmd: 'pubcomp', messageId: 9 },
    );
    assert.equal(await client.drain(), []);
  });

  test('acknowledgements come in the order of the publishes, dropped ones included', async () => {
    client.send(
      publishPacket(PUT, BODY, { qos: 1, messageId: 1 }),
      publishPacket('elsewhere', '', { qos: 1, messageId: 2 }),
      publishPacket(PUT, '{', { qos: 1, messageId: 3 }),
      publishPacket(PUT, BODY, { qos: 2, messageId: 4 }),
      publishPacket('elsewhere', '', { qos: 2, messageId: 5 }),
    );
    const order = (await client.drain()).concat(await collect(5)).map(({ messageId }) => messageId);
    assert.equal(order, [1, 2, 3, 4, 5]);
  });

  async function collect(count: number) {
    const packets = [];
    for (let index = 0; index < count; index++) {
      packets.push(await client.next(index < 3 ? 'puback' : 'pubrec'));
    }
    return packets;
  }

  test('the retain flag is ignored', async () => {
    await subscribe('$SCW/twins/me/#', 0);
    client.send(publishPacket(PUT, BODY, { retain: true }));
    const { retain } = await client.next('publish');
    assert.is(retain, false);
    await subscribe('$SCW/twins/me/current/+', 0);
    assert.equal(await client.drain(), []);
  });

  test('a client that never acknowledges is closed when its packet ids are used up', async () => {
    await subscribe('$SCW/twins/me/#', 1);
    for (let id = 1; id <= 21; id++) client.send(publishPacket(PUT, BODY, { qos: 1, messageId: id }));
    await client.closed;
    assert.equal(endpoint.audited.at(-1), limitReached(device.id, 'too many unacknowledged messages'));
  });

  test('the connections of a device share how many messages it may leave unacknowledged', async () => {
    const many = endpoint.devices.add({ allow_multiple_connections: true });
    const [one, other] = [
      await RawClient.admitted(endpoint, transport, many),
      await RawClient.open(endpoint, transport),
    ];
    other.send(connectPacket(many, { clientId: 'other' }));
    await other.next('connack');
    for (let id = 1; id <= 11; id++) one.send(publishPacket(PUT, BODY, { qos: 2, messageId: id }));
    await one.closed;
    for (let id = 1; id <= 20; id++) other.send(publishPacket(PUT, BODY, { qos: 2, messageId: id }));
    for (let id = 1; id <= 20; id++) assert.is((await other.next('pubrec')).messageId, id);
    other.vanish();
  });

  test('a client that never releases its QoS 2 publishes is closed when there are too many', async () => {
    for (let id = 1; id <= 21; id++) client.send(publishPacket(PUT, BODY, { qos: 2, messageId: id }));
    await client.closed;
    assert.equal(endpoint.audited.at(-1), limitReached(device.id, 'too many QoS 2 publishes not released'));
  });
});

suites.run();
