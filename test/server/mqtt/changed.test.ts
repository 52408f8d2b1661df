import * as assert from 'uvu/assert';
import type { Document } from '../../../server/twins/document.js';
import { type Credentials, limitReached, startEndpoint, type TestEndpoint } from './endpoint.js';
import { connectPacket, publishPacket, RawClient, subscribePacket } from './raw-client.js';
import { overEach } from './transports.js';

const suites = overEach('changed', (test, transport) => {
  let endpoint: TestEndpoint;
  let device: Credentials;

  test.before(async () => {
    endpoint = await startEndpoint({ inFlight: 3 });
  });

  test.before.each(() => {
    device = endpoint.devices.add({ allow_multiple_connections: true });
  });

  test.after(() => endpoint.close());

  const done = (start: (answer: (error: Error | null) => void) => void) =>
    new Promise<void>((resolve, reject) => {
      start((error) => (error === null ? resolve() : reject(error)));
    });

  /** As REST writes: from outside. */
  const put = (name: string, data: object) =>
    done((answer) =>
      endpoint.twins.put(device.id, name, { version: 0, data: data as Record<string, never> }, answer),
    );

  async function listener(clientId: string, ...filters: string[]): Promise<RawClient> {
    const client = await RawClient.open(endpoint, transport);
    client.send(connectPacket(device, { clientId }));
    await client.next('connack');
    for (const filter of filters) {
      client.send(subscribePacket(filter, 1));
      await client.next('suback');
    }
    return client;
  }

  test('a change from outside is pushed whole, on every prefix that a subscription matches', async () => {
    const me = await listener('me', '$SCW/twins/me/#');
    const id = await listener('id', `$SCW/twins/${device.id}/desired/changed`);
    const both = await listener('both', '$SCW/twins/me/+/changed', `$SCW/twins/${device.id}/#`);
    const neither = await listener('neither', '$SCW/twins/me/+/get/response/+');
    await put('desired', { alarm_armed: true });
    const expected = await new Promise<Document>((resolve) => {
      endpoint.twins.get(device.id, 'desired', (_error, document) => document && resolve(document));
    });
    const topics = async (client: RawClient) => {
      const messages = (await client.drain()) as { topic: string; payload: Buffer; qos: number }[];
      for (const { payload, qos } of messages) {
        assert.is(payload.toString(), expected.json);
        assert.is(qos, 1);
      }
      return messages.map(({ topic }) => topic);
    };
    assert.equal(await topics(me), ['$SCW/twins/me/desired/changed']);
    assert.equal(await topics(id), [`$SCW/twins/${device.id}/desired/changed`]);
    assert.equal(await topics(both), [
      '$SCW/twins/me/desired/changed',
      `$SCW/twins/${device.id}/desired/changed`,
    ]);
    assert.equal(await topics(neither), []);
    for (const client of [me, id, both, neither]) client.vanish();
  });

  test('a connection learns what the other connections of its device write, and nothing of its own', async () => {
    const writer = await listener('writer', '$SCW/twins/me/#');
    const reader = await listener('reader', '$SCW/twins/me/#');
    for (const [action, version] of [
      ['put', 1],
      ['patch', 2],
    ] as const) {
      writer.send(publishPacket(`$SCW/twins/me/current/${action}`, '{"data":{"door_open":true}}'));
      assert.is((await writer.message()).topic, `$SCW/twins/me/current/${action}/response/success`);
      const pushed = await reader.message();
      assert.is(pushed.topic, '$SCW/twins/me/current/changed');
      assert.is(pushed.payload.version, version);
    }
    assert.equal(await writer.drain(), []);
    for (const client of [writer, reader]) client.vanish();
  });

  test('a deletion comes with the last version, in order with the changes before and after it', async () => {
    const me = await listener('me', '$SCW/twins/me/#');
    const id = await listener('id', `$SCW/twins/${device.id}/+/deleted`);
    const neither = await listener('neither', '$SCW/twins/me/other/#');
    const remove = () => done((answer) => endpoint.twins.delete(device.id, 'desired', answer));
    const clear = () => done((answer) => endpoint.twins.clear(device.id, answer));
    const steps: [() => Promise<void>, string, number][] = [
      [() => put('desired', {}), 'changed', 1],
      [() => put('desired', {}), 'changed', 2],
      [remove, 'deleted', 2],
      [() => put('desired', { again: true }), 'changed', 1],
      [clear, 'deleted', 1],
    ];
    for (const [act, told, version] of steps) {
      await act();
      const push = await me.message();
      assert.equal(
        [push.topic, push.payload.version, push.qos],
        [`$SCW/twins/me/desired/${told}`, version, 1],
      );
      me.send({ cmd: 'puback', messageId: push.id ?? 0 });
    }
    const { topic, payload, qos } = await id.message();
    assert.is(topic, `$SCW/twins/${device.id}/desired/deleted`);
    assert.equal(payload, { twin_id: device.id, document_name: 'desired', version: 2 });
    assert.is(qos, 1);
    assert.equal(await neither.drain(), []);
    for (const client of [me, id, neither]) client.vanish();
  });

  test('a connection learns what the other connections of its device delete, and nothing of its own', async () => {
    const writer = await listener('writer', '$SCW/twins/me/#');
    const reader = await listener('reader', '$SCW/twins/me/+/deleted');
    await put('a', {});
    await writer.message();
    writer.send(publishPacket('$SCW/twins/me/a/delete', ''));
    assert.is((await writer.message()).topic, '$SCW/twins/me/a/delete/response/success');
    const { topic, payload } = await reader.message();
    assert.is(topic, '$SCW/twins/me/a/deleted');
    assert.equal(payload, { twin_id: device.id, document_name: 'a', version: 1 });
    assert.equal(await writer.drain(), []);
    for (const client of [writer, reader]) client.vanish();
  });

  test('a client that does not acknowledge gets only the last change of each document when it does', async () => {
    const client = await listener('lazy', '$SCW/twins/me/#');
    for (let round = 1; round <= 10; round++) {
      await put('a', { round });
      await put('b', { round });
    }
    await done((answer) => endpoint.twins.delete(device.id, 'b', answer));
    const first = [await client.message(), await client.message(), await client.message()];
    assert.equal(
      first.map(({ payload }) => payload.version),
      [1, 1, 2],
    );
    assert.equal(await client.drain(), []);
    for (const { id } of first) client.send({ cmd: 'puback', messageId: id ?? 0 });
    const last = [await client.message(), await client.message()];
    assert.equal(
      last.map(({ topic, payload }) => [topic, payload.version]),
      [
        ['$SCW/twins/me/a/changed', 10],
        ['$SCW/twins/me/b/deleted', 10],
      ],
    );
    assert.equal(await client.drain(), []);
    client.vanish();
  });

  test('two devices neither see nor reach each other', async () => {
    const [mine, theirs] = [device, endpoint.devices.add()];
    const victim = await RawClient.admitted(
      endpoint,
      transport,
      theirs,
      '$SCW/twins/me/#',
      `$SCW/twins/${theirs.id}/#`,
    );
    victim.send(publishPacket('$SCW/twins/me/secret/put', '{"data":{"pin":1234}}'));
    await victim.message();

    const spy = await listener('spy', '$SCW/twins/me/#');
    const filters = [
      '#',
      '+/+',
      '+/#',
      '$SYS/#',
      '$SCW/#',
      '$SCW/+/#',
      '$SCW/twins/#',
      '$SCW/twins/+/secret/changed',
      '$SCW/twins/me',
      `$SCW/twins/${theirs.id}/#`,
      `$SCW/twins/${theirs.id}/secret/get/response/success`,
      `$SCW/twins/${theirs.id.toUpperCase()}/#`,
      `$SCW/twins/${mine.id}x/#`,
      '$scw/twins/me/#',
      'twins/me/#',
      '/$SCW/twins/me/#',
    ];
    spy.send({
      cmd: 'subscribe',
      messageId: 9,
      subscriptions: filters.map((topic) => ({ topic, qos: 0 as const })),
    });
    assert.equal(
      (await spy.next('suback')).granted,
      filters.map(() => 0x80),
    );
    const { event, device_id } = endpoint.audited.at(-1) ?? {};
    assert.equal([event, device_id], ['permission_refused', mine.id]);

    for (const prefix of [theirs.id, theirs.id.toUpperCase(), `me/../${theirs.id}`, `${theirs.id}/`]) {
      for (const action of ['get', 'put', 'patch', 'delete', 'changed', 'deleted', 'get/response/success']) {
        spy.send(
          publishPacket(`$SCW/twins/${prefix}/secret/${action}`, '{"data":{"pin":0}}', {
            qos: 1,
            messageId: 1,
          }),
        );
        await spy.next('puback');
      }
    }
    victim.send(publishPacket('$SCW/twins/me/secret/patch', '{"data":{"more":true}}'));
    const { payload } = await victim.message();
    assert.equal(payload.data, { pin: 1234, more: true });
    assert.is(payload.version, 2);
    assert.equal(await spy.drain(), []);
    assert.equal(await victim.drain(), []);
    spy.vanish();
    victim.vanish();
  });

  test('a filter that is longer than any topic gets 0x80', async () => {
    const client = await RawClient.admitted(endpoint, transport, endpoint.devices.add());
    const topics = ['$SCW/twins/me/+', `$SCW/twins/me/+${'/'.repeat(60_000)}`, '$SCW/twins/me/#'];
    client.send({
      cmd: 'subscribe',
      messageId: 1,
      subscriptions: topics.map((topic) => ({ topic, qos: 0 as const })),
    });
    assert.equal((await client.next('suback')).granted, [0, 0x80, 0]);
    client.vanish();
  });

  test('more filters than are allowed get 0x80, and the first ones still work', async () => {
    const bounded = await startEndpoint({ subscriptions: 2 });
    const greedy = bounded.devices.add();
    const client = await RawClient.admitted(bounded, transport, greedy);
    const topics = ['$SCW/twins/me/a/#', '$SCW/twins/me/b/#', '$SCW/twins/me/c/#', '$SCW/twins/me/a/#'];
    client.send({
      cmd: 'subscribe',
      messageId: 1,
      subscriptions: topics.map((topic) => ({ topic, qos: 0 as const })),
    });
    assert.equal((await client.next('suback')).granted, [0, 0, 0x80, 0]);
    assert.equal(bounded.audited, [limitReached(greedy.id, 'too many subscriptions, or too long ones')]);
    client.send(
      publishPacket('$SCW/twins/me/c/put', '{"data":{}}'),
      publishPacket('$SCW/twins/me/b/put', '{"data":{}}'),
    );
    assert.is((await client.message()).payload.document_name, 'b');
    client.vanish();
    await bounded.close();
  });
});

suites.run();
