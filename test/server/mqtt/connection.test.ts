/** What each ending of a connection does: its will, its counter, and the audit. */

import { once } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Member, Share, Shares } from '../../../server/access/shares.js';
import { until } from '../../until.js';
import { type Credentials, startEndpoint, type TestEndpoint } from './endpoint.js';
import { MemoryStream } from './memory-stream.js';
import { bytesOf, connectPacket, publishPacket, RawClient } from './raw-client.js';
import { TCP } from './transports.js';

interface Context {
  endpoint: TestEndpoint;
  device: Credentials;
  client: RawClient;
  /** The connections that have a part in a share. */
  members: Set<Member>;
}

/** Shares whose members are seen. */
class WatchedShares extends Shares {
  readonly members = new Set<Member>();

  watch(key: string): void {
    const share = this.of(key);
    share.join = (member) => {
      this.members.add(member);
      Share.prototype.join.call(share, member);
    };
    share.leave = (member) => {
      this.members.delete(member);
      Share.prototype.leave.call(share, member);
    };
  }
}

const test = suite<Context>('endings');

const WILL = { topic: '$SCW/twins/me/will/put', payload: Buffer.from('{"data":{}}'), qos: 0, retain: false };

test.before.each(async (context) => {
  const shares = new WatchedShares();
  context.members = shares.members;
  context.endpoint = await startEndpoint({ packetBytes: 1000 }, {}, shares);
  context.device = context.endpoint.devices.add();
  shares.watch('source 127.0.0.1');
  shares.watch(`device ${context.device.id}`);
  context.client = await RawClient.open(context.endpoint, TCP);
  context.client.send(connectPacket(context.device, { will: WILL, keepalive: 1 }));
  await context.client.next('connack');
  assert.is(context.members.size, 1);
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
  test(`when ${why}, the will is ${carriedOut}, the end is ${counted} as dropped and ${told}, and its share is free of it`, async (context) => {
    const { endpoint, device } = context;
    const written: string[] = [];
    endpoint.twins.watch(device.id, ({ name }) => written.push(name));
    await how(context);
    await until(() => endpoint.mqtt.counters.connections === 0);
    await until(() => !will || written.includes('will'));
    assert.is(written.includes('will'), will);
    assert.is(endpoint.mqtt.counters.dropped, dropped);
    assert.is(context.members.size, 0);
    assert.equal(
      endpoint.audited.map(({ event }) => event),
      audited === undefined ? [] : [audited],
    );
  });
}

test('a client that goes on to send after its DISCONNECT is cut off', async ({ endpoint }) => {
  const CHUNK = 64 * 1024;
  const stream = new MemoryStream();
  endpoint.mqtt.serve(stream, { address: 'memory', secure: false });
  stream.give(bytesOf(connectPacket(endpoint.devices.add())));
  await once(stream, 'written');
  stream.give(bytesOf({ cmd: 'disconnect' }));
  let given = 0;
  while (!stream.destroyed) {
    stream.give(Buffer.alloc(CHUNK));
    given += CHUNK;
    await new Promise(setImmediate);
  }
  assert.is(given, endpoint.mqtt.limits.closingBytes + CHUNK);
});

test.run();
