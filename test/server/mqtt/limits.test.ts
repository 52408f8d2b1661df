/** The limits of a source and of a device. Those of one connection are tested with what they bound. */

import * as assert from 'uvu/assert';
import { until } from '../../until.js';
import { type Credentials, limitReached, startEndpoint, type TestEndpoint } from './endpoint.js';
import { connectPacket, publishPacket, RawClient, subscribePacket } from './raw-client.js';
import { overEach } from './transports.js';

/** Another source than 127.0.0.1, on the same machine. */
const ELSEWHERE = '127.0.0.2';
const PUT = '$SCW/twins/me/current/put';
const BODY = '{"data":{"x":1}}';

const suites = overEach('limits', (test, transport) => {
  let endpoint: TestEndpoint;

  test.after.each(() => endpoint.close());

  async function codeFor(device: Credentials, from?: string): Promise<number | undefined> {
    const client = await RawClient.open(endpoint, transport, from);
    client.send(connectPacket(device));
    const { returnCode } = await client.next('connack');
    client.vanish();
    return returnCode;
  }

  test('of 1,000 wrong passwords ten are checked; the right one still works elsewhere, and for a device that was let in before', async () => {
    endpoint = await startEndpoint();
    const device = endpoint.devices.add();
    const beside = endpoint.devices.add();
    assert.is(await codeFor(beside), 0);
    const codes: (number | undefined)[] = [];
    for (let count = 0; count < 1000; count++) codes.push(await codeFor({ ...device, password: 'wrong' }));
    assert.equal(codes, [...new Array(10).fill(4), ...new Array(990).fill(3)]);
    assert.is(await codeFor(device), 3);
    assert.is(await codeFor({ ...beside, password: 'wrong' }), 3);
    assert.is(await codeFor(beside), 0);
    assert.is(await codeFor(device, ELSEWHERE), 0);
    assert.is(endpoint.audited.length, 1002);
    assert.equal(endpoint.audited.at(-1), {
      event: 'authentication_refused',
      source: '127.0.0.1',
      via: 'mqtt',
      device_id: beside.id,
      reason: 'too many failed attempts from there',
    });
  });

  test('many guesses at the same time are limited like guesses one after another', async () => {
    endpoint = await startEndpoint();
    const device = endpoint.devices.add();
    const authenticate = endpoint.devices.authenticate.bind(endpoint.devices);
    const guesses: (() => void)[] = [];
    endpoint.devices.authenticate = async (...guess) => {
      await new Promise<void>((go) => guesses.push(go));
      return authenticate(...guess);
    };
    const answers = Array.from({ length: 40 }, (_, index) =>
      codeFor(index < 30 ? { ...device, password: 'wrong' } : device),
    );
    await until(() => guesses.length === answers.length);
    for (const go of guesses) go();
    assert.equal((await Promise.all(answers)).sort(), [...new Array(30).fill(3), ...new Array(10).fill(4)]);
  });

  async function isRefused(from?: string): Promise<boolean> {
    const before = endpoint.audited.length;
    await RawClient.open(endpoint, transport, from).then(
      async (client) => {
        if (endpoint.audited.length > before) await client.closed;
        client.vanish();
      },
      () => undefined,
    );
    return endpoint.audited.slice(before).some(({ event }) => event === 'connection_refused');
  }

  test('the connections of one source are limited, and those of another source are counted apart', async () => {
    endpoint = await startEndpoint({}, { connectionsPerSource: 3 });
    const [first, ...others] = [
      await RawClient.admitted(endpoint, transport, endpoint.devices.add()),
      await RawClient.open(endpoint, transport),
      await RawClient.open(endpoint, transport),
    ];
    assert.is(await isRefused(), true);
    assert.is(await isRefused(ELSEWHERE), false);
    assert.equal(await first?.drain(), []);
    first?.vanish();
    await until(async () => !(await isRefused()));
    for (const other of others) other.vanish();
  });

  test('the connections of all sources together are limited', async () => {
    endpoint = await startEndpoint({}, { connections: 2 });
    const [here, elsewhere] = [
      await RawClient.admitted(endpoint, transport, endpoint.devices.add()),
      await RawClient.open(endpoint, transport, ELSEWHERE),
    ];
    assert.is(await isRefused(), true);
    assert.is(await isRefused('127.0.0.3'), true);
    assert.equal(await here.drain(), []);
    here.vanish();
    elsewhere.vanish();
  });

  test('a device that asks too much gets an error for that request, after the answers to those before', async () => {
    endpoint = await startEndpoint({ requestsPerSecond: 5 });
    const device = endpoint.devices.add();
    const client = await RawClient.admitted(endpoint, transport, device, '$SCW/twins/me/#');
    for (let id = 1; id <= 40; id++) client.send(publishPacket(PUT, BODY, { qos: 1, messageId: id }));
    let done = 0;
    let message = await acknowledged(client, ++done);
    while (message !== undefined) {
      assert.is(message.payload.version, done);
      message = await acknowledged(client, ++done);
    }
    assert.ok(done < 40, `${done} requests were carried out`);
    const { topic, payload } = await client.message();
    assert.is(topic, `${PUT}/response/error`);
    assert.equal(payload, { error: 'too many requests', twin_id: device.id, document_name: 'current' });
    await client.closed;
    assert.equal(endpoint.audited, [limitReached(device.id, 'too many requests')]);
  });

  /** A request's PUBACK and its answer; undefined where what comes is the answer to one that is not acknowledged. */
  async function acknowledged(client: RawClient, id: number) {
    const first = await client.peek();
    if (first.cmd !== 'puback') return undefined;
    assert.is((await client.next('puback')).messageId, id);
    return client.message();
  }

  test('the will of a device that asks too much is carried out, and the device may ask again after a second', async () => {
    endpoint = await startEndpoint({ requestsPerSecond: 2 });
    const device = endpoint.devices.add();
    const client = await RawClient.open(endpoint, transport);
    const will = { topic: '$SCW/twins/me/will/put', payload: Buffer.from(BODY), qos: 0, retain: false };
    client.send(connectPacket(device, { will }));
    await client.next('connack');
    for (let id = 1; id <= 40; id++) client.send(publishPacket('elsewhere', ''));
    await client.closed;
    const names = await new Promise((resolve) =>
      endpoint.twins.list(device.id, (_error, list) => resolve(list)),
    );
    assert.equal(names, ['will']);
    const isAnswered = async (): Promise<boolean> => {
      const other = await RawClient.open(endpoint, transport);
      other.send(connectPacket(device), publishPacket('elsewhere', '', { qos: 1, messageId: 1 }));
      await other.next('connack');
      const answered = await other.next('puback').then(
        () => true,
        () => false,
      );
      other.vanish();
      return answered;
    };
    await until(isAnswered);
  });

  test('all connections of a device share its limit of requests, and another device has its own', async () => {
    endpoint = await startEndpoint({ requestsPerSecond: 5 });
    const device = endpoint.devices.add({ allow_multiple_connections: true });
    const clients: RawClient[] = [];
    for (const clientId of ['a', 'b', 'c']) {
      const client = await RawClient.open(endpoint, transport);
      client.send(connectPacket(device, { clientId }));
      await client.next('connack');
      clients.push(client);
    }
    const other = await RawClient.admitted(endpoint, transport, endpoint.devices.add(), '$SCW/twins/me/#');
    for (const client of clients) {
      for (let count = 0; count < 4; count++) client.send(publishPacket('elsewhere', ''));
    }
    await Promise.race(clients.map((client) => client.closed));
    other.send(publishPacket(PUT, BODY));
    assert.is((await other.message()).payload.version, 1);
    for (const client of [...clients, other]) client.vanish();
  });

  test('SUBSCRIBE and UNSUBSCRIBE count as requests, and those over the limit are not carried out', async () => {
    endpoint = await startEndpoint({ requestsPerSecond: 5 });
    for (const packet of [
      subscribePacket('$SCW/twins/me/#'),
      { cmd: 'unsubscribe' as const, messageId: 1, unsubscriptions: ['$SCW/twins/me/#'] },
    ]) {
      const device = endpoint.devices.add();
      const client = await RawClient.admitted(endpoint, transport, device);
      for (let count = 0; count < 40; count++) client.send(packet);
      await client.closed;
      assert.equal(endpoint.audited.at(-1), limitReached(device.id, 'too many requests'));
    }
  });
});

suites.run();
