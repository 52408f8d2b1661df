import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import * as assert from 'uvu/assert';
import { readSettings } from '../../../server/config.js';
import { Devices } from '../../../server/devices/devices.js';
import { startMqtt } from '../../../server/mqtt/listener.js';
import { type MemoryStorage, memoryStorage } from '../../../server/storage/memory.js';
import { Twins } from '../../../server/twins/twins.js';
import { certify } from '../devices/certify.js';
import { partsFor } from './endpoint.js';
import { bytesOf, connectPacket, publishPacket, RawClient } from './raw-client.js';
import { type Listening, listenEverywhere, overEach } from './transports.js';

const suites = overEach('registry', (test, transport) => {
  let storage: MemoryStorage;
  let twins: Twins;
  let devices: Devices;
  let listening: Listening;

  test.before(async () => {
    storage = memoryStorage();
    twins = new Twins(storage);
    devices = new Devices(storage, twins, { region: 'fr-par', hubId: randomUUID(), certify });
    const parts = partsFor(readSettings(), pino({ level: 'silent' }));
    const mqtt = startMqtt({ twins, devices, ...parts });
    listening = await listenEverywhere(mqtt, parts);
  });

  test.after(() => listening.close());

  const create = async () => {
    const { device, password } = await devices.create({ name: 'panel', allow_insecure: true });
    return { id: device.id, password };
  };

  async function codeFor(credentials: { id: string; password: string }): Promise<number | undefined> {
    const client = await RawClient.open(listening, transport);
    client.send(connectPacket(credentials));
    const { returnCode } = await client.next('connack');
    client.vanish();
    return returnCode;
  }

  test('a device of the registry connects and is connected until it disconnects', async () => {
    const credentials = await create();
    const client = await RawClient.admitted(listening, transport, credentials);
    assert.is((await devices.get(credentials.id)).is_connected, true);
    client.send({ cmd: 'disconnect' });
    await client.closed;
    const { is_connected, last_activity_at } = await devices.get(credentials.id);
    assert.is(is_connected, false);
    assert.type(last_activity_at, 'string');
  });

  test('a disabled device is closed and refused until it is enabled', async () => {
    const credentials = await create();
    const client = await RawClient.admitted(listening, transport, credentials);
    await devices.disable(credentials.id);
    await client.closed;
    assert.is(await codeFor(credentials), 5);
    await devices.enable(credentials.id);
    assert.is(await codeFor(credentials), 0);
  });

  test('a device that gets a new password loses its connections, and the old password is refused', async () => {
    const credentials = await create();
    const client = await RawClient.admitted(listening, transport, credentials);
    const { password } = await devices.renew(credentials.id);
    await client.closed;
    assert.is(await codeFor(credentials), 4);
    assert.is(await codeFor({ ...credentials, password }), 0);
  });

  test('a deleted device is closed and unknown', async () => {
    const credentials = await create();
    const client = await RawClient.admitted(listening, transport, credentials);
    await devices.remove(credentials.id);
    await client.closed;
    assert.is(await codeFor(credentials), 4);
  });

  const PUT = publishPacket('$SCW/twins/me/current/put', '{"data":{}}', { qos: 1, messageId: 1 });
  const documentsOf = (id: string): Promise<string[] | undefined> =>
    new Promise((done, failed) => twins.list(id, (error, names) => (error ? failed(error) : done(names))));

  for (const deed of ['disable', 'remove', 'renew'] as const) {
    const what = { disable: 'disabled', remove: 'deleted', renew: 'given new credentials' }[deed];

    test(`half a request does nothing when its device is ${what} before the rest comes`, async () => {
      const credentials = await create();
      const client = await RawClient.admitted(listening, transport, credentials);
      const bytes = bytesOf(PUT);
      const half = bytes.subarray(0, bytes.length - 3);
      client.send(bytesOf({ cmd: 'pingreq' }), half);
      await client.next('pingresp');
      await devices[deed](credentials.id);
      client.send(bytes.subarray(half.length));
      await client.closed;
      assert.equal(await documentsOf(credentials.id), []);
    });

    test(`a request does nothing when its device is ${what} while its twin is read`, async () => {
      const credentials = await create();
      const client = await RawClient.admitted(listening, transport, credentials);
      let release: () => void = () => undefined;
      const released = new Promise<void>((done) => {
        release = done;
      });
      const held = new Promise<void>((begun) => {
        storage.holdBy((file) => {
          if (!file.endsWith(credentials.id)) return undefined;
          begun();
          return released;
        });
      });
      let changes = 0;
      twins.watch(credentials.id, () => {
        changes += 1;
      });
      client.send(PUT);
      await held;
      const deedDone = devices[deed](credentials.id);
      await client.closed;
      storage.holdBy(() => undefined);
      release();
      await deedDone;
      assert.equal([await documentsOf(credentials.id), changes], [[], 0]);
    });
  }
});

suites.run();
