/** TLS of the real server, with clients that were not made for it: OpenSSL's, Mosquitto's and curl. */

import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Authority } from '../../server/tls/authority.js';
import { requestTopic } from '../../shared/topics.js';
import { keepInDirectory } from '../database-under-test.js';
import { needsIn, pathOf } from '../programs.js';
import {
  deviceCertificate,
  openAuthority,
  serverCertificate,
  temporaryDirectory,
} from '../server/tls/authority.js';
import { until } from '../until.js';
import { type Program, startProgram } from './process.js';
import {
  authorityOf,
  type Credentials,
  createDevice,
  renewDevice,
  type Server,
  startServer,
} from './server.js';

keepInDirectory();

interface Context {
  server: Server;
  /** Holds the files that the clients are given. */
  directory: string;
  /** A device that must show its certificate. */
  device: Credentials;
}

const test = suite<Context>('TLS of the server');
const openssl = needsIn(test, 'openssl');
const mosquitto = needsIn(test, 'mosquitto_pub', 'mosquitto_sub');
const curl = needsIn(test, 'curl');

test.before(async (context) => {
  context.server = await startServer({ limits: { access: { authFailuresPerMinute: 1000 } } });
  context.directory = temporaryDirectory();
  writeFileSync(join(context.directory, 'ca.crt'), await authorityOf(context.server));
});
test.before.each(async (context) => {
  context.device = await createDevice(context.server, 'secure', { allow_insecure: false });
});
test.after(async ({ server }) => {
  assert.equal(await server.stop(), { code: 0, signal: null });
});

type Certificate = Credentials['certificate'];

/** One of Mosquitto's clients, which trusts the authority and shows a certificate. */
function mosquittoClient(
  program: string,
  { server, directory }: Context,
  { crt, key }: Certificate,
  args: string[],
): Program {
  const { hostname, port } = new URL(server.mqtts);
  const [cert, keyFile] = [join(directory, 'device.crt'), join(directory, 'device.key')];
  writeFileSync(cert, crt);
  writeFileSync(keyFile, key, { mode: 0o600 });
  return startProgram([
    ...[pathOf(program) ?? program, '-V', '311', '-h', hostname, '-p', port],
    ...['--cafile', join(directory, 'ca.crt'), '--cert', cert, '--key', keyFile, ...args],
  ]);
}

const PUT = ['-q', '1', '-t', requestTopic('current', 'put'), '-m', '{"data":{"door_open":true}}'];

const put = (context: Context, certificate: Certificate, more: string[] = []): Program =>
  mosquittoClient('mosquitto_pub', context, certificate, [...PUT, ...more]);

interface AuditLine {
  audit?: string;
  via?: string;
  device_id?: string;
  reason?: string;
}

const auditLines = ({ server }: Context): AuditLine[] =>
  server.program.lines
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as AuditLine)
    .filter(({ audit }) => audit === 'authentication_refused');

/** The CONNECT is refused by CONNACK 5, and one line of the audit says why. */
async function refused(context: Context, certificate: Certificate, reason: RegExp): Promise<void> {
  const before = auditLines(context).length;
  const program = put(context, certificate);
  assert.is((await program.ended).code, 5, program.lines.join('\n'));
  await until(() => auditLines(context).length > before);
  const [line, ...more] = auditLines(context).slice(before);
  assert.is(more.length, 0);
  assert.is(line?.via, 'mqtt');
  assert.match(line?.reason ?? '', reason);
}

mosquitto('a device comes in by its certificate alone', async (context) => {
  const { device, server } = context;
  const program = put(context, device.certificate);
  assert.is((await program.ended).code, 0, program.lines.join('\n'));
  const document = await (await server.api(`/twins/${device.id}/documents/current`)).json();
  assert.equal((document as { data: object }).data, { door_open: true });
});

mosquitto(
  'beside its certificate a device may give its id, and no other, for a user name',
  async (context) => {
    const { device, server } = context;
    assert.is((await put(context, device.certificate, ['-u', device.id]).ended).code, 0);
    const { id } = await createDevice(server, 'other');
    assert.is((await put(context, device.certificate, ['-u', id]).ended).code, 4);
  },
);

mosquitto('without its certificate a device is refused by 5, whatever its password', async (context) => {
  const { device, server, directory } = context;
  const { hostname, port } = new URL(server.mqtts);
  const program = startProgram([
    ...[pathOf('mosquitto_pub') ?? '', '-V', '311', '-h', hostname, '-p', port],
    ...['--cafile', join(directory, 'ca.crt'), '-u', device.id, '-P', device.password, ...PUT],
  ]);
  assert.is((await program.ended).code, 5, program.lines.join('\n'));
});

mosquitto('a certificate of another authority is refused', async (context) => {
  const { certificate: crt, key } = await deviceCertificate(await openAuthority(), context.device.id);
  await refused(context, { crt, key }, /of another authority/);
});

mosquitto('a certificate that has expired is refused', async (context) => {
  const longAgo = new Date(Date.now() - 100 * 24 * 60 * 60 * 1000);
  const authority = await openAuthority(join(context.server.data, 'tls'), () => longAgo);
  const { certificate: crt, key } = await deviceCertificate(authority, context.device.id);
  await refused(context, { crt, key }, /has expired/);
});

mosquitto('a certificate that this authority made without its server knowing is refused', async (context) => {
  const authority = await openAuthority(join(context.server.data, 'tls'));
  const { certificate: crt, key } = await deviceCertificate(authority, context.device.id);
  await refused(context, { crt, key }, /of no device, or was replaced/);
});

mosquitto('the certificate of a deleted device is refused', async (context) => {
  const { server, device } = context;
  await server.api(`/devices/${device.id}`, { method: 'DELETE' });
  await refused(context, device.certificate, /of no device, or was replaced/);
});

mosquitto(
  'renewing ends what came in by the old certificate, which is refused from then on',
  async (context) => {
    const { server, device } = context;
    const isConnected = async () =>
      ((await (await server.api(`/devices/${device.id}`)).json()) as { is_connected: boolean }).is_connected;
    const listening = mosquittoClient('mosquitto_sub', context, device.certificate, [
      '-t',
      '$SCW/twins/me/#',
    ]);
    await until(isConnected);
    const renewed = await renewDevice(server, device.id);
    await until(async () => !(await isConnected()));
    await listening.stop();
    await refused(context, device.certificate, /of no device, or was replaced/);
    assert.is((await put(context, renewed.certificate).ended).code, 0);
  },
);

/** `openssl s_client`, with what it is to send, until it ends. */
async function askOpenssl({ directory }: Context, url: string, args: string[], input = ''): Promise<string> {
  const program = startProgram([
    ...['openssl', 's_client', '-connect', new URL(url).host, '-CAfile', join(directory, 'ca.crt')],
    ...['-verify_return_error', ...args],
  ]);
  if (input !== '') program.type(input);
  else program.endInput();
  await program.ended;
  return program.lines.join('\n');
}

/** Resolves when a connection on which these bytes were sent is closed, in whatever way. */
function closedAfter(bytes: string, url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname, () => socket.write(bytes));
  socket.on('error', () => undefined).resume();
  return new Promise((resolve) => socket.on('close', () => resolve()));
}

for (const kind of ['mqtts', 'https'] as const) {
  openssl(
    `OpenSSL verifies the server at ${kind} by name and by address, and speaks TLS 1.2 and 1.3`,
    async (context) => {
      const url = context.server[kind];
      for (const names of [
        ['-servername', 'localhost', '-verify_hostname', 'localhost'],
        ['-verify_ip', '127.0.0.1'],
      ]) {
        for (const version of ['1_2', '1_3']) {
          const said = await askOpenssl(context, url, ['-brief', `-tls${version}`, ...names]);
          assert.match(said, `Protocol version: TLSv${version.replace('_', '.')}`);
          assert.match(said, 'Verification: OK');
        }
      }
      assert.not.match(
        await askOpenssl(context, url, ['-brief', '-verify_hostname', 'elsewhere']),
        'Verification: OK',
      );
    },
  );

  openssl(`nothing older than TLS 1.2 is spoken at ${kind}`, async (context) => {
    const said = await askOpenssl(context, context.server[kind], [
      '-tls1_1',
      '-cipher',
      'DEFAULT@SECLEVEL=0',
    ]);
    assert.match(said, 'alert protocol version');
  });

  openssl(`garbage at ${kind} is closed and counted, and others do not feel it`, async (context) => {
    const url = context.server[kind];
    const failed = async (): Promise<number> => {
      const { server } = context;
      const response = await fetch(`${server.http}/metrics`, { headers: { 'X-Auth-Token': server.token } });
      return Number(/^twin_tls_handshakes_failed_total (\d+)$/m.exec(await response.text())?.[1]);
    };
    const before = await failed();
    const garbage = ['GET / HTTP/1.1\r\n\r\n', '\x10\x24\x00\x06MQIsdp\x03'];
    await Promise.all(garbage.map((bytes) => closedAfter(bytes, url)));
    assert.is(await failed(), before + garbage.length);
    assert.match(await askOpenssl(context, url, ['-brief']), 'Verification: OK');
  });

  openssl(
    `a client cannot negotiate again at ${kind}, and others do not feel that one tries`,
    async (context) => {
      const tries = Array(50).fill('R').join('\n');
      const said = await askOpenssl(context, context.server[kind], ['-tls1_2'], tries);
      assert.match(said, 'no renegotiation');
      assert.match(await askOpenssl(context, context.server[kind], ['-brief']), 'Verification: OK');
    },
  );
}

curl('curl comes by HTTPS with the authority, and not without', async ({ server, directory }) => {
  const get = async (...args: string[]) => {
    const program = startProgram(['curl', '-sS', ...args, `${server.https}/healthz`]);
    return { code: (await program.ended).code, said: program.lines.join('\n') };
  };
  assert.equal(await get('--cacert', join(directory, 'ca.crt')), { code: 0, said: '{"status":"ok"}' });
  const distrusting = await get();
  assert.is(distrusting.code, 60);
  const old = await get('--cacert', join(directory, 'ca.crt'), '--tls-max', '1.1');
  assert.is(old.code, 35);
});

test('the command line comes by HTTPS with the authority, and says what is missing without', async ({
  server,
  directory,
}) => {
  const list = async (env: Record<string, string>) => {
    const command = [process.execPath, '--import', 'tsx', 'server/cli.ts', 'ca', '--url', server.https];
    const program = startProgram(command, { TWIN_TOKEN: server.token, ...env });
    return { code: (await program.ended).code, said: program.lines.join('\n') };
  };
  const ca = join(directory, 'ca.crt');
  assert.equal(await list({ NODE_EXTRA_CA_CERTS: ca }), {
    code: 0,
    said: readFileSync(ca, 'utf8').trimEnd(),
  });
  const { code, said } = await list({});
  assert.is(code, 1);
  assert.match(said, /^twin: no answer from https:.*: its authority is not trusted: set NODE_EXTRA_CA_CERTS/);
});

test('the panel on desktop XS comes in by its certificate, and not to a server of another authority', async ({
  server,
  device,
  directory,
}) => {
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const start = (ca: string): Program =>
    startProgram([
      ...[process.execPath, '--import', 'tsx', 'firmware/desktop/command-line.ts', '--json', '--trace'],
      ...['--server', server.mqtts, '--device', device.id, '--flash', join(directory, `flash-${device.id}`)],
      ...['--ca', ca, '--cert', file('panel.crt', device.certificate.crt)],
      ...['--key', file('panel.key', device.certificate.key)],
    ]);
  const panel = start(join(directory, 'ca.crt'));
  await panel.line((line) => (line.includes('"online":true') ? line : undefined));
  await until(async () => (await server.api(`/twins/${device.id}/documents/current`)).ok);
  await panel.stop();
  const deceived = start(file('other.crt', (await openAuthority()).certificate));
  await deceived.line((line) => (line.includes('network fault') ? line : undefined));
  assert.not(deceived.lines.some((line) => line.includes('"online":true')));
  await deceived.stop();
});

test('every file that holds a key is for its owner alone, and no key of a device is kept', async ({
  server,
  device,
}) => {
  const files = readdirSync(server.data, { recursive: true, withFileTypes: true })
    // The server renames its temporary files at any moment.
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.tmp'))
    .map(({ parentPath, name }) => join(parentPath, name));
  const withKey = files.filter((path) => readFileSync(path, 'latin1').includes('PRIVATE KEY'));
  assert.equal(
    withKey.sort(),
    ['authority.pem', 'server.pem'].map((name) => join(server.data, 'tls', name)),
  );
  for (const path of withKey) assert.is(statSync(path).mode & 0o777, 0o600, path);
  const secret = device.certificate.key.split('\n')[1] ?? '';
  assert.ok(secret.length > 40);
  assert.equal(
    files.filter((path) => readFileSync(path, 'latin1').includes(secret)),
    [],
  );
  assert.not(server.program.lines.some((line) => line.includes(secret) || line.includes('PRIVATE KEY')));
});

test('files that were given and are replaced are shown at every listener, without a restart', async ({
  directory,
}) => {
  const authority = await openAuthority();
  const [cert, key] = [join(directory, 'given.crt'), join(directory, 'given.key')];
  const give = async () => {
    const pair = await serverCertificate(authority);
    writeFileSync(key, pair.key);
    writeFileSync(cert, pair.certificate);
    return new X509Certificate(pair.certificate).fingerprint256;
  };
  const first = await give();
  const env = { TWIN_TLS_CERT: cert, TWIN_TLS_KEY: key };
  const server = await startServer({ env, limits: { tls: { checkMs: 20 } } });
  const shown = () => Promise.all([server.https, server.mqtts].map((url) => shownAt(url, authority)));
  assert.equal(await shown(), [first, first]);
  const second = await give();
  await until(async () => (await shown()).every((fingerprint) => fingerprint === second));
  assert.equal(await server.stop(), { code: 0, signal: null });
});

/** The fingerprint of the certificate that a server shows. */
async function shownAt(url: string, { certificate }: Authority): Promise<string | undefined> {
  const { hostname, port } = new URL(url);
  const socket = connectTls({ host: hostname, port: Number(port), ca: certificate });
  await once(socket, 'secureConnect');
  const shown = socket.getPeerX509Certificate()?.fingerprint256;
  socket.destroy();
  return shown;
}

test('the hub tells where devices come by TLS, by the first of the names', async ({ server }) => {
  const endpointOf = async (each: Server) =>
    ((await (await each.api('/hubs')).json()) as { hubs: { endpoint: string }[] }).hubs[0]?.endpoint;
  assert.is(await endpointOf(server), new URL(server.mqtts).host);
  const named = await startServer({ env: { TWIN_NAMES: 'alarm.example,192.0.2.7' } });
  assert.is(await endpointOf(named), `alarm.example:${new URL(named.mqtts).port}`);
  await named.stop();
  const plain = await startServer({ env: { TWIN_MQTTS: '' } });
  assert.is(await endpointOf(plain), new URL(plain.mqtt).host);
  await plain.stop();
});

test("the fingerprint of the authority stands in the server's start line", async ({ server }) => {
  const authority = await openAuthority(join(server.data, 'tls'));
  const line = server.program.lines.find((each) => each.includes('"msg":"listening"')) ?? '';
  assert.is(JSON.parse(line).authority, `SHA-256 ${authority.fingerprint}`);
  assert.is(await authorityOf(server), authority.certificate);
});

test.run();
