/** What the real server does about bad input that no other test of it shows. */

import { connect } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connectPacket, RawClient } from '../server/mqtt/raw-client.js';
import { type Ports, TRANSPORTS, type Transport } from '../server/mqtt/transports.js';
import { EventReader } from '../server/rest/event-reader.js';
import { statusOf } from '../server/rest/rest.js';
import { type Credentials, createDevice, type Server, startServer } from './server.js';

const LIMIT_MS = 1000;

interface Context {
  server: Server;
  ports: Ports;
  device: Credentials;
}

const test = suite<Context>('bad input');

const portOf = (url: string): number => Number(new URL(url).port);

test.before(async (context) => {
  context.server = await startServer();
  const { http, mqtt, mqtts } = context.server;
  context.ports = { tcp: portOf(mqtt), tls: portOf(mqtts), http: portOf(http) };
});
test.before.each(async (context) => {
  context.device = await createDevice(context.server, 'd', { allow_multiple_connections: true });
});
test.after(async ({ server }) => {
  assert.equal(await server.stop(), { code: 0, signal: null });
});

/** Rejects when it is not so after a second. */
async function withinASecond(what: string, coming: Promise<unknown>): Promise<void> {
  let limit: NodeJS.Timeout | undefined;
  const late = new Promise((_resolve, reject) => {
    limit = setTimeout(() => reject(new Error(`${what} is still open`)), LIMIT_MS);
  });
  await Promise.race([coming, late]).finally(() => clearTimeout(limit));
}

/** One of several connections of a device. */
async function admitted(ports: Ports, transport: Transport, device: Credentials): Promise<RawClient> {
  const client = await RawClient.open({ ports }, transport);
  client.send(connectPacket(device, { clientId: '' }));
  assert.is((await client.next('connack')).returnCode, 0);
  return client;
}

const DEEDS = {
  disabled: ({ id }: Credentials) => [`/devices/${id}/disable`, 'POST'],
  deleted: ({ id }: Credentials) => [`/devices/${id}`, 'DELETE'],
  renewed: ({ id }: Credentials) => [`/devices/${id}/renew-certificate`, 'POST'],
} satisfies Record<string, (device: Credentials) => [string, string]>;

for (const [what, deed] of Object.entries(DEEDS)) {
  test(`a device that is ${what} loses every live connection within 1 s`, async ({
    server,
    ports,
    device,
  }) => {
    const clients = await Promise.all(TRANSPORTS.map((transport) => admitted(ports, transport, device)));
    const [path, method] = deed(device);
    const answer = await server.api(path, { method });
    assert.ok(answer.ok);
    const closing = clients.map((client, at) => withinASecond(TRANSPORTS[at]?.name ?? '', client.closed));
    await Promise.all(closing);
  });
}

for (const [what, end] of Object.entries({
  revoked: (server: Server, tokenId: string) => server.api(`/tokens/${tokenId}`, { method: 'DELETE' }),
  'for a device that is deleted': (server: Server, _tokenId: string, { id }: Credentials) =>
    server.api(`/devices/${id}`, { method: 'DELETE' }),
})) {
  test(`a stream of events whose token is ${what} ends within 1 s, and so does a write that waits`, async ({
    server,
    device,
  }) => {
    const made = await server.api('/tokens', { method: 'POST', body: '{"role":"app"}' });
    const { token, secret } = (await made.json()) as { token: { id: string }; secret: string };
    const reader = await EventReader.open({ url: server.http, token: secret }, `/twins/${device.id}`);
    await reader.state();
    const waiting = server.api(`/twins/${device.id}/documents/desired?wait=30`, {
      method: 'PUT',
      headers: { 'X-Auth-Token': secret },
      body: '{"data":{"n":1}}',
    });
    assert.is((await reader.next()).data.document_name, 'desired');
    assert.ok((await end(server, token.id, device)).ok);
    await withinASecond('the stream', reader.ended);
    await withinASecond('the write', waiting);
    assert.is((await waiting).status, 202);
    const again = await server.api(`/twins/${device.id}`, { headers: { 'X-Auth-Token': secret } });
    assert.is(again.status, what === 'revoked' ? 401 : 404);
  });
}

/** Headers by which one reader takes what follows for the body of this request, and another for the next request. */
const AMBIGUOUS: Record<string, (bytes: number) => string> = {
  'a length and chunks': (bytes) => `Content-Length: ${bytes}\r\nTransfer-Encoding: chunked`,
  'chunks and a length': (bytes) => `Transfer-Encoding: chunked\r\nContent-Length: ${bytes}`,
  'two lengths': (bytes) => `Content-Length: 0\r\nContent-Length: ${bytes}`,
  'twice the same length': (bytes) => `Content-Length: ${bytes}\r\nContent-Length: ${bytes}`,
  'a list of lengths': (bytes) => `Content-Length: 0, ${bytes}`,
  'a length with a sign': (bytes) => `Content-Length: +${bytes}`,
  'a negative length': () => 'Content-Length: -1',
  'a hexadecimal length': (bytes) => `Content-Length: 0x${bytes.toString(16)}`,
  'a length beyond 64 bits': () => 'Content-Length: 18446744073709551616',
  'a space before the colon': (bytes) => `Content-Length : ${bytes}`,
  'an unknown coding': () => 'Transfer-Encoding: xchunked',
  'chunks that are not the last coding': () => 'Transfer-Encoding: chunked, identity',
  'chunks, and then another coding': () => 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
  'a coding on a folded line': () => 'Transfer-Encoding:\r\n chunked',
  'a coding behind a lone line feed': () => 'X: y\nTransfer-Encoding: chunked',
  'a coding behind a lone carriage return': () => 'X: y\rTransfer-Encoding: chunked',
  'a coding behind a control character': () => 'Transfer-Encoding: \x0bchunked',
};

const send = (port: number, request: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request, 'latin1'));
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });

for (const [what, headers] of Object.entries(AMBIGUOUS)) {
  test(`a request whose end can be read in two ways is refused, with what is behind it: ${what}`, async ({
    server,
    ports,
    device,
  }) => {
    const put = (name: string, framing: string) =>
      `PUT /iot/v1/regions/fr-par/twins/${device.id}/documents/${name} HTTP/1.1\r\nHost: 127.0.0.1\r\n` +
      `X-Auth-Token: ${server.token}\r\n${framing}\r\n\r\n`;
    const behind = `0\r\n\r\n${put('smuggled', 'Content-Length: 11')}{"data":{}}`;
    const answer = await send(ports.http, put('open', headers(behind.length)) + behind);
    assert.is(statusOf(answer), 400);
    assert.is(answer.match(/HTTP\/1\.1 /g)?.length, 1);
    const twin = (await (await server.api(`/twins/${device.id}`)).json()) as { documents: unknown[] };
    assert.equal(twin.documents, []);
  });
}

test('a handler that throws or rejects is answered 500, and the same process goes on', async () => {
  const preload = join(import.meta.dirname, 'faulty-handlers.ts');
  const server = await startServer({ env: { NODE_OPTIONS: `--import tsx --import ${preload}` } });
  const { id } = await createDevice(server, 'd');
  const calls = [
    [`/twins/${id}`, 'GET'],
    [`/twins/${id}/documents/d`, 'DELETE'],
    ['/devices', 'GET'],
  ] as const;
  for (const [path, method] of calls) {
    const answer = await server.api(path, { method });
    assert.is(answer.status, 500);
    assert.equal(await answer.json(), { type: 'internal_error', message: 'internal error' });
  }
  assert.is((await fetch(`${server.http}/healthz`)).status, 200);
  assert.equal(await server.stop(), { code: 0, signal: null });
});

test.run();
