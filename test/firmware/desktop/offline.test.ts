/** Why a panel is offline: real connections that fail, each in its own way, and what the person reads. */

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { createSecureContext } from 'node:tls';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Connection } from '../../../firmware/desktop/mqtt.js';
import { type Fault, offlineText } from '../../../firmware/desktop/offline.js';
import type { Authority } from '../../../server/tls/authority.js';
import { openAuthority, serverCertificate } from '../../server/tls/authority.js';
import { ScriptedServer } from './scripted-server.js';

interface Context {
  authority: Authority;
  servers: ScriptedServer[];
}

const test = suite<Context>('why a panel is offline');

test.before(async (context) => {
  context.authority = await openAuthority();
  context.servers = [];
});
test.after(async ({ servers }) => {
  for (const server of servers) await server.close();
});

const REQUEST = { user: 'd', password: 'p', keepAlive: 0 };

/** What is said of the first fault of a connection to this address. @param ca present for TLS, in PEM */
async function reason(host: string, port: number, ca?: string): Promise<string> {
  let connection: Connection | undefined;
  const tls = ca === undefined ? undefined : createSecureContext({ ca });
  const fault = await new Promise<Fault>((onFault) => {
    const settings = { partBytes: 512, sendBytes: 4096, tls, onFault };
    connection = new Connection({ ...REQUEST, host, port }, settings, (_event, _bytes, heard) => heard());
  });
  connection?.close();
  return offlineText(`${ca === undefined ? 'mqtt' : 'mqtts'}://${host}:${port}`, fault);
}

async function listen({ servers }: Context, tls?: { cert: string; key: string }): Promise<ScriptedServer> {
  const server = await ScriptedServer.listen('127.0.0.1', 0, tls);
  servers.push(server);
  return server;
}

async function listenWithTls(context: Context, days?: number): Promise<ScriptedServer> {
  const { certificate, key } = await serverCertificate(context.authority, days);
  return listen(context, { cert: certificate, key });
}

test('nothing listens there', async () => {
  const gone = await ScriptedServer.listen();
  const { port } = gone;
  await gone.close();
  assert.match(
    await reason('127.0.0.1', port),
    `nothing listens at 127.0.0.1:${port}: is the server running`,
  );
});

test('the name has no address', () => {
  const error = Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' });
  assert.match(
    offlineText('mqtt://alarm.example:1883', { error }),
    'no address is known for the name in alarm.example:1883',
  );
});

test('there is no TLS at the port', async ({ authority }) => {
  for (const [answer, text] of [
    ['no TLS', /does not speak TLS: use mqtt:/],
    ['', /closed the connection: mqtts:\/\/ is for the port with TLS/],
  ] as const) {
    const server = createServer((socket) => socket.once('data', () => socket.end(answer)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    assert.match(await reason('127.0.0.1', port, authority.certificate), text);
    server.close();
  }
});

test('the certificate is of another authority', async (context) => {
  const server = await listenWithTls(context);
  const { certificate } = await openAuthority();
  assert.match(
    await reason('127.0.0.1', server.port, certificate),
    'is not trusted: --ca needs the authority',
  );
});

test('the certificate has expired', async (context) => {
  const server = await listenWithTls(context, -0.5);
  assert.match(await reason('127.0.0.1', server.port, context.authority.certificate), 'has expired');
});

test('the certificate is for another name', async (context) => {
  const { authority } = context;
  const other = { type: 'dns', value: 'alarm.example' } as const;
  const made = await authority.issue({ usage: 'server', commonName: 'x', names: [other], days: 30 });
  const server = await listen(context, { cert: made.certificate, key: made.key });
  assert.match(await reason('127.0.0.1', server.port, authority.certificate), 'does not hold that name');
});

test('the password is wrong, the device is disabled, or this address is blocked', async (context) => {
  const server = await listen(context);
  for (const [returnCode, text] of [
    [4, /^bad user name or password: check --device, which is the id .*"device renew" replaces$/],
    [5, /^not authorized: .*device show ID/],
    [3, /^the server is not available, or blocks this address/],
    [9, /^the server refuses the device, CONNACK 9$/],
  ] as const) {
    server.returnCode = returnCode;
    assert.match(await reason('127.0.0.1', server.port), text);
  }
});

test.run();
