/** The Node side of a panel's MQTT connection: what it takes, what it tells, and that it leaves nothing behind. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext, createServer as createTlsServer } from 'node:tls';
import mqttPacket, { type Packet } from 'mqtt-packet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  Connection,
  type ConnectionEvent,
  type ConnectionSettings,
  type OpenRequest,
} from '../../../firmware/desktop/mqtt.js';
import { needsIn } from '../../programs.js';
import { until } from '../../until.js';
import { ScriptedServer } from './scripted-server.js';

const SETTINGS: ConnectionSettings = { partBytes: 512, sendBytes: 4096, tls: undefined };
const SUBSCRIBE = { operation: 8, items: [{ topic: 'a' }] };
const NOTHING = Buffer.alloc(0);

interface Opened {
  connection: Connection;
  events: ConnectionEvent[];
  /** What is to be called when the events have been heard; called at once unless `slow`. */
  heard: (() => void)[];
  /** Resolves when such an event has come, with the latest. */
  told<W extends ConnectionEvent['what']>(what: W): Promise<Extract<ConnectionEvent, { what: W }>>;
}

interface Context {
  server: ScriptedServer;
  open: (options?: Partial<OpenRequest>, settings?: Partial<ConnectionSettings>, slow?: boolean) => Opened;
  opened: Connection[];
}

const test = suite<Context>('connection');

test.before.each(async (context) => {
  context.server = await ScriptedServer.listen();
  context.opened = [];
  context.open = (options, settings, slow = false) => {
    const events: ConnectionEvent[] = [];
    const heard: (() => void)[] = [];
    const request = { host: '127.0.0.1', port: context.server.port, user: 'u', password: 'p', keepAlive: 0 };
    const connection = new Connection(
      { ...request, ...options },
      { ...SETTINGS, ...settings },
      (event, _bytes, done) => {
        events.push(event);
        if (slow) heard.push(done);
        else done();
      },
    );
    context.opened.push(connection);
    return {
      connection,
      events,
      heard,
      async told<W extends ConnectionEvent['what']>(what: W) {
        const find = () => events.filter((event) => event.what === what).at(-1);
        await until(() => find() !== undefined);
        return find() as Extract<ConnectionEvent, { what: W }>;
      },
    };
  };
});
test.after.each(async ({ server, opened }) => {
  for (const connection of opened) connection.close();
  await server.close();
});

test('introduces the device, and tells that it was accepted and how much it takes', async ({
  server,
  open,
}) => {
  const { told, events } = open({ keepAlive: 30_000 });
  assert.is((await told('writable')).count, 4096);
  assert.equal(events[0], { what: 'control', operation: 2, message: { returnCode: 0 } });
  const [packet] = (await server.session(0, 'connect')).packets;
  if (packet?.cmd !== 'connect') return assert.unreachable();
  const { clientId, username, password, keepalive, clean } = packet;
  assert.equal([clientId, username, String(password), keepalive, clean], ['u', 'u', 'p', 30, true]);
});

test('room that the network did not take at once is offered again when it has', async ({ server, open }) => {
  const { connection, told, events } = open();
  await told('writable');
  const { socket } = await server.session(0, 'connect');
  socket.pause();
  const payload = Buffer.alloc(3000);
  let room = 4096;
  while (room >= 3100) room = connection.write(payload, { topic: 'a' });
  events.length = 0;
  assert.throws(() => connection.write(payload, { topic: 'a' }), /overflow/);
  socket.resume();
  await until(() => events.some((event) => event.what === 'writable' && event.count === 4096));
  connection.write(payload, { topic: 'a' });
});

test('nothing fits before the server has accepted the device', ({ open }) => {
  const { connection } = open();
  assert.throws(() => connection.write(NOTHING, SUBSCRIBE), /overflow/);
});

test('while the program is busy, the socket is not read', async ({ server, open }) => {
  const { events, heard } = open({}, {}, true);
  const session = await server.session(0, 'connect');
  const message = mqttPacket.generate({
    cmd: 'publish',
    topic: 'a',
    payload: Buffer.alloc(500),
    qos: 0,
    dup: false,
    retain: false,
  });
  const many = Buffer.concat(Array.from({ length: 1000 }, () => message));
  // Until the server's own side is full.
  while (session.socket.writableLength < 1_000_000) {
    session.socket.write(many);
    await new Promise((turn) => setImmediate(turn));
  }
  const told = events.length;
  assert.ok(told < 1000, `${told} events`);
  for (const done of heard.splice(0)) done();
  await until(() => events.length > told);
});

test('half-open, it takes everything, sends nothing and tells nothing', async ({ server, open }) => {
  const { connection, told, events } = open({ keepAlive: 20 });
  await told('writable');
  const session = await server.session(0, 'pingreq');
  connection.freeze();
  const before = events.length;
  assert.is(connection.write(NOTHING, SUBSCRIBE), 4096);
  connection.write(NOTHING, { operation: 12 });
  const pings = session.packets.length;
  session.publish('a', 'b');
  // Another connection's packets go all the way meanwhile.
  const other = open({ keepAlive: 20 });
  await server.session(1, 'pingreq');
  other.connection.close();
  assert.is(events.length, before);
  assert.ok(session.packets.slice(pings).every(({ cmd }) => cmd === 'pingreq'));
  assert.not.ok(session.packets.some(({ cmd }) => cmd === 'subscribe'));
  const gone = new Promise((resolve) => session.socket.on('close', resolve));
  connection.close();
  await gone;
});

test('a lost network is an error, once, and the server sees a reset', async ({ server, open }) => {
  const { connection, told, events } = open();
  await told('writable');
  const { socket } = await server.session(0, 'connect');
  const reset = new Promise<Error>((resolve) => socket.on('error', resolve));
  connection.lose();
  connection.lose();
  assert.match((await reset).message, 'ECONNRESET');
  assert.equal(
    events.filter(({ what }) => what === 'error' || what === 'close'),
    [{ what: 'error' }],
  );
});

test('a server that is not there is an error, one that closes is a close', async ({ server, open }) => {
  await open({ port: 1 }).told('error');
  const { told } = open();
  await told('writable');
  (await server.session(0, 'connect')).socket.end();
  await told('close');
});

test('a server that speaks no MQTT is an error', async ({ server, open }) => {
  const { told, events } = open();
  await told('writable');
  (await server.session(0, 'connect')).socket.write(Buffer.alloc(64, 0xff));
  await told('error');
  assert.is(events.at(-1)?.what, 'error');
});

test('closed while it is connecting, frozen or not, it leaves no socket', async ({ open }) => {
  const before = process.getActiveResourcesInfo().filter((name) => name.startsWith('TCPSocket')).length;
  // No packet comes back from there [RFC 5737].
  for (const host of ['192.0.2.1', '192.0.2.1', '192.0.2.1', 'localhost']) {
    const { connection, events } = open({ host });
    if (events.length === 0 && host.endsWith('1')) connection.freeze();
    connection.close();
    connection.close();
    assert.equal(events, []);
  }
  await until(
    () => process.getActiveResourcesInfo().filter((name) => name.startsWith('TCPSocket')).length <= before,
  );
});

test('a port that is none is an exception', ({ open }) => {
  assert.throws(() => open({ port: 70_000 }), /Port should be/);
});

test('a server is reached by its IPv6 address', async (context) => {
  const server = await ScriptedServer.listen('::1');
  await context.open({ host: '::1', port: server.port }).told('writable');
  await server.close();
});

/** Accepts every device, over TLS. */
function tlsServer(key: Buffer, cert: Buffer): Promise<Server> {
  const server = createTlsServer({ key, cert }, (socket) => {
    const parser = mqttPacket.parser();
    parser.on('packet', (packet: Packet) => {
      if (packet.cmd === 'connect')
        socket.write(mqttPacket.generate({ cmd: 'connack', returnCode: 0, sessionPresent: false }));
    });
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => parser.parse(chunk));
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

needsIn(test, 'openssl')(
  'over TLS the server proves its name or its address, and every end of the connection works',
  async ({ open }) => {
    const directory = mkdtempSync(join(tmpdir(), 'tls-'));
    const [keyPath, certPath] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
    const subject = ['-subj', '/CN=test', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    const files = ['-keyout', keyPath, '-out', certPath];
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, ...files],
      { stdio: 'ignore' },
    );
    const [key, cert] = [readFileSync(keyPath), readFileSync(certPath)];
    rmSync(directory, { recursive: true });
    const server = await tlsServer(key, cert);
    const { port } = server.address() as AddressInfo;
    const sockets: Socket[] = [];
    server.on('connection', (socket) => sockets.push(socket));

    const trusted = { tls: createSecureContext({ ca: cert }) };
    for (const host of ['127.0.0.1', 'localhost']) {
      const lost = open({ host, port }, trusted);
      await lost.told('writable');
      lost.connection.lose();
      await lost.told('error');
      const closed = open({ host, port }, trusted);
      await closed.told('writable');
      closed.connection.close();
      const frozen = open({ host, port }, trusted);
      await frozen.told('writable');
      frozen.connection.freeze();
      frozen.connection.close();
    }
    open({ port }, trusted).connection.close();
    open({ port }, trusted).connection.lose();

    const stranger = open({ port }, { tls: createSecureContext({}) });
    await stranger.told('error');
    assert.equal(stranger.events, [{ what: 'error' }]);
    await until(() => sockets.every((socket) => socket.destroyed));
    server.close();
  },
);

test.run();
