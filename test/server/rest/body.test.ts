/** Bodies that are too long, in pieces, cut short or late. */

import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../../until.js';
import { BASE, bodyOf, startTestRest, statusOf, type TestRest } from './rest.js';

const LIMIT = 1000;
const INFO = 30;
const MIB = 1024 * 1024;

const test = suite<{ rest: TestRest; path: string }>('bodies');

test.before(async (context) => {
  context.rest = await startTestRest({ bodyBytes: LIMIT });
  context.path = `/twins/${(await context.rest.newDevice()).id}/documents/d`;
});
test.after(({ rest }) => rest.close());

const bodyOfLength = (length: number): string =>
  `{"data":{"text":"${'x'.repeat(length - '{"data":{"text":""}}'.length)}"}}`;

/** The head of a raw request; what follows is the body. */
const head = (rest: TestRest, path: string, ...headers: string[]): string =>
  [`PUT ${BASE}${path} HTTP/1.1`, 'Host: localhost', `X-Auth-Token: ${rest.token}`, ...headers, '', ''].join(
    '\r\n',
  );

test('a body of the limit is read, one byte more is refused', async ({ rest, path }) => {
  assert.is((await rest.ask('PUT', path, { body: bodyOfLength(LIMIT) })).status, 200);
  const refused = await rest.ask('PUT', path, { body: bodyOfLength(LIMIT + 1) });
  assert.is(refused.status, 413);
  assert.equal(refused.body, {
    type: 'invalid_arguments',
    message: 'invalid argument(s)',
    details: [
      { argument_name: 'body', reason: 'constraint', help_message: `the body is longer than ${LIMIT} bytes` },
    ],
  });
});

test('a body without a length is refused as soon as it is too long', async ({ rest, path }) => {
  const chunk = `${(500).toString(16)}\r\n${'x'.repeat(500)}\r\n`;
  const answer = await rest.raw(
    `${head(rest, path, 'Transfer-Encoding: chunked', 'Connection: close')}${chunk.repeat(3)}0\r\n\r\n`,
  );
  assert.is(statusOf(answer), 413);
});

test('a body in chunks of one byte is put together', async ({ rest, path }) => {
  const body = '{"data":{"text":"ä€😀"}}';
  const chunks = [...Buffer.from(body)].map((byte) => Buffer.from([0x31, 13, 10, byte, 13, 10]));
  const answer = await rest.raw(
    Buffer.concat([
      Buffer.from(head(rest, path, 'Transfer-Encoding: chunked', 'Connection: close')),
      ...chunks,
      Buffer.from('0\r\n\r\n'),
    ]),
  );
  assert.is(statusOf(answer), 200);
  assert.equal(bodyOf(answer).data, { text: 'ä€😀' });
});

test('a client that sends Expect: 100-continue gets 100', async ({ rest, path }) => {
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const ask = request({ port: rest.port, path: BASE + path, method: 'PUT', agent: false }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode));
    });
    ask.setHeader('X-Auth-Token', rest.token);
    ask.setHeader('Expect', '100-continue');
    ask.on('continue', () => ask.end('{"data":{}}'));
    ask.on('error', reject);
    ask.flushHeaders();
  });
  assert.is(status, 200);
});

test('50 MB are refused, none of it is kept, and the connection lives on', async ({ rest, path }) => {
  const mib = Buffer.alloc(MIB, 'x');
  const chunk = Buffer.concat([Buffer.from(`${MIB.toString(16)}\r\n`), mib, Buffer.from('\r\n')]);
  const socket = connect(rest.port, '127.0.0.1');
  const answers = text(socket);
  const send = async (bytes: string | Buffer) => {
    if (!socket.write(bytes)) await once(socket, 'drain');
  };
  const before = keptBytes();
  await send(head(rest, path, `Content-Length: ${51 * MIB}`));
  for (let n = 0; n < 50; n += 1) await send(mib);
  await until(() => keptBytes() - before < 5 * MIB);
  await send(mib);
  await send(head(rest, path, 'Transfer-Encoding: chunked'));
  for (let n = 0; n < 50; n += 1) await send(chunk);
  await until(() => keptBytes() - before < 5 * MIB);
  await send('0\r\n\r\n');
  await send(`${head(rest, path, 'Content-Length: 11', 'Connection: close')}{"data":{}}`);
  assert.equal((await answers).match(/HTTP\/1.1 \d+/g), ['HTTP/1.1 413', 'HTTP/1.1 413', 'HTTP/1.1 200']);
});

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes of the buffers that something still holds on to, and some that are not yet counted as free. */
function keptBytes(): number {
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

test('after a body that was too long the same connection serves the next request', async ({ rest, path }) => {
  const answers = await rest.raw(
    `${head(rest, path, 'Content-Length: 5000')}${'x'.repeat(5000)}${head(rest, path, 'Content-Length: 11', 'Connection: close')}{"data":{}}`,
  );
  assert.equal(answers.match(/HTTP\/1.1 \d+/g), ['HTTP/1.1 413', 'HTTP/1.1 200']);
});

test('many requests in one packet are answered in their order', async ({ rest, path }) => {
  const one = (n: number, ...headers: string[]) => {
    const body = `{"data":{"n":${n}}}`;
    return `${head(rest, path, `Content-Length: ${body.length}`, ...headers)}${body}`;
  };
  const answers = await rest.raw(`${one(1)}${one(2)}${one(3, 'Connection: close')}`);
  assert.equal(answers.match(/"n":\d/g), ['"n":1', '"n":2', '"n":3']);
});

test('a request that breaks off changes nothing and disturbs no other client', async ({ rest, path }) => {
  const { body: before } = await rest.ask('PUT', path, { body: { data: { kept: true } } });
  await new Promise<void>((resolve) => {
    const socket = connect(rest.port, '127.0.0.1', () => {
      socket.write(`${head(rest, path, 'Content-Length: 500')}{"data":{`, () => socket.destroy());
    });
    socket.on('close', () => resolve());
  });
  assert.equal((await rest.ask('GET', path)).body, before);
  assert.equal(
    rest.log.filter(({ level }) => level > INFO),
    [],
  );
});

test('a client that goes before its answer comes disturbs no other client', async ({ rest, path }) => {
  await new Promise<void>((resolve) => {
    const socket = connect(rest.port, '127.0.0.1', () => {
      socket.write(`${head(rest, path, 'Content-Length: 22')}{"data":{"gone":true}}`, () =>
        socket.resetAndDestroy(),
      );
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
  });
  assert.is((await rest.ask('PUT', path, { body: { data: {} } })).status, 200);
  assert.equal(
    rest.log.filter(({ level }) => level > INFO),
    [],
  );
});

test.run();
