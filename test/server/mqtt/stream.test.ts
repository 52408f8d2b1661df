import { once } from 'node:events';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startEndpoint, type TestEndpoint } from './endpoint.js';
import { MemoryStream } from './memory-stream.js';
import { bytesOf, connectPacket, publishPacket, subscribePacket } from './raw-client.js';

let endpoint: TestEndpoint;

test.before(async () => {
  endpoint = await startEndpoint();
});

test.after(() => endpoint.close());

/** Everything that a device may send, the same for every device but for its id and password, which are always as long. */
function conversation(): { id: string; bytes: Buffer } {
  const device = endpoint.devices.add();
  const own = `$SCW/twins/${device.id}`;
  const packets = [
    connectPacket(device, {
      will: { topic: `${own}/will/put`, payload: Buffer.from('{}'), qos: 0, retain: false },
    }),
    subscribePacket('$SCW/twins/me/#', 2),
    subscribePacket('#', 0, 2),
    publishPacket('$SCW/twins/me/a/put', '{"data":{"x":1}}'),
    publishPacket('$SCW/twins/me/a/patch', '{"data":{"y":[1,2]}}', { qos: 1, messageId: 3 }),
    publishPacket('$SCW/twins/me/a/get', '', { qos: 2, messageId: 4 }),
    { cmd: 'pubrel' as const, messageId: 4 },
    publishPacket(`${own}/b/put`, '{"version":3,"data":{}}', { qos: 1, messageId: 5 }),
    publishPacket('elsewhere', 'x', { qos: 1, messageId: 6 }),
    publishPacket('$SCW/twins/me/a/delete', ''),
    publishPacket('$SCW/twins/me/a/get', ''),
    { cmd: 'unsubscribe' as const, messageId: 7, unsubscriptions: ['$SCW/twins/me/#'] },
  ];
  return { id: device.id, bytes: Buffer.concat(packets.map(bytesOf)) };
}

/** The answers to a whole conversation. */
const ANSWERS = 14;

const TIME = /\d{4}-\d\d-\d\dT[\d:.]+Z/g;

/** What the server answers, packet by packet in its order, without what differs from one device to the next. */
async function answersTo(
  { id, bytes }: { id: string; bytes: Buffer },
  cuts: readonly number[],
): Promise<string[]> {
  const stream = new MemoryStream();
  endpoint.mqtt.serve(stream, { address: 'memory', secure: false });
  const places = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
  for (const [index, end] of places.entries()) {
    if (index > 0) stream.give(bytes.subarray(places[index - 1], end));
    if (index % 7 === 0) await new Promise(setImmediate);
  }
  for (;;) {
    const answers = split(stream.written);
    if (answers.length >= ANSWERS) {
      stream.give(bytesOf({ cmd: 'disconnect' }));
      await once(stream, 'finish');
      stream.leave();
      return split(stream.written)
        .map((answer) => answer.replaceAll(id, 'ID').replaceAll(TIME, 'TIME'))
        .sort();
    }
    await once(stream, 'written');
  }
}

/** Every packet of the server is shorter than 16 KiB here. */
function split(bytes: Buffer): string[] {
  const packets: string[] = [];
  for (let at = 0; at + 1 < bytes.length; ) {
    const low = bytes[at + 1] ?? 0;
    const length = low < 0x80 ? low : (low & 0x7f) + 0x80 * (bytes[at + 2] ?? 0);
    const end = at + (low < 0x80 ? 2 : 3) + length;
    packets.push(bytes.toString('latin1', at, end));
    at = end;
  }
  return packets;
}

test('a conversation cut in two gives the same answers, wherever it is cut', async () => {
  const whole = await answersTo(conversation(), []);
  assert.is(whole.length, ANSWERS);
  const { length } = conversation().bytes;
  for (let cut = 1; cut < length; cut++)
    assert.equal(await answersTo(conversation(), [cut]), whole, `cut at ${cut}`);
});

test('a conversation in single bytes, or cut into random pieces, gives the same answers', async () => {
  const whole = await answersTo(conversation(), []);
  const { length } = conversation().bytes;
  const everywhere = Array.from({ length: length - 1 }, (_, index) => index + 1);
  assert.equal(await answersTo(conversation(), everywhere), whole);
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.integer({ min: 1, max: length - 1 }), { maxLength: 40 }),
      async (cuts) => {
        assert.equal(await answersTo(conversation(), cuts), whole);
      },
    ),
  );
});

test('the answers of one turn of the event loop leave in one write', async () => {
  const device = endpoint.devices.add();
  const stream = new MemoryStream();
  endpoint.mqtt.serve(stream, { address: 'memory', secure: false });
  stream.give(Buffer.concat([connectPacket(device), subscribePacket('$SCW/twins/me/#')].map(bytesOf)));
  await once(stream, 'written');
  // Of a twin that is not in memory each request has a turn of its own.
  stream.give(bytesOf(publishPacket('$SCW/twins/me/a/put', '{"data":{}}')));
  await once(stream, 'written');
  stream.writes.length = 0;
  const puts = Array.from({ length: 50 }, () =>
    publishPacket('$SCW/twins/me/a/put', '{"data":{}}', { qos: 1, messageId: 1 }),
  );
  stream.give(Buffer.concat(puts.map(bytesOf)));
  await once(stream, 'written');
  assert.is(split(stream.written).length, 100);
  assert.is(stream.writes.length, 1);
  stream.leave();
});

test('a client that shows a certificate is its device, and a client without one is insecure, also over TLS', async () => {
  const device = endpoint.devices.add({ allow_insecure: false });
  const certificate = endpoint.devices.certificateOf(device.id);
  for (const shown of [{ certificate }, {}]) {
    const stream = new MemoryStream();
    endpoint.mqtt.serve(stream, { address: 'memory', secure: true, ...shown });
    stream.give(bytesOf(connectPacket(device)));
    await once(stream, 'written');
    assert.equal([...stream.written], [0x20, 2, 0, 'certificate' in shown ? 0 : 5]);
    stream.leave();
  }
});

test('a password that is checked later is still the one that came', async () => {
  const device = endpoint.devices.add();
  const { authenticate } = endpoint.devices;
  endpoint.devices.authenticate = async (...shown) => {
    await new Promise(setImmediate);
    return authenticate.apply(endpoint.devices, shown);
  };
  const stream = new MemoryStream();
  endpoint.mqtt.serve(stream, { address: 'memory', secure: false });
  await new Promise(setImmediate);
  stream.give(bytesOf(connectPacket(device)));
  await once(stream, 'written');
  endpoint.devices.authenticate = authenticate;
  assert.equal([...stream.written], [0x20, 2, 0, 0]);
  stream.leave();
});

test('when the endpoint has stopped, it serves no client that comes without a listener', async () => {
  const stopping = await startEndpoint();
  await stopping.close();
  const stream = new MemoryStream();
  stopping.mqtt.serve(stream, { address: 'memory', secure: false });
  assert.is(stream.destroyed, true);
  assert.is(stopping.mqtt.counters.connections, 0);
});

test('a client that sends many packets at once lets others have their turn, and gets all answers', async () => {
  const [flood, other] = [new MemoryStream(), new MemoryStream()];
  for (const stream of [flood, other]) {
    endpoint.mqtt.serve(stream, { address: 'memory', secure: false });
    stream.give(bytesOf(connectPacket(endpoint.devices.add())));
    await once(stream, 'written');
  }
  const pings = 100_000;
  const before = flood.written.length;
  flood.give(Buffer.alloc(2 * pings, bytesOf({ cmd: 'pingreq' })));
  other.give(bytesOf({ cmd: 'pingreq' }));
  await once(other, 'written');
  const answered = (flood.written.length - before) / 2;
  assert.ok(answered < pings / 10, `${answered} were answered`);
  while (flood.written.length < before + 2 * pings) await once(flood, 'written');
  for (const stream of [flood, other]) stream.leave();
});

test.run();
