/** How clients share the server's time. The event loop that gives turns to the shares turns when the test says so. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Shares } from '../../../server/access/shares.js';
import { WORK } from '../../../server/work.js';
import { TestLoop } from '../access/test-loop.js';
import { type Credentials, startEndpoint, type TestEndpoint } from './endpoint.js';
import { MemoryStream } from './memory-stream.js';
import { bytesOf, connectPacket, publishPacket, subscribePacket } from './raw-client.js';

interface Context {
  loop: TestLoop;
  endpoint: TestEndpoint;
}

const test = suite<Context>('shares of MQTT clients');

const PING = bytesOf({ cmd: 'pingreq' });
const PONG_BYTES = 2;
const PINGS_A_TURN = 10;
/** Less by what sums of fractions are out. */
const TURN = { turnWork: PINGS_A_TURN * (WORK.packet + PING.length * WORK.parsedByte) - 1e-6 };

test.before.each(async (context) => {
  context.loop = new TestLoop();
  context.endpoint = await startEndpoint({}, {}, new Shares({ ...TURN, workPerSecond: 1e9 }, context.loop));
});

test.after.each(({ endpoint }) => endpoint.close());

const settled = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));

/** A client of its own address, unless one is given, that has had a turn since it connected. */
async function admitted(
  { loop, endpoint }: Context,
  device: Credentials,
  { clientId = device.id, address = device.id } = {},
): Promise<MemoryStream> {
  const stream = new MemoryStream();
  endpoint.mqtt.serve(stream, { address: `${address}:1`, secure: false });
  stream.give(bytesOf(connectPacket(device, { clientId })));
  await settled();
  for (let turn = 0; turn < 20; turn++) loop.turn();
  assert.equal([...stream.written], [0x20, 2, 0, 0]);
  stream.writes.length = 0;
  return stream;
}

const pongs = (stream: MemoryStream): number => stream.written.length / PONG_BYTES;

test('a device that sends as fast as it can is served as much in a turn as its share allows, in the end all of it, and stays connected', async (context) => {
  const { loop, endpoint } = context;
  const stream = await admitted(context, endpoint.devices.add());
  stream.give(Buffer.alloc(35 * PING.length, PING));
  const seen: number[] = [];
  for (let turn = 0; turn < 5; turn++) {
    await settled();
    seen.push(pongs(stream));
    loop.turn();
  }
  assert.equal(seen, [10, 20, 30, 35, 35]);
  assert.is(endpoint.mqtt.counters.dropped, 0);
  stream.leave();
});

test('what a client sends meanwhile stays in the network', async (context) => {
  const { loop, endpoint } = context;
  const stream = await admitted(context, endpoint.devices.add());
  stream.give(Buffer.alloc(11 * PING.length, PING));
  await settled();
  assert.is(stream.isPaused(), true);
  loop.turn();
  await settled();
  assert.equal([pongs(stream), stream.isPaused()], [11, false]);
  stream.leave();
});

test('the frames of a WebSocket are work, also those without a packet', async (context) => {
  const { loop, endpoint } = context;
  const stream = await admitted(context, endpoint.devices.add());
  const turns = 3;
  stream.emit('frames', 1 + (turns * TURN.turnWork) / WORK.frame);
  for (let turn = 0; turn < turns; turn++) {
    assert.is(stream.isPaused(), true);
    loop.turn();
    await settled();
  }
  assert.is(stream.isPaused(), false);
  stream.leave();
});

test('all connections of a device share its turn, and another device has its own', async (context) => {
  const { loop, endpoint } = context;
  const device = endpoint.devices.add({ allow_multiple_connections: true });
  const greedy = [];
  for (const clientId of ['a', 'b', 'c']) greedy.push(await admitted(context, device, { clientId }));
  const other = await admitted(context, endpoint.devices.add());
  for (const stream of [...greedy, other]) stream.give(Buffer.alloc(9 * PING.length, PING));
  await settled();
  assert.equal([...greedy, other].map(pongs), [9, 1, 0, 9]);
  loop.turn();
  await settled();
  assert.equal(greedy.map(pongs), [9, 9, 2]);
  for (const stream of [...greedy, other]) stream.leave();
});

test('clients that are not accepted yet share the turn of their source, and those of another source do not wait', async ({
  loop,
  endpoint,
}) => {
  const answered: string[] = [];
  const connect = async (address: string) => {
    const stream = new MemoryStream();
    stream.on('written', () => answered.push(address));
    endpoint.mqtt.serve(stream, { address: `${address}:1`, secure: false });
    stream.give(bytesOf(connectPacket({ ...endpoint.devices.add(), password: 'wrong' })));
    await settled();
  };
  for (const address of ['here', 'here', 'here', 'elsewhere']) await connect(address);
  assert.equal(answered, ['here', 'elsewhere']);
  for (let turn = 0; turn < 10; turn++) {
    loop.turn();
    await settled();
  }
  assert.equal(answered, ['here', 'elsewhere', 'here', 'here']);
});

const PONG = bytesOf({ cmd: 'pingresp' });

/** How many turns a client waits for the answer to a PINGREQ that follows the packets. */
async function turnsFor({ loop }: Context, stream: MemoryStream, ...packets: Buffer[]): Promise<number> {
  stream.writes.length = 0;
  stream.give(Buffer.concat([...packets, PING]));
  for (let turns = 0; ; turns++) {
    await settled();
    if (stream.written.subarray(-PONG_BYTES).equals(PONG)) return turns;
    loop.turn();
  }
}

const turnsOf = (work: number): number => Math.floor(work / TURN.turnWork);

const BIG = JSON.stringify({ data: { text: 'x'.repeat(20_000) } });
const BIG_DATA = BIG.length - '{"data":}'.length;
const bigPut = (id: number) => bytesOf(publishPacket('$SCW/twins/me/a/put', BIG, { qos: 1, messageId: id }));
const put = bigPut(1);
const PUT_WORK = WORK.packet + put.length * WORK.parsedByte + BIG_DATA * WORK.writtenByte;

test('a put costs what its bytes cost to read and to write', async (context) => {
  const stream = await admitted(context, context.endpoint.devices.add());
  assert.is(await turnsFor(context, stream, put), turnsOf(PUT_WORK));
  stream.leave();
});

test('a short patch costs what the long document costs', async (context) => {
  const stream = await admitted(context, context.endpoint.devices.add());
  await turnsFor(context, stream, put);
  for (let turn = 0; turn < 100; turn++) context.loop.turn();
  const patch = bytesOf(publishPacket('$SCW/twins/me/a/patch', '{"data":{"x":1}}', { qos: 1, messageId: 2 }));
  const bytes = BIG_DATA + ',"x":1'.length;
  const work =
    WORK.packet + patch.length * WORK.parsedByte + BIG_DATA * WORK.patchedByte + bytes * WORK.writtenByte;
  assert.is(await turnsFor(context, stream, patch), turnsOf(work));
  stream.leave();
});

test('a long answer costs what its bytes cost to send', async (context) => {
  const stream = await admitted(context, context.endpoint.devices.add());
  await turnsFor(context, stream, put, bytesOf(subscribePacket('$SCW/twins/me/#')));
  for (let turn = 0; turn < 100; turn++) context.loop.turn();
  const get = bytesOf(publishPacket('$SCW/twins/me/a/get', ''));
  const turns = await turnsFor(context, stream, get, get, get);
  const answers = stream.written.length - PONG_BYTES;
  const work = 3 * (WORK.packet + get.length * WORK.parsedByte) + answers * WORK.sentByte;
  assert.is(turns, turnsOf(work + 2 * WORK.comparedFilter));
  stream.leave();
});

test('each filter of a SUBSCRIBE costs, and so does each comparison with a topic that is new', async (context) => {
  const stream = await admitted(context, context.endpoint.devices.add());
  const subscriptions = Array.from({ length: 100 }, (_, n) => ({
    topic: `$SCW/twins/me/${n}/#`,
    qos: 0 as const,
  }));
  const subscribe = bytesOf({ cmd: 'subscribe', messageId: 1, subscriptions });
  const filters = WORK.packet + subscribe.length * WORK.parsedByte + 100 * WORK.filter;
  assert.is(await turnsFor(context, stream, subscribe), turnsOf(filters));
  for (let turn = 0; turn < 100; turn++) context.loop.turn();
  const gets = Array.from({ length: 10 }, (_, n) => bytesOf(publishPacket(`$SCW/twins/me/new${n}/get`, '')));
  const compared = 10 * (WORK.packet + (gets[0]?.length ?? 0) * WORK.parsedByte + 200 * WORK.comparedFilter);
  assert.is(await turnsFor(context, stream, ...gets), turnsOf(compared));
  stream.leave();
});

test('a change costs each connection of the device that hears of it', async (context) => {
  const { endpoint, loop } = context;
  const device = endpoint.devices.add({ allow_multiple_connections: true });
  const streams: MemoryStream[] = [];
  for (const clientId of ['a', 'b', 'c']) streams.push(await admitted(context, device, { clientId }));
  const changes = Math.ceil(TURN.turnWork / WORK.heardChange / streams.length);
  const change = { data: {}, version: 0 };
  for (let count = 0; count < changes; count++) endpoint.twins.put(device.id, 'a', change, () => undefined);
  await settled();
  while (!streams.every((stream) => stream.isPaused())) await settled();
  loop.turn();
  assert.equal(
    streams.map((stream) => stream.isPaused()),
    [false, false, false],
  );
  for (const stream of streams) stream.leave();
});

test('a will costs its device what the same request costs', async (context) => {
  const { endpoint, loop } = context;
  const device = endpoint.devices.add({ allow_multiple_connections: true });
  const [dying, stream] = [new MemoryStream(), await admitted(context, device, { clientId: 'other' })];
  endpoint.mqtt.serve(dying, { address: 'elsewhere:1', secure: false });
  const text = JSON.stringify({ data: { text: 'x'.repeat(6000) } });
  const will = { topic: '$SCW/twins/me/a/put', payload: Buffer.from(text), qos: 0, retain: false };
  dying.give(bytesOf(connectPacket(device, { will })));
  await settled();
  for (let turn = 0; turn < 20; turn++) loop.turn();
  dying.leave();
  await settled();
  const bytes = text.length - '{"data":}'.length;
  const work = WORK.packet + text.length * WORK.parsedByte + bytes * WORK.writtenByte;
  assert.is(await turnsFor(context, stream), turnsOf(work));
  stream.leave();
});

test.run();
