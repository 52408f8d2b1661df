/** What each ending of a connection does: its will, its counter, and the audit. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../../until.js';
import { type Credentials, startEndpoint, type TestEndpoint } from './endpoint.js';
import { connectPacket, publishPacket, RawClient } from './raw-client.js';
import { TCP } from './transports.js';

interface Context {
  endpoint: TestEndpoint;
  device: Credentials;
  client: RawClient;
}

const test = suite<Context>('endings');

const WILL = { topic: '$SCW/twins/me/will/put', payload: Buffer.from('{"data":{}}'), qos: 0, retain: false };
const PUT = publishPacket('$SCW/twins/me/current/put', '{"data":{}}');

test.before.each(async (context) => {
  context.endpoint = await startEndpoint({ requestsPerSecond: 20, packetBytes: 1000 });
  context.device = context.endpoint.devices.add();
  context.client = await RawClient.open(context.endpoint, TCP);
  context.client.send(connectPacket(context.device, { will: WILL, keepalive: 1 }));
  await context.client.next('connack');
});

test.after.each(({ endpoint, client }) => {
  client.vanish();
  return endpoint.close();
});

interface Ending {
  how: (context: Context) => unknown;
  /** Whether the will is carried out. */
  will: boolean;
  dropped: number;
  audited?: string;
}

const ENDINGS: Record<string, Ending> = {
  'the client sends DISCONNECT': {
    how: ({ client }) => client.send({ cmd: 'disconnect' }),
    will: false,
    dropped: 0,
  },
  'the client is lost': { how: ({ client }) => client.vanish(), will: true, dropped: 0 },
  'the client breaks the protocol': {
    how: ({ client }) => client.send(Buffer.from([0xff, 0])),
    will: true,
    dropped: 1,
  },
  'the keep-alive runs out': { how: () => undefined, will: true, dropped: 1 },
  'a new connection takes over': {
    how: ({ endpoint, device }) => RawClient.admitted(endpoint, TCP, device).then((other) => other.vanish()),
    will: true,
    dropped: 1,
  },
  'the client goes beyond a limit': {
    how: ({ client }) => client.send(publishPacket('elsewhere', 'x'.repeat(2000))),
    will: true,
    dropped: 1,
    audited: 'limit_reached',
  },
  'the client asks too much': {
    how: ({ client }) => client.send(...new Array<typeof PUT>(100).fill(PUT)),
    will: true,
    dropped: 1,
    audited: 'limit_reached',
  },
  'the device loses its rights': {
    how: ({ endpoint, device }) => endpoint.devices.revoke(device.id, 'disabled'),
    will: false,
    dropped: 1,
  },
  'the endpoint stops': { how: ({ endpoint }) => endpoint.mqtt.close(), will: false, dropped: 0 },
};

for (const [why, { how, will, dropped, audited }] of Object.entries(ENDINGS)) {
  const [carriedOut, counted] = [will ? 'carried out' : 'discarded', dropped > 0 ? 'counted' : 'not counted'];
  const told = audited === undefined ? 'not audited' : 'audited';
  test(`when ${why}, the will is ${carriedOut}, and the end is ${counted} as dropped and ${told}`, async (context) => {
    const { endpoint, device } = context;
    const written: string[] = [];
    endpoint.twins.watch(device.id, ({ name }) => written.push(name));
    await how(context);
    await until(() => endpoint.mqtt.counters.connections === 0);
    await until(() => !will || written.includes('will'));
    assert.is(written.includes('will'), will);
    assert.is(endpoint.mqtt.counters.dropped, dropped);
    assert.equal(
      endpoint.audited.map(({ event }) => event),
      audited === undefined ? [] : [audited],
    );
  });
}

test('a client that asks too much and is then revoked has no will', async ({ endpoint, device, client }) => {
  const answers: (() => void)[] = [];
  const put = endpoint.twins.put.bind(endpoint.twins);
  endpoint.twins.put = (...request) => answers.push(() => put(...request));
  const written: string[] = [];
  endpoint.twins.watch(device.id, ({ name }) => written.push(name));
  client.send(...new Array<typeof PUT>(100).fill(PUT));
  await until(() => endpoint.audited.length > 0);
  endpoint.devices.revoke(device.id, 'disabled');
  await until(() => endpoint.mqtt.counters.connections === 0);
  endpoint.twins.put = put;
  for (const answer of answers) answer();
  await until(() => written.includes('current'));
  assert.not.ok(written.includes('will'));
});

test.run();
