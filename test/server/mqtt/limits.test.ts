/** The limits of a source and of a device. Those of one connection are tested with what they bound. */

import * as assert from 'uvu/assert';
import { until } from '../../until.js';
import { type Credentials, startEndpoint, type TestEndpoint } from './endpoint.js';
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
    assert.is(await codeFor({ ...beside, password: 'wrong' }), 4);
    assert.is(await codeFor(beside), 0);
    assert.is(await codeFor(device, ELSEWHERE), 0);
    assert.is(endpoint.audited.length, 1002);
    assert.equal(endpoint.audited.at(-1), {
      event: 'authentication_refused',
      source: '127.0.0.1',
      via: 'mqtt',
      device_id: beside.id,
      reason: 'wrong user name or password',
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
    const answers: Promise<number | undefined>[] = [];
    for (const [count, password] of [
      [30, 'wrong'],
      [10, device.password],
    ] as const) {
      for (let guess = 0; guess < count; guess++) answers.push(codeFor({ ...device, password }));
      await until(() => guesses.length === answers.length);
    }
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

  test('a device with too many requests under way, over all its connections, gets an error for the next one and stays connected', async () => {
    endpoint = await startEndpoint({ deviceInFlight: 3 });
    const device = endpoint.devices.add({ allow_multiple_connections: true });
    const [one, other] = [
      await RawClient.admitted(endpoint, transport, device),
      await RawClient.open(endpoint, transport),
    ];
    other.send(connectPacket(device, { clientId: 'other' }), subscribePacket('$SCW/twins/me/+/+/response/+'));
    await other.next('connack');
    await other.next('suback');
    const put = endpoint.twins.put.bind(endpoint.twins);
    const answers: (() => void)[] = [];
    endpoint.twins.put = (...request) => answers.push(() => put(...request));
    one.send(publishPacket(PUT, BODY), publishPacket(PUT, BODY));
    assert.equal(await one.drain(), []);
    for (let messageId = 1; messageId <= 3; messageId++)
      other.send(publishPacket(PUT, BODY, { qos: 1, messageId }));
    assert.equal(await other.drain(), []);
    for (const answer of answers.splice(0)) answer();
    assert.is((await other.next('puback')).messageId, 1);
    assert.is((await other.message()).payload.version, 3);
    for (let count = 0; count < 2; count++)
      assert.equal((await other.message()).payload, {
        error: 'too many requests',
        twin_id: device.id,
        document_name: 'current',
      });
    endpoint.twins.put = put;
    other.send(publishPacket(PUT, BODY, { qos: 1, messageId: 4 }));
    assert.is((await other.next('puback')).messageId, 4);
    for (const client of [one, other]) client.vanish();
  });
});

suites.run();
