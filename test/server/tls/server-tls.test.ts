import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer } from 'node:net';
import { type ConnectionOptions, connect, createServer, type Server, type TLSSocket } from 'node:tls';
import { pino } from 'pino';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Authority } from '../../../server/tls/authority.js';
import { type KeyPair, parseKeyPair } from '../../../server/tls/key-pair.js';
import { tlsMetrics } from '../../../server/tls/metrics.js';
import { ServerTls } from '../../../server/tls/server-tls.js';
import type { ShownCertificate } from '../../../server/tls/shown-certificate.js';
import { ticketKeys } from '../../../server/tls/ticket-keys.js';
import { mutated } from '../../fuzz/mutate.js';
import { Random } from '../../fuzz/random.js';
import { needsIn } from '../../programs.js';
import { until } from '../../until.js';
import {
  daysFromNow,
  deviceCertificate,
  openAuthority,
  serverCertificate,
  temporaryDirectory,
  x509,
} from './authority.js';

const ID = 'db9ef9e3-a767-4d22-9e5f-a3c5a71519ff';
const HANDSHAKE_MS = 300;
/** Less than the life of the keys of sessions. */
const DEVICE_DAYS = 0.5;
const SEED = 4;

interface Seen {
  shown: ShownCertificate | undefined;
  reused: boolean;
}

interface Context {
  authority: Authority;
  device: KeyPair;
  tls: ServerTls;
  listener: Server;
  /** What the next looks find: a pair, or a reason why there is none. */
  given: { pair: KeyPair | Error };
  clock: { now: Date };
  log: { level: number; msg: string }[];
  /** Each finished handshake. */
  seen: Seen[];
  /** A client that trusts the authority. */
  connect(options?: ConnectionOptions): TLSSocket;
  /** The same when both sides have finished the handshake. */
  client(options?: ConnectionOptions): Promise<TLSSocket>;
}

const test = suite<Context>('TLS of the server');

test.before.each(async (context) => {
  const authority = await openAuthority();
  const given: Context['given'] = { pair: await serverCertificate(authority) };
  const clock = { now: new Date() };
  context.log = [];
  const log = pino({ level: 'info' }, { write: (line: string) => context.log.push(JSON.parse(line)) });
  const now = () => clock.now;
  const tls = await ServerTls.open({
    authority,
    serverCertificate: async () => {
      if (given.pair instanceof Error) throw given.pair;
      return given.pair;
    },
    limits: { handshakeMs: HANDSHAKE_MS, checkMs: 20 },
    ticketKeys: ticketKeys({ directory: temporaryDirectory(), log, now }),
    log,
    now,
  });
  const seen: Seen[] = [];
  const listener = createServer(tls.options, (socket) => {
    seen.push({ shown: tls.shown(socket), reused: socket.isSessionReused() });
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => socket.write(chunk));
    socket.write('welcome');
  });
  tls.attend(listener);
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  Object.assign(context, { authority, given, clock, tls, listener, seen });
  context.device = await deviceCertificate(authority, ID, DEVICE_DAYS);
  context.connect = (options = {}) =>
    connect({ port: portOf(listener), host: '127.0.0.1', ca: authority.certificate, ...options });
  context.client = async (options) => {
    const socket = context.connect(options);
    await once(socket, 'data');
    return socket;
  };
});

test.after.each(async ({ tls, listener }) => {
  tls.close();
  listener.close();
});

const portOf = (listener: Server): number => (listener.address() as AddressInfo).port;

const showing = ({ certificate, key }: KeyPair): ConnectionOptions => ({ cert: certificate, key });

/** What the server has to say to one more client. */
async function visit({ client, seen }: Context, options: ConnectionOptions): Promise<Seen | undefined> {
  (await client(options)).destroy();
  return seen.at(-1);
}

/** A session to come back with. */
async function sessionOf(context: Context, options: ConnectionOptions): Promise<Buffer> {
  const socket = context.connect(options);
  const [[session]] = await Promise.all([once(socket, 'session'), once(socket, 'data')]);
  socket.destroy();
  return session;
}

/** Resolves when a connection on which these bytes were sent is closed, in whatever way. */
function closedAfter(bytes: Buffer, listener: Server): Promise<void> {
  const socket = connectTcp(portOf(listener), '127.0.0.1', () => socket.write(bytes));
  socket.on('error', () => undefined).resume();
  return new Promise((resolve) => socket.on('close', () => resolve()));
}

test('it speaks TLS 1.2 and 1.3, and nothing older', async ({ client, tls }) => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const socket = await client({ minVersion: version, maxVersion: version });
    assert.is(socket.getProtocol(), version);
    socket.destroy();
  }
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  try {
    await client(old);
    assert.unreachable('it speaks TLS 1.1');
  } catch (error) {
    assert.match((error as Error).message, /protocol version/);
  }
  await until(() => tls.failedHandshakes === 1);
});

test('a client without a certificate can finish the handshake', async (context) => {
  assert.equal(await visit(context, {}), { shown: undefined, reused: false });
});

test('a client with a certificate can finish the handshake, and its certificate is judged', async (context) => {
  const ours = await visit(context, showing(context.device));
  assert.is(ours?.shown?.deviceId, ID);
  assert.is(ours?.shown?.fault, undefined);
  const stranger = await deviceCertificate(await openAuthority(), ID);
  assert.is((await visit(context, showing(stranger)))?.shown?.fault, 'it is of another authority');
});

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`a resumed session of ${version} shows its certificate, which is judged again`, async (context) => {
    const options = { ...showing(context.device), maxVersion: version };
    const session = await sessionOf(context, options);
    const again = await visit(context, { ...options, session });
    assert.equal([again?.reused, again?.shown?.deviceId, again?.shown?.fault], [true, ID, undefined]);
    context.clock.now = daysFromNow(0.6);
    const late = await visit(context, { ...options, session });
    assert.equal([late?.reused, late?.shown?.fault], [true, 'it has expired']);
  });

  test(`a resumed session of ${version} does not make an unknown certificate valid`, async (context) => {
    const stranger = { ...showing(await deviceCertificate(await openAuthority(), ID)), maxVersion: version };
    const session = await sessionOf(context, stranger);
    const again = await visit(context, { ...stranger, session });
    assert.equal([again?.reused, again?.shown?.fault], [true, 'it is of another authority']);
    const without = await sessionOf(context, { maxVersion: version });
    const shown = (
      await visit(context, { ...showing(context.device), maxVersion: version, session: without })
    )?.shown;
    assert.is(shown, undefined);
  });
}

test('sessions end with their keys, which a new certificate does not bring back', async (context) => {
  const { listener, clock, given, authority, log } = context;
  const old = await sessionOf(context, {});
  const keys = listener.getTicketKeys();
  clock.now = daysFromNow(1.1);
  await until(() => !listener.getTicketKeys().equals(keys));
  assert.is((await visit(context, { session: old }))?.reused, false);
  const session = await sessionOf(context, {});
  given.pair = await serverCertificate(authority);
  await until(() => log.some(({ msg }) => msg === 'a new certificate is shown'));
  assert.is((await visit(context, { session }))?.reused, true);
  assert.is((await visit(context, { session: old }))?.reused, false);
});

test('a new certificate is shown to new clients, and the connected clients stay', async (context) => {
  const { client, given, authority, log } = context;
  const before = await client();
  const next = await serverCertificate(authority);
  given.pair = next;
  await until(() => log.some(({ msg }) => msg === 'a new certificate is shown'));
  const after = await client();
  assert.is(after.getPeerX509Certificate()?.fingerprint256, x509(next).fingerprint256);
  before.write('still there');
  assert.is(String((await once(before, 'data'))[0]), 'still there');
  for (const socket of [before, after]) socket.destroy();
});

test('when the certificate cannot be renewed the old one stays, and the reason is logged', async (context) => {
  const { client, given, log } = context;
  given.pair = new Error('gone');
  await until(() => log.filter(({ level }) => level === 50).length >= 2);
  (await client()).destroy();
});

test('a client that does not finish the handshake in time is closed and counted', async ({
  listener,
  tls,
  client,
}) => {
  const hello = Buffer.from('160301020001000', 'hex');
  const slow = [Buffer.alloc(0), hello, hello.subarray(0, 3)].map((bytes) => closedAfter(bytes, listener));
  (await client()).destroy();
  await Promise.all(slow);
  assert.is(tls.failedHandshakes, slow.length);
});

test('a client that sends something else than TLS is closed and counted, and harms no other', async ({
  listener,
  tls,
  client,
}) => {
  const honest = await client();
  const garbage = [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.from('102400064d5154540402003c000e', 'hex'),
    Buffer.alloc(70_000, 0xff),
    Buffer.from('1603030005010000ff', 'hex'),
    Buffer.from('150301000202', 'hex'),
    Buffer.from('160301ffff', 'hex'),
  ];
  await Promise.all(garbage.map((bytes) => closedAfter(bytes, listener)));
  assert.is(tls.failedHandshakes, garbage.length);
  honest.write('unharmed');
  assert.is(String((await once(honest, 'data'))[0]), 'unharmed');
  honest.destroy();
});

test('a handshake with random errors ends, and harms no other client', async (context) => {
  const { listener, client } = context;
  const hello = await helloOf(context);
  const honest = await client();
  for (let round = 0; round < 20; round += 1) {
    const rounds = Array.from({ length: 20 }, (_, n) => new Random(SEED, 20 * round + n));
    await Promise.all(rounds.map((random) => closedAfter(mutated(hello, random), listener)));
    honest.write('unharmed');
    assert.is(String((await once(honest, 'data'))[0]), 'unharmed');
  }
  honest.destroy();
});

/** What a client sends first. */
async function helloOf({ device }: Context): Promise<Buffer> {
  const listener = createTcpServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const client = connect({ port: (listener.address() as AddressInfo).port, ...showing(device) });
  client.on('error', () => undefined);
  const [socket] = await once(listener, 'connection');
  const [hello] = await once(socket, 'data');
  client.destroy();
  socket.destroy();
  listener.close();
  return hello;
}

needsIn(test, 'openssl')(
  'a client that shows a certificate without a subject is not a device',
  async (context) => {
    const text = execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/', '-days', '3', '-keyout', '-'],
      { stdio: 'pipe', encoding: 'utf8' },
    );
    const { shown } = (await visit(context, showing(parseKeyPair(text, text, 'text')))) ?? {};
    assert.equal([shown?.deviceId, shown?.fault], ['', 'it is of another authority']);
  },
);

test('the metrics show failed handshakes and when the certificates end', async (context) => {
  const { listener, tls, authority, given } = context;
  await closedAfter(Buffer.from('garbage'), listener);
  const numbers = tlsMetrics(tls, authority).map(({ name, read }) => [name, read()]);
  assert.equal(Object.fromEntries(numbers), {
    twin_tls_handshakes_failed_total: 1,
    twin_tls_certificate_end_seconds: new Date(x509(given.pair as KeyPair).validTo).getTime() / 1000,
    twin_tls_authority_end_seconds: new Date(authority.x509.validTo).getTime() / 1000,
  });
});

test('a client may not negotiate again', async ({ client }) => {
  const socket = await client({ maxVersion: 'TLSv1.2' });
  const refused = new Promise<Error | null>((resolve) => {
    socket.on('error', resolve);
    socket.renegotiate({}, (error) => resolve(error));
  });
  assert.match((await refused)?.message ?? 'it was negotiated', /no renegotiation/);
  socket.destroy();
  (await client()).destroy();
});

test.run();
