import * as assert from 'uvu/assert';
import { type Credentials, startEndpoint, type TestEndpoint } from './endpoint.js';
import { MALFORMED, MALFORMED_CONNECTS, OTHER_PROTOCOLS, packet } from './malformed.js';
import { bytesOf, connectPacket, publishPacket, RawClient, subscribePacket } from './raw-client.js';
import { overEach } from './transports.js';

const suites = overEach('violations', (test, transport) => {
  let endpoint: TestEndpoint;
  let device: Credentials;
  /** It stays connected through all tests, and asks after each. */
  let honest: RawClient;

  test.before(async () => {
    endpoint = await startEndpoint();
    device = endpoint.devices.add();
    honest = await RawClient.admitted(endpoint, transport, endpoint.devices.add(), '$SCW/twins/me/#');
  });

  test.after(async () => {
    honest.vanish();
    await endpoint.close();
  });

  let puts = 0;

  async function honestGoesOn(): Promise<void> {
    honest.send(publishPacket('$SCW/twins/me/current/put', '{"data":{"door_open":true}}'));
    puts++;
    assert.is((await honest.message()).payload.version, puts);
  }

  async function closes(client: RawClient, bytes: Buffer): Promise<void> {
    const { dropped } = endpoint.mqtt.counters;
    endpoint.log.length = 0;
    client.send(bytes);
    await client.closed;
    assert.is(endpoint.mqtt.counters.dropped, dropped + 1);
    assert.is(endpoint.log.length, 1, 'one log line');
    assert.ok(endpoint.log[0]?.reason, 'with the reason');
  }

  for (const [name, bytes] of Object.entries(MALFORMED)) {
    test(`${name} closes the connection, and only that one`, async () => {
      await closes(await RawClient.admitted(endpoint, transport, device), bytes);
      assert.is(endpoint.log[0]?.device, device.id);
      await honestGoesOn();
    });
  }

  const WRONG_ACKNOWLEDGEMENTS = [
    [1, [], 'pubrec'],
    [1, [], 'pubcomp'],
    [2, [], 'puback'],
    [2, [], 'pubcomp'],
    [2, ['pubrec'], 'puback'],
  ] as const;

  for (const [qos, before, wrong] of WRONG_ACKNOWLEDGEMENTS) {
    const after = before.length === 0 ? '' : ' after its PUBREC';
    test(`a ${wrong.toUpperCase()} for a push of QoS ${qos}${after} closes the connection, and only that one`, async () => {
      const client = await RawClient.admitted(endpoint, transport, device);
      client.send(subscribePacket('$SCW/twins/me/+/changed', qos));
      await client.next('suback');
      endpoint.twins.put(device.id, 'desired', { version: 0, data: {} }, () => undefined);
      const { id: messageId = 0 } = await client.message();
      for (const cmd of before) {
        client.send({ cmd, messageId });
        await client.next('pubrel');
      }
      await closes(client, bytesOf({ cmd: wrong, messageId }));
      assert.match(endpoint.log[0]?.reason ?? '', 'MQTT-4.8.0-1');
      await honestGoesOn();
    });
  }

  test('a source that breaks the rules again and again causes 60 log lines, and after that it is only counted', async () => {
    const flooded = await startEndpoint();
    for (let count = 0; count < 100; count++) {
      const client = await RawClient.open(flooded, transport);
      client.send(packet(0xc0));
      await client.closed;
    }
    assert.is(flooded.mqtt.counters.dropped, 100);
    const warnings = flooded.log.filter(({ level }) => level >= 40);
    assert.ok(warnings.length >= 60 && warnings.length < 80, `${warnings.length} lines`);
    await flooded.close();
  });

  test('a second CONNECT closes the connection, and only that one', async () => {
    await closes(await RawClient.admitted(endpoint, transport, device), bytesOf(connectPacket(device)));
    await honestGoesOn();
  });

  for (const [name, bytes] of Object.entries(MALFORMED_CONNECTS)) {
    test(`${name} closes the connection without an answer`, async () => {
      const client = await RawClient.open(endpoint, transport);
      await closes(client, bytes);
      await client.next('connack').then(
        () => assert.unreachable('accepted'),
        () => undefined,
      );
      await honestGoesOn();
    });
  }

  const FIRST_PACKETS: Record<string, Buffer> = {
    'a PUBLISH': bytesOf(publishPacket('$SCW/twins/me/current/put', '{"data":{}}')),
    'a SUBSCRIBE': packet(0x82, [0, 1], '$SCW/twins/me/#', [0]),
    'a PINGREQ': packet(0xc0),
    'a DISCONNECT': packet(0xe0),
    'an HTTP request': Buffer.from('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'),
    'a TLS handshake': Buffer.from([0x16, 3, 1, 2, 0, 1]),
    'a length of five bytes': Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 1]),
  };

  for (const [name, bytes] of Object.entries(FIRST_PACKETS)) {
    test(`${name} first closes the connection`, async () => {
      await closes(await RawClient.open(endpoint, transport), bytes);
      await honestGoesOn();
    });
  }

  const LONG_PACKETS = [
    ['a CONNECT of 268,435,455 bytes', [0x10, 0xff, 0xff, 0xff, 0x7f]],
    ['a CONNECT over 8 KiB', [0x10, 0x81, 0x40]],
    ['a later packet over 128 KiB', [0x30, 0x81, 0x80, 0x08]],
  ] as const;

  for (const [name, bytes] of LONG_PACKETS) {
    test(`${name} closes the connection when its length has come`, async () => {
      const client = name.startsWith('a later')
        ? await RawClient.admitted(endpoint, transport, device)
        : await RawClient.open(endpoint, transport);
      await closes(client, Buffer.from(bytes));
      const { event, reason } = endpoint.audited.at(-1) ?? {};
      assert.is(event, 'limit_reached');
      assert.match(reason ?? '', /^a packet of \d+ bytes/);
      await honestGoesOn();
    });
  }

  test('a packet of 128 KiB is taken', async () => {
    const client = await RawClient.admitted(endpoint, transport, device, '$SCW/twins/me/#');
    const topic = '$SCW/twins/me/big/get';
    client.send(publishPacket(topic, 'x'.repeat(128 * 1024 - topic.length - 2)));
    assert.is((await client.message()).payload.error, 'document not found');
    client.vanish();
  });

  for (const [name, bytes] of Object.entries(OTHER_PROTOCOLS)) {
    test(`${name} is refused by CONNACK 1`, async () => {
      const client = await RawClient.open(endpoint, transport);
      client.send(bytes);
      assert.is((await client.next('connack')).returnCode, 1);
      await client.closed;
    });
  }

  test('a packet with a great length in its header costs the server no memory', async () => {
    const before = process.memoryUsage().rss;
    for (let count = 0; count < 50; count++) {
      const client = await RawClient.open(endpoint, transport);
      client.send(Buffer.concat([Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]), Buffer.alloc(8192 - 5)]));
      await client.closed;
    }
    assert.ok(process.memoryUsage().rss - before < 50 * 1024 * 1024);
    await honestGoesOn();
  });
});

suites.run();
