import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
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

const access = () => [
  '-h',
  '127.0.0.1',
  '-p',
  String(endpoint.ports.tcp),
  '-u',
  device.id,
  '-P',
  device.password,
];

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

needs('mosquitto_pub')('mosquitto_pub prints that its password is wrong', async () => {
  const wrong = [...access().slice(0, -1), 'wrong'];
  try {
    await run(pathOf('mosquitto_pub') ?? '', [...wrong, '-t', 'a', '-m', 'b']);
    assert.unreachable('it came in');
  } catch (error) {
    assert.match((error as { stderr: string }).stderr, /bad user name or password|not authorised/i);
  }
});

test.run();
