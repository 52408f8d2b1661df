import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import mqtt from 'mqtt';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { needs, pathOf } from '../../programs.js';
import { type Credentials, startEndpoint, type TestEndpoint } from './endpoint.js';

const run = promisify(execFile);

let endpoint: TestEndpoint;
let device: Credentials;

test.before(async () => {
  endpoint = await startEndpoint();
});

test.before.each(() => {
  device = endpoint.devices.add({ allow_multiple_connections: true });
});

test.after(() => endpoint.close());

for (const qos of [0, 1, 2] as const) {
  test(`MQTT.js at QoS ${qos}: put, get, an error, a change of somebody else, and goodbye`, async () => {
    const client = await mqtt.connectAsync({
      host: '127.0.0.1',
      port: endpoint.port,
      username: device.id,
      password: device.password,
      reconnectPeriod: 0,
    });
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

test('MQTT.js hears its refusals: 4 for a wrong password, 5 for an insecure connection', async () => {
  const refusal = async (options: mqtt.IClientOptions) => {
    const client = mqtt.connect({ host: '127.0.0.1', port: endpoint.port, reconnectPeriod: 0, ...options });
    const error = await new Promise<Error>((resolve) => client.on('error', resolve));
    await client.endAsync(true);
    return (error as mqtt.ErrorWithReasonCode).code;
  };
  assert.is(await refusal({ username: device.id, password: 'wrong' }), 4);
  const { id, password } = endpoint.devices.add({ allow_insecure: false });
  assert.is(await refusal({ username: id, password }), 5);
});

test('MQTT.js sees 0x80 for what is not its own', async () => {
  const { id: username, password } = device;
  const client = await mqtt.connectAsync({ host: '127.0.0.1', port: endpoint.port, username, password });
  for (const filter of ['#', '+/+', '$SYS/#']) {
    await client.subscribeAsync(filter).then(
      () => assert.unreachable(`${filter} was granted`),
      () => undefined,
    );
  }
  await client.endAsync();
});

const access = () => ['-h', '127.0.0.1', '-p', String(endpoint.port), '-u', device.id, '-P', device.password];

for (const qos of ['0', '1', '2']) {
  needs('mosquitto_pub', 'mosquitto_sub')(
    `mosquitto_pub and mosquitto_sub at QoS ${qos} speak with the twin`,
    async () => {
      const subscribed = once(endpoint.devices, 'active');
      const sub = spawn(pathOf('mosquitto_sub') ?? '', [
        ...access(),
        '-q',
        qos,
        '-v',
        '-t',
        '$SCW/twins/me/#',
      ]);
      const lines = createInterface(sub.stdout)[Symbol.asyncIterator]();
      const line = async (start: string): Promise<string> => {
        for (;;) {
          const { value, done } = await lines.next();
          if (done) throw new Error(`mosquitto_sub ended before ${start}`);
          if (value.startsWith(start)) return value.slice(start.length);
        }
      };
      await subscribed;
      const pub = (topic: string, message: string) =>
        run(pathOf('mosquitto_pub') ?? '', [...access(), '-q', qos, '-t', topic, '-m', message]);
      await pub('$SCW/twins/me/desired/put', '{"data":{"alarm_armed":true}}');
      assert.equal(JSON.parse(await line('$SCW/twins/me/desired/changed ')).data, { alarm_armed: true });
      await pub('$SCW/twins/me/desired/patch', '{"data":{"alarm_armed":false}}');
      assert.is(JSON.parse(await line('$SCW/twins/me/desired/changed ')).version, 2);
      const exited = once(sub, 'exit');
      sub.kill();
      await exited;
    },
  );
}

needs('mosquitto_rr')('mosquitto_rr asks and is answered, with the document and with the error', async () => {
  const ask = async (action: string, outcome: string, message: string) => {
    const topic = `$SCW/twins/${device.id}/concurency/${action}`;
    const { stdout } = await run(pathOf('mosquitto_rr') ?? '', [
      ...access(),
      ...[
        '-V',
        'mqttv311',
        '-q',
        '1',
        '-W',
        '10',
        '-t',
        topic,
        '-e',
        `${topic}/response/${outcome}`,
        '-m',
        message,
      ],
    ]);
    return stdout.trim();
  };
  assert.is(JSON.parse(await ask('put', 'success', '{"data":{"v":1}}')).version, 1);
  assert.is(JSON.parse(await ask('put', 'success', '{"version":1,"data":{"v":2}}')).version, 2);
  assert.is(
    await ask('put', 'error', '{"version":1,"data":{"v":2}}'),
    `{"error":"document version mismatch","twin_id":"${device.id}","document_name":"concurency","expected_version":1,"actual_version":2}`,
  );
  assert.is(JSON.parse(await ask('put', 'success', '{"version":2,"data":{"v":3}}')).version, 3);
});

needs('mosquitto_pub')('mosquitto_pub is told when its password is wrong', async () => {
  const wrong = [...access().slice(0, -1), 'wrong'];
  try {
    await run(pathOf('mosquitto_pub') ?? '', [...wrong, '-t', 'a', '-m', 'b']);
    assert.unreachable('it came in');
  } catch (error) {
    assert.match((error as { stderr: string }).stderr, /bad user name or password|not authorised/i);
  }
});

test.run();
