import mqtt from 'mqtt';
import * as assert from 'uvu/assert';
import { type Credentials, startEndpoint, type TestEndpoint } from './endpoint.js';
import { overEach } from './transports.js';

const OPTIONS = { reconnectPeriod: 0, rejectUnauthorized: false };

const suites = overEach('MQTT.js', (test, transport) => {
  let endpoint: TestEndpoint;
  let device: Credentials;

  test.before(async () => {
    endpoint = await startEndpoint();
  });

  test.before.each(() => {
    device = endpoint.devices.add({ allow_multiple_connections: true });
  });

  test.after(() => endpoint.close());

  const connect = ({ id: username, password }: Credentials) =>
    mqtt.connectAsync(transport.url(endpoint.ports), { ...OPTIONS, username, password });

  for (const qos of [0, 1, 2] as const) {
    test(`at QoS ${qos}: put, get, an error, a change of another actor, and DISCONNECT`, async () => {
      const client = await connect(device);
      const messages: string[] = [];
      let told = () => {};
      client.on('message', (topic, payload) => {
        const { error, version } = JSON.parse(payload.toString());
        messages.push(`${topic} ${error ?? version}`);
        told();
      });
      const count = async (wanted: number) => {
        while (messages.length < wanted) {
          await new Promise<void>((resolve) => {
            told = resolve;
          });
        }
      };
      const [granted] = await client.subscribeAsync('$SCW/twins/me/#', { qos });
      assert.is(granted?.qos, qos);
      await client.publishAsync('$SCW/twins/me/current/put', '{"data":{"door_open":false}}', { qos });
      await client.publishAsync('$SCW/twins/me/current/get', '', { qos });
      await client.publishAsync('$SCW/twins/me/current/put', '{"version":7,"data":{}}', { qos });
      await count(3);
      endpoint.twins.put(device.id, 'desired', { version: 0, data: { alarm_armed: true } }, () => undefined);
      await count(4);
      await client.endAsync();
      assert.equal(messages, [
        '$SCW/twins/me/current/put/response/success 1',
        '$SCW/twins/me/current/get/response/success 1',
        '$SCW/twins/me/current/put/response/error document version mismatch',
        '$SCW/twins/me/desired/changed 1',
      ]);
    });
  }

  test('it sees why it is refused: 4 for a wrong password, 5 for an insecure connection', async () => {
    const refusal = async (options: mqtt.IClientOptions) => {
      const client = mqtt.connect(transport.url(endpoint.ports), { ...OPTIONS, ...options });
      const error = await new Promise<Error>((resolve) => client.on('error', resolve));
      await client.endAsync(true);
      return (error as mqtt.ErrorWithReasonCode).code;
    };
    assert.is(await refusal({ username: device.id, password: 'wrong' }), 4);
    const { id, password } = endpoint.devices.add({ allow_insecure: false });
    assert.is(await refusal({ username: id, password }), 5);
  });

  test('it sees 0x80 for a subscription outside its own twin', async () => {
    const client = await connect(device);
    for (const filter of ['#', '+/+', '$SYS/#']) {
      await client.subscribeAsync(filter).then(
        () => assert.unreachable(`${filter} was granted`),
        () => undefined,
      );
    }
    await client.endAsync();
  });
});

suites.run();
