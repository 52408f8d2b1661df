/** MQTT over WebSocket at the real server, beside REST on the same ports, and the end of live connections by REST. */

import { connectAsync, type IClientOptions } from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RawClient } from '../server/mqtt/raw-client.js';
import { HANDSHAKE, RawWebSocket } from '../server/mqtt/raw-websocket.js';
import { type Ports, TRANSPORTS, WEBSOCKET } from '../server/mqtt/transports.js';
import {
  authorityOf,
  type Credentials,
  createDevice,
  renewDevice,
  type Server,
  startServer,
} from './server.js';

const REVOKED_LIMIT_MS = 1000;
const PUT = '$SCW/twins/me/current/put';

interface Context {
  server: Server;
  ports: Ports;
}

const test = suite<Context>('WebSocket of the server');

test.before(async (context) => {
  const server = await startServer();
  const portOf = (url: string) => Number(new URL(url).port);
  context.server = server;
  context.ports = { tcp: portOf(server.mqtt), tls: portOf(server.mqtts), http: portOf(server.http) };
});
test.after(async ({ server }) => {
  assert.equal(await server.stop(), { code: 0, signal: null });
});

async function putBy(url: string, options: IClientOptions, data: object): Promise<void> {
  const client = await connectAsync(`${url.replace('http', 'ws')}/mqtt`, { ...options, reconnectPeriod: 0 });
  await client.publishAsync(PUT, JSON.stringify({ data }), { qos: 1 });
  await client.endAsync();
}

async function currentOf(server: Server, { id }: Credentials): Promise<unknown> {
  const response = await server.api(`/twins/${id}/documents/current`);
  return ((await response.json()) as { data: unknown }).data;
}

test('a device that need not show a certificate puts by ws, with its password', async ({ server }) => {
  const device = await createDevice(server, 'page');
  await putBy(server.http, { username: device.id, password: device.password }, { by: 'ws' });
  assert.equal(await currentOf(server, device), { by: 'ws' });
});

test('a device puts by wss with nothing but its certificate', async ({ server }) => {
  const device = await createDevice(server, 'secure', { allow_insecure: false });
  const { crt: cert, key } = device.certificate;
  await putBy(server.https, { ca: await authorityOf(server), cert, key }, { by: 'wss' });
  assert.equal(await currentOf(server, device), { by: 'wss' });
});

test('a device that must show its certificate is refused by 5 where it shows none', async ({ server }) => {
  const { id: username, password } = await createDevice(server, 'secure', { allow_insecure: false });
  const ca = await authorityOf(server);
  for (const [url, options] of [
    [server.http, {}],
    [server.https, { ca }],
  ] as const) {
    await putBy(url, { ...options, username, password }, {}).then(
      () => assert.unreachable('it came in'),
      (error) => assert.is(error.code, 5),
    );
  }
});

test('a page of another origin, or one that DNS leads here, comes to no MQTT', async ({ ports }) => {
  for (const [headers, status] of [
    [{ Host: 'evil.example' }, '421'],
    [{ Origin: 'https://evil.example' }, '403'],
  ] as const) {
    const { client, head } = await RawWebSocket.ask(ports.http, { ...HANDSHAKE, ...headers });
    assert.is(head.split(' ')[1], status);
    await client.closed;
  }
});

const REVOKING: Record<string, (server: Server, id: string) => Promise<unknown>> = {
  'is disabled': (server, id) => server.api(`/devices/${id}/disable`, { method: 'POST' }),
  'is deleted': (server, id) => server.api(`/devices/${id}`, { method: 'DELETE' }),
  'gets new credentials': renewDevice,
};

for (const [what, revoke] of Object.entries(REVOKING)) {
  for (const transport of TRANSPORTS) {
    test(`a device that ${what} is closed within 1 s over ${transport.name}`, async ({ server, ports }) => {
      const device = await createDevice(server, 'revoked');
      const client = await RawClient.admitted({ ports }, transport, device);
      await revoke(server, device.id);
      let limit: NodeJS.Timeout | undefined;
      const late = new Promise((_resolve, reject) => {
        limit = setTimeout(() => reject(new Error('still open')), REVOKED_LIMIT_MS);
      });
      await Promise.race([client.closed, late]).finally(() => clearTimeout(limit));
    });
  }
}

test('a stop does not wait for clients that stay', async () => {
  const server = await startServer();
  const device = await createDevice(server, 'stays');
  const ports = { tcp: 0, tls: 0, http: Number(new URL(server.http).port) };

  const client = await RawClient.admitted({ ports }, WEBSOCKET, device);
  client.stopReading();
  const silent = await RawWebSocket.open(ports.http);
  assert.equal(await server.stop(), { code: 0, signal: null });
  client.vanish();
  silent.vanish();
});

test.run();
