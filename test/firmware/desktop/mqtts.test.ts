/** The firmware as it ships, on the XS engine, over TLS with a client certificate. */

import { TLSSocket, type TlsOptions } from 'node:tls';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DesktopPanelOptions } from '../../../firmware/desktop/desktop-panel.js';
import type { Authority } from '../../../server/tls/authority.js';
import type { KeyPair } from '../../../server/tls/key-pair.js';
import { deviceCertificate, openAuthority, serverCertificate } from '../../server/tls/authority.js';
import { until } from '../../until.js';
import { ScriptedServer } from './scripted-server.js';
import { Workbench } from './workbench.js';

const DEVICE = 'db9ef9e3-a767-4d22-9e5f-a3c5a71519ff';
const EXPIRED = -0.5;

interface Context {
  bench: Workbench;
  authority: Authority;
  server: ScriptedServer | undefined;
  /** A server that lets in who shows a certificate of the authority. */
  listen: (shown: KeyPair, port?: number) => Promise<ScriptedServer>;
}

const test = suite<Context>('mqtts on XS');

test.before(async (context) => {
  context.authority = await openAuthority();
});
test.before.each((context) => {
  context.bench = new Workbench();
  context.server = undefined;
  context.listen = async ({ certificate, key }, port = 0) => {
    const mutual: TlsOptions = { ca: context.authority.certificate, requestCert: true };
    const server = await ScriptedServer.listen('127.0.0.1', port, { ...mutual, cert: certificate, key });
    context.server = server;
    return server;
  };
});
test.after.each(async ({ bench, server }) => {
  bench.end();
  await server?.close();
});

const panelOf = (
  server: ScriptedServer,
  authority: Authority,
  own: KeyPair,
): Partial<DesktopPanelOptions> => ({
  server: `mqtts://localhost:${server.port}`,
  device: DEVICE,
  password: '',
  tls: { ca: authority.certificate, cert: own.certificate, key: own.key },
});

for (const keyType of ['ecdsa', 'rsa'] as const) {
  test(`a panel proves itself with a certificate of ${keyType}, and hears of its being armed`, async ({
    bench,
    authority,
    listen,
  }) => {
    const own = await authority.issue({ usage: 'device', keyType, commonName: DEVICE, names: [], days: 1 });
    const server = await listen(await serverCertificate(authority));
    const panel = await bench.panel(panelOf(server, authority, own));
    await panel.until(({ online }) => online);
    const { socket } = await server.session(0, 'connect');
    if (!(socket instanceof TLSSocket)) return assert.unreachable();
    assert.ok(socket.authorized);
    assert.is(socket.getPeerX509Certificate()?.subject, `CN=${DEVICE}`);
    server.desire(true);
    await panel.until(({ armed }) => armed);
  });
}

test('a server whose certificate has expired is not trusted until it shows another; the siren rings all the same', async ({
  bench,
  authority,
  listen,
}) => {
  const own = await deviceCertificate(authority, DEVICE);
  const armed = await listen(await serverCertificate(authority));
  const { port } = armed;
  armed.armed = true;
  const options = panelOf(armed, authority, own);
  const panel = await bench.panel(options);
  await panel.until((state) => state.armed && state.online);
  await armed.close();
  const late = await listen(await serverCertificate(authority, EXPIRED), port);
  await bench.traced('link: network fault', 3);
  panel.openDoor();
  await panel.until(({ sirenRinging }) => sirenRinging);
  assert.not.ok(panel.state.online);
  assert.is(late.sessions.length, 0);
  await late.close();
  await listen(await serverCertificate(authority), port);
  await panel.until(({ online }) => online);
});

test('a panel with an expired certificate is not let in, and goes on trying', async ({
  bench,
  authority,
  listen,
}) => {
  const server = await listen(await serverCertificate(authority));
  const panel = await bench.panel(
    panelOf(server, authority, await deviceCertificate(authority, DEVICE, EXPIRED)),
  );
  await until(() => bench.lines.filter((line) => /network fault|was closed/.test(line)).length >= 3);
  assert.not.ok(panel.state.online);
  assert.is(server.sessions.length, 0);
});

test('a server of another authority is not trusted', async ({ bench, authority, listen }) => {
  const server = await listen(await serverCertificate(await openAuthority()));
  const own = await deviceCertificate(authority, DEVICE);
  const panel = await bench.panel(panelOf(server, authority, own));
  await bench.traced('link: network fault', 3);
  assert.not.ok(panel.state.online);
});

test.run();
