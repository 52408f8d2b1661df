/**
 * A busy run of the real server at its most talkative, where people and programs put their secrets where they belong and
 * where they do not: none of them is found in what the server says or keeps.
 */

import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connectPacket, publishPacket, RawClient, subscribePacket } from '../server/mqtt/raw-client.js';
import { type Ports, TCP, TRANSPORTS, type Transport } from '../server/mqtt/transports.js';
import { type Credentials, createDevice, renewDevice, type Server, startServer } from './server.js';

interface Context {
  data: string;
  server: Server;
  ports: Ports;
}

const test = suite<Context>('secrets');

const portOf = (url: string): number => Number(new URL(url).port);

test.before(async (context) => {
  context.data = mkdtempSync(join(tmpdir(), 'twin-secrets-'));
  context.server = await startServer({
    data: context.data,
    env: { TWIN_LOG: 'trace' },
    limits: { access: { authFailuresPerMinute: 1000 }, storage: { writeBehindMs: 50 } },
  });
  const { http, mqtt, mqtts } = context.server;
  context.ports = { http: portOf(http), tcp: portOf(mqtt), tls: portOf(mqtts) };
});

test.after(async ({ data, server }) => {
  await server.stop();
  rmSync(data, { recursive: true, force: true });
});

/** Bytes as they are; resolves when the server has closed the connection. */
function sendRaw({ http }: Server, request: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(portOf(http), '127.0.0.1', () => socket.end(request));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
    socket.resume();
  });
}

/** A token in every place of a request where one might stand. */
async function misplaceToken(server: Server, secret: string): Promise<void> {
  const line = (method: string, target: string, ...headers: string[]) =>
    sendRaw(server, [`${method} ${target} HTTP/1.1`, 'Host: localhost', ...headers, '', ''].join('\r\n'));
  const base = new URL(server.iotApi).pathname;
  const own = `X-Auth-Token: ${server.token}`;
  for (const right of [own, `X-Auth-Token: ${secret}`]) {
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'POST', 'OPTIONS', 'FROB']) {
      await line(method, `/${secret}`, right);
      await line(method, `${base}/devices?token=${secret}&page=${secret}`, right);
      await line(method, `${base}/twins/${secret}/documents/${secret}`, right);
      await line(method, `${base}/devices/${secret}`, right);
      await line(method, `${base}/tokens/${secret}`, right);
      await line(method, `/iot/v1/regions/${secret}/devices`, right);
    }
  }
  await line('GET', `${base}/devices`, `Authorization: Bearer ${secret}`, `Cookie: token=${secret}`);
  await line('GET', `${base}/devices`, own, `Origin: https://${secret}.example`);
  await line('GET', `${base}/devices`, own, `${secret} : x`);
  await line('GET', `${base}/devices`, own, `X-Long: ${secret.repeat(1000)}`);
  await sendRaw(server, `GET / HTTP/1.1\r\nHost: ${secret}\r\n\r\n`);
  await sendRaw(server, `${secret}\r\n\r\n`);
  await sendRaw(server, `GET /${secret} HTTP/9.9\r\n\r\n`);
  for (const body of [`{"data":${secret}}`, `{"${secret}":1}`, secret, JSON.stringify([secret])]) {
    await server.api('/devices', { method: 'POST', body });
    await server.api('/tokens', { method: 'POST', body });
    await server.api(`/twins/${randomUUID()}/documents/d`, { method: 'PUT', body });
  }
  await server.api('/tokens', { method: 'POST', body: JSON.stringify({ role: secret }) });
  const expires_at = secret;
  await server.api('/tokens', { method: 'POST', body: JSON.stringify({ role: 'app', expires_at }) });
}

/** A secret in every field of a CONNECT, and what a device might do with it once it is in. */
async function misplacePassword(ports: Ports, transport: Transport, device: Credentials, secret: string) {
  const connects = [
    { username: secret },
    { username: secret, password: Buffer.from(secret) },
    { clientId: secret, password: Buffer.from(secret) },
    { password: Buffer.from(secret) },
    { will: { topic: secret, payload: Buffer.from(secret), qos: 0, retain: false } },
  ];
  for (const changes of connects) {
    const client = await RawClient.open({ ports }, transport);
    client.send(connectPacket(device, changes));
    await client.next('connack');
    client.vanish();
  }
  const client = await RawClient.admitted({ ports }, transport, device);
  client.send(subscribePacket(`${secret}/#`));
  await client.next('suback');
  client.send(publishPacket(secret, secret));
  client.send(publishPacket(`$SCW/twins/me/current/put`, `{"data":${secret}`));
  client.send(publishPacket(`$SCW/twins/${secret}/current/put`, '{"data":{}}'));
  client.send(publishPacket(`$SCW/twins/me/${secret}/frob`, '{"data":{}}'));
  client.send(Buffer.from([0xf0, secret.length, ...Buffer.from(secret)]));
  await client.closed;
}

test('no log line holds a secret that was used, nor does any file but the keys of TLS', async ({
  data,
  server,
  ports,
}) => {
  const secrets: string[] = [server.token];
  const keyLines = ({ certificate }: Credentials) => certificate.key.split('\n').slice(1, 3);

  for (const role of ['owner', 'app', 'reader']) {
    const response = await server.api('/tokens', { method: 'POST', body: JSON.stringify({ role }) });
    const { token, secret } = (await response.json()) as { token: { id: string }; secret: string };
    secrets.push(secret);
    await server.api('/devices', { headers: { 'X-Auth-Token': secret } });
    await misplaceToken(server, secret);
    await server.api(`/tokens/${token.id}`, { method: 'DELETE' });
    await server.api('/devices', { headers: { 'X-Auth-Token': secret } });
  }
  const unknown = randomUUID();
  secrets.push(unknown);
  await misplaceToken(server, unknown);

  for (const transport of TRANSPORTS) {
    const first = await createDevice(server, transport.name);
    const second = await renewDevice(server, first.id);
    secrets.push(first.password, second.password, ...keyLines(first), ...keyLines(second));
    for (const { password } of [first, second]) await misplacePassword(ports, transport, second, password);
    await server.api(`/devices/${first.id}`, { method: 'DELETE' });
    const gone = await RawClient.open({ ports }, TCP);
    gone.send(connectPacket(second));
    await gone.closed;
  }
  const failing = await createDevice(server, 'disabled');
  secrets.push(failing.password, ...keyLines(failing));
  await server.api(`/devices/${failing.id}/disable`, { method: 'POST' });

  assert.equal(await server.stop(), { code: 0, signal: null });
  const kept = filesOf(data);
  const said = server.program.lines.join('\n').toLowerCase();
  assert.match(said, '"audit":"authentication_refused"');
  assert.match(said, '"audit":"token_revoked"');
  assert.match(said, '"audit":"host_refused"');
  for (const secret of secrets) {
    assert.ok(secret.length >= 36);
    assert.not.ok(said.includes(secret.toLowerCase()), `a line holds ${secret}`);
    assert.equal(
      kept.filter(({ text }) => text.includes(secret)).map(({ name }) => name),
      [],
    );
  }
});

function filesOf(directory: string): { name: string; text: string }[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => ({ name, text: readFileSync(join(parentPath, name), 'latin1') }));
}

test.run();
