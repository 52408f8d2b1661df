/**
 * Mutated packets. `TWIN_FUZZ_PACKETS=1000000 TWIN_FUZZ_SEED=7` runs a million of them with another seed.
 */

import { once } from 'node:events';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Credentials, startEndpoint, type TestEndpoint } from './endpoint.js';
import { MALFORMED, MALFORMED_CONNECTS, OTHER_PROTOCOLS } from './malformed.js';
import { MemoryStream } from './memory-stream.js';
import { bytesOf, connectPacket, publishPacket, RawClient, subscribePacket } from './raw-client.js';
import { TCP } from './transports.js';

const PACKETS = Number(process.env.TWIN_FUZZ_PACKETS ?? 10_000);
const SEED = Number(process.env.TWIN_FUZZ_SEED ?? 1);
/** Between two requests of the honest client. */
const BATCH = 200;
/** So much is sent over real sockets; the rest on streams in memory, for which no port is used up. */
const OVER_TCP = 300;

/** Numbers below a bound, the same ones for the same seed (mulberry32). */
function numbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

const below = numbers(SEED);
const oneOf = <T>(values: readonly T[]): T => values[below(values.length)] as T;

const MUTATIONS: readonly ((bytes: Buffer) => Buffer)[] = [
  (bytes) => {
    const changed = Buffer.from(bytes);
    const at = below(changed.length);
    changed[at] = (changed[at] ?? 0) ^ (1 << below(8));
    return changed;
  },
  (bytes) => {
    const changed = Buffer.from(bytes);
    changed[below(changed.length)] = oneOf([0, 1, 0x7f, 0x80, 0xc0, 0xff, 0x23, 0x2b, 0x2f]);
    return changed;
  },
  (bytes) => bytes.subarray(0, below(bytes.length)),
  (bytes) => {
    const at = below(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + below(4))]);
  },
  (bytes) => {
    const at = below(bytes.length);
    const more = Buffer.from(Array.from({ length: 1 + below(6) }, () => below(256)));
    return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);
  },
  (bytes) => Buffer.concat([bytes, bytes]),
];

function mutated(bytes: Buffer): Buffer {
  let result = bytes;
  for (let count = 1 + below(3); count > 0 && result.length > 0; count--) result = oneOf(MUTATIONS)(result);
  return result;
}

let endpoint: TestEndpoint;
let honest: RawClient;
let victim: Credentials;
let corpus: Buffer[];
let connects: Buffer[];

test.before(async () => {
  endpoint = await startEndpoint({ mqttConnectMs: 2000 });
  honest = await RawClient.admitted(endpoint, TCP, endpoint.devices.add(), '$SCW/twins/me/#');
  victim = endpoint.devices.add({ allow_multiple_connections: true });
  const own = `$SCW/twins/${victim.id}`;
  const will = { topic: `${own}/will/put`, payload: Buffer.from('{"data":{}}'), qos: 1, retain: false };
  connects = [
    bytesOf(connectPacket(victim, { clientId: '' })),
    bytesOf(connectPacket(victim, { clientId: '', will })),
  ];
  corpus = [
    ...connects,
    ...Object.values({ ...MALFORMED, ...MALFORMED_CONNECTS, ...OTHER_PROTOCOLS }),
    ...[
      subscribePacket('$SCW/twins/me/#', 2),
      subscribePacket(`${own}/+/changed`, 1),
      publishPacket('$SCW/twins/me/a/put', '{"data":{"x":1}}'),
      publishPacket('$SCW/twins/me/a/put', '{"data":{"x":1}}', { qos: 1, messageId: 1 }),
      publishPacket(`${own}/a/patch`, '{"data":{"x":[1,2]}}', { qos: 2, messageId: 2 }),
      publishPacket('$SCW/twins/me/a/get', ''),
      publishPacket('$SCW/twins/me/a/delete', ''),
      { cmd: 'pubrel' as const, messageId: 2 },
      { cmd: 'puback' as const, messageId: 1 },
      { cmd: 'pubrec' as const, messageId: 1 },
      { cmd: 'pubcomp' as const, messageId: 1 },
      { cmd: 'unsubscribe' as const, messageId: 3, unsubscriptions: ['$SCW/twins/me/#'] },
      { cmd: 'pingreq' as const },
      { cmd: 'disconnect' as const },
    ].map(bytesOf),
  ];
});

test.after(async () => {
  honest.vanish();
  await endpoint.close();
});

/** What one hostile connection says: half of them come in first. */
function hostile(): Buffer[] {
  const said = Array.from({ length: 1 + below(4) }, () => mutated(oneOf(corpus)));
  return below(4) === 0 ? said : [oneOf(connects), ...said];
}

async function throughMemory(chunks: Buffer[]): Promise<void> {
  const stream = new MemoryStream();
  const closed = once(stream, 'close');
  endpoint.mqtt.open(stream, { address: 'memory', secure: false });
  for (const chunk of chunks) {
    stream.give(chunk);
    await new Promise(setImmediate);
  }
  stream.leave();
  await closed;
}

async function throughTcp(chunks: Buffer[]): Promise<void> {
  const client = await RawClient.open(endpoint, TCP);
  for (const chunk of chunks) client.send(chunk);
  client.end();
  await client.closed;
}

test(`${PACKETS} mutated packets (seed ${SEED}) harm nobody`, async () => {
  let sent = 0;
  let version = 0;
  while (sent < PACKETS) {
    const send = sent < OVER_TCP ? throughTcp : throughMemory;
    const attackers: Promise<void>[] = [];
    for (let batch = 0; batch < BATCH; ) {
      const chunks = hostile();
      batch += chunks.length;
      attackers.push(send(chunks));
    }
    sent += BATCH;
    honest.send(publishPacket('$SCW/twins/me/current/put', '{"data":{"door_open":true}}'));
    assert.is((await honest.message()).payload.version, ++version);
    await Promise.all(attackers);
    const failures = endpoint.log.filter(({ level }) => level >= 50);
    assert.equal(failures, [], 'no fault is the server’s own');
    endpoint.log.length = 0;
  }
  assert.equal(await honest.drain(), []);
  assert.is(endpoint.mqtt.counters.connections, 1);
});

test.run();
