import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Packet, sntpQuery } from '../../firmware/boards/sdk/sntp.js';
import { answerTime, answerTo, type TimeResponder } from '../../server/time-responder.js';
import { MemoryTimers } from '../firmware/memory-board.js';
import { startServer } from '../system/server.js';
import { until } from '../until.js';

const test = suite<{ responder: TimeResponder; socket: Socket; port: number; now: number; received: number }>(
  'time responder',
);

const NOW = Date.UTC(2026, 10, 26, 12, 30, 0, 250);

/** A port that is free now: the responder takes the one of a TCP listener, and never chooses. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

test.before.each(async (context) => {
  Object.assign(context, { now: NOW, received: 0 });
  context.port = await freePort();
  context.responder = await answerTime({ address: '127.0.0.1', port: context.port }, () => {
    context.received += 1;
    return context.now;
  });
  context.socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(context.socket, 'listening');
});
test.after.each(async ({ responder, socket }) => {
  socket.close();
  await responder.close();
});

function request(first = 0x23, length = 48): Buffer {
  const packet = Buffer.alloc(length);
  packet.writeUInt8(first, 0);
  packet.writeUInt8(6, 2);
  if (length >= 48) packet.write('nonce-88', 40, 'latin1');
  return packet;
}

test('a request is answered by a server of the same version, with its own timestamp and the time', () => {
  const answer = answerTo(request(), NOW) as Buffer;
  assert.is(answer.readUInt8(0), 0x24);
  assert.is(answerTo(request(0x1b), NOW)?.readUInt8(0), 0x1c);
  assert.is(answer.readUInt8(2), 6);
  assert.is(answer.toString('latin1', 24, 32), 'nonce-88');
  const seconds = answer.readUInt32BE(40) - 2_208_988_800;
  assert.is(seconds * 1000 + (answer.readUInt32BE(44) / 2 ** 32) * 1000, NOW);
});

test('the seconds begin again in 2036', () => {
  assert.is(answerTo(request(), Date.UTC(2036, 1, 7, 6, 28, 17))?.readUInt32BE(40), 1);
});

test('an answer is never longer than its request', () => {
  for (const length of [48, 49, 68, 1400]) assert.is(answerTo(request(0x23, length), NOW)?.length, 48);
});

for (const [name, packet] of [
  ['a packet that is too short', request(0x23, 47)],
  ['an empty packet', Buffer.alloc(0)],
  ['the answer of a server, so that two servers cannot keep each other busy', request(0x24)],
  ['a symmetric peer', request(0x21)],
  ['a control message', request(0x26)],
  ['a version that has another packet', request(0x0b)],
] as const) {
  test(`no answer :: ${name}`, () => {
    assert.is(answerTo(packet, NOW), undefined);
  });
}

test('the panel understands what the server answers', async ({ port }) => {
  const packets: Packet[] = [];
  const [timers, answers] = [new MemoryTimers(), [] as (number | undefined)[]];
  const query = sntpQuery(
    { host: 'localhost', port },
    {
      open(onReadable) {
        const socket = createSocket('udp4');
        socket.on('message', (bytes, from) => {
          const packet = Uint8Array.from(bytes).buffer;
          packets.push(Object.assign(packet, { address: from.address, port: from.port }));
          onReadable();
        });
        return {
          read: () => packets.shift(),
          write: (bytes, address, to) => socket.send(new Uint8Array(bytes), to, address),
          close: () => socket.close(),
        };
      },
      resolve: (name, callback) => callback(name, '127.0.0.1'),
      timers,
      random: Math.random,
    },
  );
  query((now) => answers.push(now));
  await until(() => answers.length > 0);
  assert.equal(answers, [NOW]);
});

test('a flood gets a limited number of answers in each second', async (context) => {
  const { socket, port } = context;
  const answers: string[] = [];
  socket.on('message', (answer) => answers.push(answer.toString('latin1', 24, 32)));
  for (let sent = 1; sent <= 300; sent += 1) {
    socket.send(request(), port, '127.0.0.1');
    // A few at a time, so that no buffer of the system overflows.
    if (sent % 20 === 0) await until(() => context.received === sent);
  }
  const late = request().fill('the next', 40);
  await until(() => {
    context.now += 1000;
    socket.send(late, port, '127.0.0.1');
    return answers.includes('the next');
  });
  assert.is(answers.indexOf('the next'), 200);
});

test('a board can ask the server for the time at the ports of both MQTT listeners', async ({ socket }) => {
  const server = await startServer({ env: { TWIN_MQTTS: '127.0.0.1:0' } });
  for (const url of [server.mqtt, server.mqtts]) {
    socket.send(request(), Number(new URL(url).port), '127.0.0.1');
    const [answer] = (await once(socket, 'message')) as [Buffer];
    const seconds = answer.readUInt32BE(40) - 2_208_988_800;
    assert.ok(Math.abs(seconds - Date.now() / 1000) < 60);
  }
  assert.is((await server.stop()).code, 0);
});

test('a port that is taken is an error of the system', async ({ port }) => {
  try {
    await answerTime({ address: '127.0.0.1', port });
    assert.unreachable();
  } catch (error) {
    assert.is((error as NodeJS.ErrnoException).code, 'EADDRINUSE');
  }
});

test.run();
