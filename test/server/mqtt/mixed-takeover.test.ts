/** A device that connects by one transport takes over its connection by another. */

import { once } from 'node:events';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startEndpoint, type TestEndpoint } from './endpoint.js';
import { connectPacket, publishPacket, RawClient } from './raw-client.js';
import { TRANSPORTS } from './transports.js';

let endpoint: TestEndpoint;

test.before(async () => {
  endpoint = await startEndpoint();
});

test.after(() => endpoint.close());

for (const before of TRANSPORTS) {
  for (const after of TRANSPORTS) {
    test(`over ${after.name} a device takes over its connection over ${before.name}, will and all`, async () => {
      const device = endpoint.devices.add();
      const will = {
        topic: '$SCW/twins/me/a/put',
        payload: Buffer.from('{"data":{}}'),
        qos: 0,
        retain: false,
      };
      const first = await RawClient.open(endpoint, before);
      first.send(connectPacket(device, { will }));
      await first.next('connack');
      const second = await RawClient.admitted(endpoint, after, device, '$SCW/twins/me/#');
      second.send(publishPacket('$SCW/twins/me/a/get', ''));
      assert.is((await second.message()).payload.version, 1);
      await first.closed;
      second.vanish();
    });
  }
}

/** In an order that differs from round to round. */
const inTurn = (round: number) =>
  TRANSPORTS.map((_, index) => TRANSPORTS[(index + round) % TRANSPORTS.length]);

test('of many connections that come at once over all transports one stays, and the device connects once', async () => {
  const device = endpoint.devices.add();
  const told: string[] = [];
  for (const event of ['connected', 'disconnected']) {
    endpoint.devices.on(event, (id) => id === device.id && told.push(event));
  }
  for (let round = 0; round < 20; round++) {
    const transports = [...inTurn(round), ...inTurn(round)].filter((transport) => transport !== undefined);
    const clients = await Promise.all(transports.map((transport) => RawClient.open(endpoint, transport)));
    const gone = new Set<RawClient>();
    const allButOne = new Promise<void>((resolve) => {
      for (const client of clients) {
        client.closed.then(() => gone.add(client).size === clients.length - 1 && resolve());
      }
    });
    for (const client of clients) client.send(connectPacket(device, { clientId: `${round}` }));
    await allButOne;
    const [last] = clients.filter((client) => !gone.has(client));
    assert.is((await last?.next('connack'))?.returnCode, 0);
    assert.equal(await last?.drain(), []);
    assert.equal(told.splice(0), ['connected']);
    const left = once(endpoint.devices, 'disconnected');
    last?.vanish();
    await left;
    assert.equal(told.splice(0), ['disconnected']);
  }
  endpoint.devices.removeAllListeners('connected').removeAllListeners('disconnected');
});

test.run();
