/** The ECMA-419 client as a program on XS meets it, against a server that does as the test says. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type OneServer, setUp } from './one-server.js';

interface Context extends OneServer {
  /** Runs a program that opens connections by `connect`, until it traces `end`. */
  run: (code: string) => Promise<string[]>;
}

const test = suite<Context>('MQTT client on XS');

const PROGRAM = `
  import { board } from 'firmware/boards/board.js';
  import Timer from 'timer';
  const trace = (...words) => board.trace(words.join(' '));
  const connect = (callbacks = {}) => board.mqtt({
    keepAlive: 0,
    onReadable: () => trace('readable'),
    onWritable: (count) => trace('writable', count),
    onControl: (operation, { returnCode }) => trace('control', operation, returnCode),
    onClose: () => trace('close'),
    onError: () => trace('error'),
    ...callbacks,
  });
`;

setUp(test);
test.before.each((context) => {
  const { bench, server } = context;
  context.run = (code) => bench.run(PROGRAM + code, { server: server.url });
});

test('a long message comes in parts, of which only the first has the topic and the last has no more', async ({
  server,
  run,
}) => {
  const publishing = server.session(0, 'connect').then((session) => {
    session.publish('long', Buffer.from(Array.from({ length: 1300 }, (_, index) => index % 256)));
    session.publish('empty', '');
    session.publish('short', 'x');
  });
  const lines = await run(`
    let length = 0;
    const client = connect({
      onWritable: () => undefined,
      onControl: () => undefined,
      onReadable: (count, { topic, more, byteLength }) => {
        const halves = [...new Uint8Array(client.read(200)), ...new Uint8Array(client.read(count))];
        const isInOrder = halves.every((byte, index) => topic === 'short' || byte === (length + index) % 256);
        length += halves.length;
        trace(topic, count, more, byteLength, halves.length, isInOrder);
        if (topic === 'short') trace('end');
      },
    });
  `);
  await publishing;
  assert.equal(lines, [
    'long 512 true 1300 512 true',
    ' 512 true 1300 512 true',
    ' 276 false 1300 276 true',
    'empty 0 false 0 0 true',
    'short 1 false 1 1 true',
  ]);
});

test('a packet that is longer than was announced throws, and the connection stays', async ({
  server,
  run,
}) => {
  const lines = await run(`
    const client = connect({
      onWritable: (count) => {
        try {
          client.write(new ArrayBuffer(count), { topic: 'a' });
        } catch (error) {
          trace(error.message);
        }
        trace(client.write(new ArrayBuffer(count - 100), { topic: 'a' }) > 0);
        trace('end');
      },
    });
  `);
  assert.equal(lines, ['control 2 0', 'overflow', 'true']);
  const { packets } = await server.session(0, 'publish');
  assert.is(packets.length, 2);
});

test('a refusal comes with the return code of CONNACK', async ({ server, run }) => {
  server.returnCode = 5;
  const lines = await run(`
    connect({ onControl: (operation, { returnCode }) => { trace(operation, returnCode); trace('end'); } });
  `);
  assert.equal(lines, ['2 5']);
});

test('a connection that is closed while it is being opened is never heard of', async ({ run }) => {
  const lines = await run(`
    const client = connect();
    client.close();
    client.close();
    const other = connect({ onControl: () => undefined, onWritable: () => { other.close(); Timer.set(() => trace('end'), 20); } });
  `);
  assert.equal(lines, []);
});

test('without a network a connection fails, in a turn of its own', async ({ bench, server }) => {
  const program = await bench.program(`${PROGRAM}
    const begin = () => {
      connect({ onError: () => { trace('error'); trace('end'); } });
      trace('begun');
    };
    board.contact(0, begin);
    trace("listening");
  `);
  const panel = await bench.panel({ program, server: server.url });
  await bench.traced('listening');
  panel.networkOff();
  panel.openDoor();
  await bench.traced('end');
  assert.equal(bench.lines, ['listening', 'begun', 'error', 'end']);
});

test('a connection that cannot even be begun is an exception', async ({ bench }) => {
  const source = `${PROGRAM}
    import MQTTClient from 'embedded:network/mqtt/client';
    try { new MQTTClient({ host: '127.0.0.1', port: 70000, user: 'u', password: 'p', keepAlive: 0 }); }
    catch (error) { trace(error.message); }
    trace('end');
  `;
  assert.match((await bench.run(source)).join(), /Port.*70000/);
});

test('messages that come after a close are not handed on', async ({ server, run }) => {
  const publishing = server.session(0, 'connect').then(({ publish }) => {
    for (const topic of ['a', 'b', 'c']) publish(topic, 'x');
  });
  const lines = await run(`
    const client = connect({
      onWritable: () => undefined,
      onControl: () => undefined,
      onReadable: (_count, { topic }) => {
        trace(topic);
        client.close();
        Timer.set(() => trace('end'), 30);
      },
    });
  `);
  await publishing;
  assert.equal(lines, ['a']);
});

test.run();
