import { once } from 'node:events';
import * as assert from 'uvu/assert';
import { startEndpoint, type TestEndpoint } from './endpoint.js';
import { bytesOf, connectPacket, publishPacket, RawClient, subscribePacket } from './raw-client.js';
import { overEach } from './transports.js';

const suites = overEach('connect', (test, transport) => {
  let endpoint: TestEndpoint;

  test.before(async () => {
    endpoint = await startEndpoint({ connectMs: 800 }, { authFailuresPerMinute: 100 });
  });

  test.after(() => endpoint.close());

  async function answerTo(
    packet: ReturnType<typeof connectPacket>,
  ): Promise<{ client: RawClient; code: number | undefined }> {
    const client = await RawClient.open(endpoint, transport);
    client.send(packet);
    const { returnCode, sessionPresent } = await client.next('connack');
    assert.is(sessionPresent, false);
    return { client, code: returnCode };
  }

  async function refusedWith(code: number, packet: ReturnType<typeof connectPacket>): Promise<void> {
    const { refused } = endpoint.mqtt.counters;
    endpoint.audited.length = 0;
    const answer = await answerTo(packet);
    assert.is(answer.code, code);
    await answer.client.closed;
    assert.is(endpoint.mqtt.counters.refused, refused + 1);
    assert.equal(
      endpoint.audited.map(({ event, source }) => [event, source]),
      [['authentication_refused', '127.0.0.1']],
    );
  }

  test('the right password is accepted, with clean session 1 and with 0', async () => {
    const device = endpoint.devices.add();
    for (const clean of [true, false]) {
      const { client, code } = await answerTo(connectPacket(device, { clean }));
      assert.is(code, 0);
      client.vanish();
    }
  });

  test('an empty client id is accepted with clean session 1 and refused by 2 with 0', async () => {
    const device = endpoint.devices.add();
    const { client, code } = await answerTo(connectPacket(device, { clientId: '' }));
    assert.is(code, 0);
    client.vanish();
    // The packet writer refuses to write this one: clear its clean flag by hand.
    const bytes = bytesOf(connectPacket(device, { clientId: '' }));
    bytes[bytes.indexOf('MQTT') + 5] = 0xc0;
    const other = await RawClient.open(endpoint, transport);
    other.send(bytes);
    assert.is((await other.next('connack')).returnCode, 2);
    await other.closed;
  });

  test('a wrong password, no password, no user name and an unknown device are refused by 4', async () => {
    const device = endpoint.devices.add();
    const other = endpoint.devices.add();
    await refusedWith(4, connectPacket(device, { password: Buffer.from('wrong') }));
    await refusedWith(4, connectPacket(device, { password: Buffer.from('') }));
    await refusedWith(4, connectPacket(device, { password: Buffer.from(other.password) }));
    await refusedWith(4, connectPacket(device, { password: undefined }));
    await refusedWith(4, connectPacket(device, { username: undefined, password: undefined }));
    await refusedWith(4, connectPacket(device, { username: '../../devices' }));
  });

  test('no password is ever logged, whichever field held it', async () => {
    const device = endpoint.devices.add();
    await refusedWith(
      4,
      connectPacket(device, { username: device.password, password: Buffer.from(device.id) }),
    );
    const { client } = await answerTo(connectPacket(device));
    client.send(bytesOf(connectPacket(device)));
    await client.closed;
    assert.not.match(JSON.stringify([endpoint.log, endpoint.audited]), device.password);
  });

  test('a disabled device is refused by 5', async () => {
    await refusedWith(5, connectPacket(endpoint.devices.add({ status: 'disabled' })));
  });

  test('a device that may not use an insecure connection is refused by 5, but only with its right password', async () => {
    const device = endpoint.devices.add({ allow_insecure: false });
    await refusedWith(5, connectPacket(device));
    await refusedWith(4, connectPacket(device, { password: Buffer.from('wrong') }));
  });

  test('packets that come together with the CONNECT are handled after it', async () => {
    const device = endpoint.devices.add();
    const client = await RawClient.open(endpoint, transport);
    client.send(
      connectPacket(device),
      subscribePacket('$SCW/twins/me/#'),
      publishPacket('$SCW/twins/me/current/put', '{"data":{}}'),
    );
    await client.next('connack');
    await client.next('suback');
    assert.is((await client.message()).payload.version, 1);
    client.vanish();
  });

  test('a connection that sends nothing is closed', async () => {
    endpoint.audited.length = 0;
    const client = await RawClient.open(endpoint, transport);
    await client.closed;
    assert.equal(endpoint.audited, [
      { event: 'limit_reached', source: '127.0.0.1', via: 'mqtt', reason: 'no CONNECT in time' },
    ]);
  });

  test('a connection that sends its CONNECT byte by byte is closed in the same time', async () => {
    const client = await RawClient.open(endpoint, transport);
    const bytes = bytesOf(connectPacket(endpoint.devices.add(), { clientId: 'x'.repeat(5000) }));
    let at = 0;
    const spelling = setInterval(() => client.send(bytes.subarray(at, ++at)), 10);
    await client.closed;
    clearInterval(spelling);
    assert.ok(at < bytes.length);
  });

  test('500 connections that send nothing, or a byte now and then, are closed, and others are served meanwhile', async () => {
    const mute = await Promise.all(Array.from({ length: 500 }, () => RawClient.open(endpoint, transport)));
    const bytes = bytesOf(connectPacket(endpoint.devices.add(), { clientId: 'x'.repeat(5000) }));
    let at = 0;
    const spelling = setInterval(() => {
      for (const client of mute.slice(250)) client.send(bytes.subarray(at, at + 1));
      at++;
    }, 50);
    const honest = await RawClient.admitted(endpoint, transport, endpoint.devices.add(), '$SCW/twins/me/#');
    honest.send(publishPacket('$SCW/twins/me/current/put', '{"data":{}}'));
    assert.is((await honest.message()).payload.version, 1);
    await Promise.all(mute.map(({ closed }) => closed));
    clearInterval(spelling);
    honest.vanish();
  });

  test('a client that is refused and stays is closed', async () => {
    const client = await RawClient.open(endpoint, transport);
    client.send(connectPacket(endpoint.devices.add(), { password: Buffer.from('wrong') }));
    await client.next('connack');
    await client.closed;
  });

  test('presence changes once when a device connects and once when it disconnects', async () => {
    const device = endpoint.devices.add();
    const told: string[] = [];
    const note = (event: string) => (id: string) => id === device.id && told.push(event);
    const listeners = ['connected', 'disconnected'].map((event) => ({ event, listener: note(event) }));
    for (const { event, listener } of listeners) endpoint.devices.on(event, listener);
    const first = await RawClient.admitted(endpoint, transport, device);
    const second = await RawClient.admitted(endpoint, transport, device);
    await first.closed;
    assert.equal(told, ['connected']);
    const gone = once(endpoint.devices, 'disconnected');
    second.send({ cmd: 'disconnect' });
    await gone;
    assert.equal(told, ['connected', 'disconnected']);
    for (const { event, listener } of listeners) endpoint.devices.off(event, listener);
  });

  test('every packet counts as activity', async () => {
    const device = endpoint.devices.add();
    const client = await RawClient.admitted(endpoint, transport, device);
    const active = once(endpoint.devices, 'active');
    client.send({ cmd: 'pingreq' });
    assert.equal(await active, [device.id]);
    client.vanish();
  });
});

suites.run();
