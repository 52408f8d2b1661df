import * as assert from 'uvu/assert';
import { ACTIONS } from '../../../shared/topics.js';
import { type Credentials, startEndpoint, type TestEndpoint } from './endpoint.js';
import { publishPacket, RawClient } from './raw-client.js';
import { overEach } from './transports.js';

const suites = overEach('inband', (test, transport) => {
  let endpoint: TestEndpoint;
  let device: Credentials;
  let client: RawClient;

  test.before(async () => {
    endpoint = await startEndpoint();
  });

  test.before.each(async () => {
    device = endpoint.devices.add();
    client = await RawClient.admitted(
      endpoint,
      transport,
      device,
      '$SCW/twins/me/#',
      `$SCW/twins/${device.id}/#`,
    );
  });

  test.after.each(() => client.vanish());

  test.after(() => endpoint.close());

  const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

  async function ask(topic: string, request: unknown = {}) {
    client.send(publishPacket(topic, JSON.stringify(request)));
    return await client.message();
  }

  for (const name of ['me', 'the id']) {
    const prefix = () => `$SCW/twins/${name === 'me' ? 'me' : device.id}`;

    test(`as ${name}: put creates, get shows, patch changes only its keys, delete removes`, async () => {
      const created = await ask(`${prefix()}/current/put`, {
        data: { door_open: false, siren: { on: true } },
      });
      assert.is(created.topic, `${prefix()}/current/put/response/success`);
      const { created_at, updated_at, ...rest } = created.payload;
      assert.match(String(updated_at), RFC_3339);
      assert.is(created_at, updated_at);
      assert.equal(rest, {
        twin_id: device.id,
        document_name: 'current',
        version: 1,
        data: { door_open: false, siren: { on: true } },
      });

      const shown = await ask(`${prefix()}/current/get`);
      assert.is(shown.topic, `${prefix()}/current/get/response/success`);
      assert.equal(shown.payload, created.payload);

      const patched = await ask(`${prefix()}/current/patch`, { data: { door_open: true } });
      assert.is(patched.topic, `${prefix()}/current/patch/response/success`);
      assert.is(patched.payload.version, 2);
      assert.equal(patched.payload.data, { door_open: true, siren: { on: true } });

      const deleted = await ask(`${prefix()}/current/delete`);
      assert.is(deleted.topic, `${prefix()}/current/delete/response/success`);
      assert.equal(deleted.payload, { twin_id: device.id, document_name: 'current' });

      const gone = await ask(`${prefix()}/current/get`);
      assert.is(gone.topic, `${prefix()}/current/get/response/error`);
      assert.equal(gone.payload, {
        error: 'document not found',
        twin_id: device.id,
        document_name: 'current',
      });
    });

    test(`as ${name}: a version mismatch has exactly the text of the service`, async () => {
      await ask(`${prefix()}/concurency/put`, { data: { value: 1 } });
      await ask(`${prefix()}/concurency/put`, { version: 1, data: { value: 2 } });
      for (const action of ['put', 'patch']) {
        client.send(publishPacket(`${prefix()}/concurency/${action}`, '{"version":1,"data":{"value":3}}'));
        const { topic, payload } = await client.next('publish');
        assert.is(topic, `${prefix()}/concurency/${action}/response/error`);
        assert.is(
          payload.toString(),
          `{"error":"document version mismatch","twin_id":"${device.id}","document_name":"concurency","expected_version":1,"actual_version":2}`,
        );
      }
      const third = await ask(`${prefix()}/concurency/put`, { version: 2, data: { value: 3 } });
      assert.is(third.payload.version, 3);
    });
  }

  test('patch and delete of a document that does not exist get the error document not found', async () => {
    for (const action of ['patch', 'delete']) {
      const { topic, payload } = await ask(`$SCW/twins/me/nothing/${action}`, { data: {} });
      assert.is(topic, `$SCW/twins/me/nothing/${action}/response/error`);
      assert.equal(payload, { error: 'document not found', twin_id: device.id, document_name: 'nothing' });
    }
  });

  const REFUSED_PAYLOADS = [
    ['', 'body is not JSON'],
    ['{"data":', 'body is not JSON'],
    ['[]', 'body is not a JSON object'],
    ['{}', 'data is missing'],
    ['{"data":[]}', 'data is not a JSON object'],
    ['{"data":null}', 'data is not a JSON object'],
    ['{"data":{},"version":-1}', 'version is not a non-negative integer'],
    ['{"data":{},"version":"1"}', 'version is not a non-negative integer'],
    ['{"data":{"__proto__":{"armed":true}}}', 'data: key __proto__ is forbidden'],
    ['{"data":{"n":9007199254740993}}', 'data: number out of range ±(2^53 − 1)'],
    ['{"data":{"n":1e400}}', 'data: number out of range ±(2^53 − 1)'],
    [`{"data":${'{"a":'.repeat(40)}1${'}'.repeat(41)}`, 'data: nested deeper than 32 levels'],
  ] as const;

  test('a payload that is not a request is refused with the reason, and changes nothing', async () => {
    const { payload: before } = await ask('$SCW/twins/me/current/put', { data: { kept: true } });
    for (const action of ['put', 'patch']) {
      for (const [body, reason] of REFUSED_PAYLOADS) {
        client.send(publishPacket(`$SCW/twins/me/current/${action}`, body));
        const { topic, payload } = await client.message();
        assert.is(topic, `$SCW/twins/me/current/${action}/response/error`);
        assert.equal(payload, {
          error: `invalid payload: ${reason}`,
          twin_id: device.id,
          document_name: 'current',
        });
      }
    }
    const { payload: after } = await ask('$SCW/twins/me/current/get');
    assert.equal(after, before);
    assert.is(({} as Record<string, unknown>).armed, undefined);
  });

  test('a document name that is not valid is refused, and the answer repeats it', async () => {
    const names = [
      '.',
      '..',
      '%2e%2e%2f',
      '_hidden',
      '',
      'a b',
      '__proto__',
      'ü',
      '\ufffd',
      'x'.repeat(65),
      'x'.repeat(300),
    ];
    for (const name of names) {
      for (const action of ACTIONS) {
        const { topic, payload } = await ask(`$SCW/twins/me/${name}/${action}`, { data: {} });
        assert.is(topic, `$SCW/twins/me/${name}/${action}/response/error`);
        assert.equal(payload, {
          error: 'document name is not valid',
          twin_id: device.id,
          document_name: name,
        });
      }
    }
  });

  test('a document over 64 KiB is too large, and one of exactly 64 KiB is not', async () => {
    const frame = JSON.stringify({ text: '' }).length;
    const fits = { data: { text: 'x'.repeat(64 * 1024 - frame) } };
    const over = { data: { text: 'x'.repeat(64 * 1024 - frame + 1) } };
    assert.is((await ask('$SCW/twins/me/big/put', fits)).payload.version, 1);
    const { topic, payload } = await ask('$SCW/twins/me/big/put', over);
    assert.is(topic, '$SCW/twins/me/big/put/response/error');
    assert.is(payload.error, 'document too large');
  });

  test('answers come in the order of the requests, also when some are refused', async () => {
    const requests = ['put', 'get', 'put-broken', 'patch', 'get', 'put-broken', 'delete', 'get', 'put'];
    client.send(
      ...requests.map((request) =>
        publishPacket(
          `$SCW/twins/me/a/${request.replace('-broken', '')}`,
          request.endsWith('-broken') ? '{' : '{"data":{"x":1}}',
        ),
      ),
    );
    const answers: string[] = [];
    for (const _ of requests) {
      const { topic, payload } = await client.message();
      answers.push(`${topic.split('/').at(4)} ${payload.error ?? payload.version ?? 'gone'}`);
    }
    assert.equal(answers, [
      'put 1',
      'get 1',
      'put invalid payload: body is not JSON',
      'patch 2',
      'get 2',
      'put invalid payload: body is not JSON',
      'delete gone',
      'get document not found',
      'put 1',
    ]);
  });

  test('a device hears that the storage fails, and a request of QoS 1 or 2 is not acknowledged until it is stored', async () => {
    endpoint.storage.failWith(new Error('disk full'));
    for (const qos of [1, 2]) {
      client.send(publishPacket('$SCW/twins/me/current/put', '{"data":{"x":1}}', { qos, messageId: 7 }));
      const { topic, payload } = await client.message();
      assert.is(topic, '$SCW/twins/me/current/put/response/error');
      assert.equal(payload, { error: 'storage unavailable', twin_id: device.id, document_name: 'current' });
    }
    assert.equal(await client.drain(), []);
    endpoint.storage.failWith(undefined);
    client.send(
      publishPacket('$SCW/twins/me/current/put', '{"data":{"x":1}}', { qos: 2, messageId: 7, dup: true }),
    );
    assert.is((await client.next('pubrec')).messageId, 7);
    assert.is((await client.message()).payload.version, 1);
  });

  test('a publish elsewhere is acknowledged, dropped and counted', async () => {
    const topics = [
      'elsewhere',
      '$SYS/x',
      '$SCW/twins/me/current',
      '$SCW/twins/me/current/changed',
      '$SCW/twins/me/current/get/response/success',
      '$SCW/twins/me/a/b/put',
      `$SCW/twins/me/${'x'.repeat(65_000)}/put`,
      `$SCW/twins/${device.id.toUpperCase()}/current/put`,
    ];
    const before = endpoint.mqtt.counters.droppedPublishes;
    for (const [index, topic] of topics.entries()) {
      client.send(publishPacket(topic, '{"data":{}}', { qos: 1, messageId: index + 1 }));
      assert.is((await client.next('puback')).messageId, index + 1);
    }
    assert.equal(await client.drain(), []);
    assert.is(endpoint.mqtt.counters.droppedPublishes, before + topics.length);
  });
});

suites.run();
