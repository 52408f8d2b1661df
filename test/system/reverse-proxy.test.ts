/** The server behind Debian's nginx, configured as `server/README.md` says. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connectAsync } from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freePort } from '../free-port.js';
import { needsIn, pathOf } from '../programs.js';
import { openAuthority, serverCertificate } from '../server/tls/authority.js';
import { until } from '../until.js';
import { type Program, startProgram } from './process.js';
import { createDevice, type Server, startServer } from './server.js';

interface Context {
  directory: string;
  server: Server;
  nginx: Program;
  port: number;
  /** The authority of the proxy's certificate. */
  ca: string;
}

interface Ask {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  /** The address that the client comes from. */
  from?: string;
}

const NAME = 'alarm.example';
const tests = suite<Context>('behind nginx');
const test = needsIn(tests, 'nginx');

tests.before(async (context) => {
  if (pathOf('nginx') === undefined) return;
  context.directory = mkdtempSync(join(tmpdir(), 'twin-nginx-'));
  context.server = await startServer({ env: { TWIN_NAMES: NAME, TWIN_PROXIES: '127.0.0.1' } });
  context.port = await freePort();
  const authority = await openAuthority(join(context.directory, 'tls'));
  context.ca = authority.certificate;
  const pair = await serverCertificate(authority);
  writeFileSync(join(context.directory, 'proxy.pem'), pair.certificate + pair.key);
  writeFileSync(join(context.directory, 'nginx.conf'), configuration(context));
  const { directory } = context;
  context.nginx = startProgram([pathOf('nginx') ?? '', '-p', directory, '-e', 'stderr', '-c', 'nginx.conf']);
  await until(() =>
    ask(context, '/healthz').then(
      ({ statusCode }) => statusCode === 200,
      () => false,
    ),
  );
});

tests.after(async ({ directory, server, nginx }) => {
  if (directory === undefined) return;
  await nginx.stop('SIGTERM');
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
});

function configuration({ server, port }: Context): string {
  const [, location = ''] = /^```nginx\n(.*?)^```$/ms.exec(readFileSync('server/README.md', 'utf8')) ?? [];
  assert.match(location, 'proxy_pass http://127.0.0.1:8080;');
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${name};`,
  );
  return `
    daemon off;
    pid nginx.pid;
    events {}
    http {
      access_log off;
      ${paths.join('\n')}
      server {
        listen 127.0.0.1:${port} ssl;
        ssl_certificate proxy.pem;
        ssl_certificate_key proxy.pem;
        ${location.replace('http://127.0.0.1:8080', server.http)}
      }
    }`;
}

function ask(
  { port, ca }: Context,
  path: string,
  { body, from, ...options }: Ask = {},
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const target = { host: '127.0.0.1', port, ca, path, servername: 'localhost', agent: false };
    const headers = { Host: `${NAME}:${port}`, ...options.headers };
    const local = from === undefined ? {} : { localAddress: from };
    request({ ...target, ...options, ...local, headers }, resolve)
      .on('error', reject)
      .end(body);
  });
}

test('the app is served, also what its page asks for with an origin', async (context) => {
  const page = await ask(context, '/');
  assert.is(page.statusCode, 200);
  const [, path = ''] = /<script type="module" src="([^"]+)">/.exec(await text(page)) ?? [];
  const script = await ask(context, path, { headers: { Origin: `https://${NAME}:${context.port}` } });
  assert.is(script.statusCode, 200);
});

test('the app reads and writes, and a page of a stranger does not', async (context) => {
  const { server } = context;
  const { id } = await createDevice(server, 'proxied');
  const path = `/iot/v1/regions/fr-par/twins/${id}/documents/desired`;
  const put = (origin: string) =>
    ask(context, path, {
      method: 'PUT',
      headers: { 'X-Auth-Token': server.token, Origin: origin },
      body: '{"data":{"alarm_armed":true}}',
    });
  assert.is((await put(`https://${NAME}:${context.port}`)).statusCode, 200);
  assert.is((await put(`https://${NAME}`)).statusCode, 200);
  assert.is((await put('https://evil.example')).statusCode, 403);
});

test('events come as they happen', async (context) => {
  const { server } = context;
  const { id } = await createDevice(server, 'watched');
  const headers = { 'X-Auth-Token': server.token };
  const stream = await ask(context, `/iot/v1/regions/fr-par/twins/${id}/events`, { headers });
  let told = '';
  stream.on('data', (chunk) => {
    told += chunk;
  });
  stream.on('error', () => undefined);
  await until(() => told.includes('event: presence'));
  await server.api(`/twins/${id}/documents/d`, { method: 'PUT', body: '{"data":{"n":1}}' });
  await until(() => told.includes('"data":{"n":1}'));
  stream.destroy();
});

test('a device speaks MQTT over WebSocket', async (context) => {
  const { server, port, ca } = context;
  const device = await createDevice(server, 'websocket');
  const client = await connectAsync(`wss://localhost:${port}/mqtt`, {
    username: device.id,
    password: device.password,
    wsOptions: {
      ca,
      host: '127.0.0.1',
      headers: { Host: `${NAME}:${port}`, Origin: `https://${NAME}:${port}` },
    },
    reconnectPeriod: 0,
  });
  await client.publishAsync('$SCW/twins/me/current/put', '{"data":{"by":"wss"}}', { qos: 1 });
  await client.endAsync();
  const document = (await (await server.api(`/twins/${device.id}/documents/current`)).json()) as {
    data: object;
  };
  assert.equal(document.data, { by: 'wss' });
});

test('wrong tokens block the client that sent them, and no other', async (context) => {
  const { server } = context;
  const hubs = async (from: string, token: string) =>
    (await ask(context, '/iot/v1/regions/fr-par/hubs', { from, headers: { 'X-Auth-Token': token } }))
      .statusCode;
  const wrong = '00000000-0000-4000-8000-000000000000';
  await until(async () => (await hubs('127.0.0.2', wrong)) === 429);
  assert.is(await hubs('127.0.0.3', server.token), 200);
  assert.is(await hubs('127.0.0.2', server.token), 429);
});

tests.run();
