/** The gate between TCP and TLS: what of each server gets through it, and in which turns. */

import { constants } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Duplex } from 'node:stream';
import { connect, createServer } from 'node:tls';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  FRAGMENT_LENGTH,
  gatedSocket,
  type Socket,
  type SocketOptions,
} from '../../../../firmware/boards/sdk/gate.js';
import { nodeP256 } from '../../../../firmware/desktop/board/p256.js';
import { Handshake } from '../../../../firmware/handshake.js';
import type { P256 } from '../../../../firmware/verify.js';
import { openAuthority, serverCertificate } from '../../../server/tls/authority.js';
import { until } from '../../../until.js';
import { HOST, type Impostor, makeScene, NOW, type Scene } from '../../impostors.js';
import {
  type Flight,
  flightOf,
  handshake,
  type Messages,
  messagesOf,
  RIGHT_CHOICE,
  record,
  TlsServer,
} from '../../tls-server.js';
import { NodeTcp } from './node-tcp.js';

const CLIENT_RANDOM = Buffer.alloc(32, 9);
const CLIENT_HELLO = record(22, handshake(1, Buffer.concat([Buffer.from([3, 3]), CLIENT_RANDOM])));

/** A socket beyond the gate, and what came through. */
class Beyond {
  readonly socket: Socket;
  readonly records: Buffer[] = [];
  /** What was calculated and what was handed on, each in its turn. */
  readonly turns: string[][] = [];
  fault: unknown;
  ended = false;

  constructor(port: number, { authority }: Pick<Scene, 'authority'>, host = HOST, now = NOW) {
    const p256 = nodeP256();
    const counted: P256 = {
      ...p256,
      verify: (...question) => {
        this.turns.at(-1)?.push('verify');
        return p256.verify(...question);
      },
    };
    const handshake = new Handshake({ authority, host, now: () => now }, counted);
    const guard =
      <T>(callback: ((value: T) => void) | undefined) =>
      (value: T): void => {
        if (this.fault !== undefined) return;
        try {
          this.turns.push([]);
          callback?.(value);
        } catch (error) {
          this.fault = error;
          this.socket.close();
        }
      };
    const timers = {
      set: (callback: () => void) => setImmediate(callback),
      clear: (timer: object | undefined) => clearImmediate(timer as NodeJS.Immediate | undefined),
    };
    const Gated = gatedSocket(NodeTcp, handshake, timers, guard);
    const options = {
      address: '127.0.0.1',
      port,
      onWritable: () => this.opened(),
      onReadable: (count: number) => this.take(count),
      onError: () => {
        this.ended = true;
      },
    };
    this.socket = new Gated(options as SocketOptions);
  }

  protected opened(): void {
    this.socket.write(CLIENT_HELLO);
  }

  protected take(count: number): void {
    this.turns.at(-1)?.push('record');
    const bytes = Buffer.alloc(count);
    this.socket.read(bytes.subarray(0, 5));
    this.socket.read(bytes.subarray(5));
    this.records.push(bytes);
  }

  /** What is wrong with the server, or `undefined`. */
  get reason(): unknown {
    return (this.fault as Error | undefined)?.message;
  }
}

interface Context {
  scene: Scene;
  server: TlsServer;
  right: Impostor;
}

const test = suite<Context>('gate');

test.before(async (context) => {
  context.scene = await makeScene();
  context.right = context.scene.servers[0] as Impostor;
});
test.before.each(async (context) => {
  context.server = await TlsServer.listen(honest(context.right));
});
test.after.each(({ server }) => server.close());

const honest =
  (server: Impostor): Flight =>
  (random) =>
    flightOf(messagesOf(server, random));

const COUNT = 5;

test('of a server that is right every record gets through, each whole and as it came', async ({
  server,
  scene,
  right,
}) => {
  const beyond = new Beyond(server.port, scene);
  await until(() => beyond.records.length === COUNT);
  beyond.socket.close();
  const sent = flightOf(messagesOf(right, CLIENT_RANDOM));
  assert.equal(
    beyond.records.map((each) => each[5]),
    sent.map((each) => each[5]),
  );
  assert.equal(beyond.records[1], sent[1]);
  assert.is(beyond.fault, undefined);
});

test('before the server is proved, a turn has one calculation or one record', async ({ server, scene }) => {
  const beyond = new Beyond(server.port, scene);
  await until(() => beyond.records.length === COUNT);
  beyond.socket.close();
  const busy = beyond.turns.filter((turn) => turn.length > 0);
  assert.equal(
    busy.map((turn) => turn.join()),
    ['record', 'verify', 'record', 'verify', 'record', 'record', 'record'],
  );
});

test('of an impostor nothing gets through from what is wrong on, and it is said why', async ({
  server,
  scene,
}) => {
  for (const impostor of scene.servers.filter(({ reason }) => reason !== undefined)) {
    server.flight = honest(impostor);
    const beyond = new Beyond(server.port, scene);
    await until(() => beyond.fault !== undefined);
    assert.is(beyond.reason, impostor.reason, impostor.name);
    const isOfCertificate = beyond.records.length === 1;
    assert.ok(isOfCertificate || beyond.records.length === 2, impostor.name);
  }
});

const ORDER = 'the handshake is out of order';
const inRecords = (...messages: Buffer[]): Buffer[] => messages.map((message) => record(22, message));
const CHANGE = record(20, Buffer.from([1]));

const DISORDERS: Record<string, (messages: Messages) => Buffer[]> = {
  'the end at once': ({ hello, done }) => inRecords(hello, done),
  'no certificate': ({ hello, keyExchange, done }) => inRecords(hello, keyExchange, done),
  'no key exchange': ({ hello, certificate, done }) => inRecords(hello, certificate, done),
  'a second certificate': ({ hello, certificate, keyExchange }) =>
    inRecords(hello, certificate, keyExchange, certificate),
  'a second key exchange': ({ hello, certificate, keyExchange }) =>
    inRecords(hello, certificate, keyExchange, keyExchange),
  'a second hello': ({ hello }) => inRecords(hello, hello),
  'encryption before its time': ({ hello }) => [...inRecords(hello), CHANGE],
  'encryption before the end': ({ hello, certificate, keyExchange }) => [
    ...inRecords(hello, certificate, keyExchange),
    CHANGE,
  ],
  'data before the proof': ({ hello }) => [...inRecords(hello), record(23, Buffer.from([0x20, 2, 0, 0]))],
  'a message in two records': ({ hello }) => inRecords(hello.subarray(0, 20), hello.subarray(20)),
  'a message of no known type': ({ hello }) => inRecords(hello, handshake(4, Buffer.alloc(4))),
  'messages after the end': ({ hello, certificate, keyExchange, done }) =>
    inRecords(hello, certificate, keyExchange, done, done),
};

for (const [name, records] of Object.entries(DISORDERS))
  test(`a handshake out of order is refused: ${name}`, async ({ server, scene, right }) => {
    server.flight = (random) => records(messagesOf(right, random));
    const beyond = new Beyond(server.port, scene);
    await until(() => beyond.fault !== undefined);
    assert.is(beyond.reason, ORDER);
  });

test('a hello with another choice than the only one is refused', async ({ server, scene, right }) => {
  const choices = { RSA: [0, 0x2f, 0], DHE: [0, 0x9e, 0], compression: [0xc0, 0x2b, 1], nothing: [] };
  for (const [name, choice] of Object.entries(choices)) {
    server.flight = (random) => flightOf(messagesOf(right, random, Buffer.from(choice)));
    const beyond = new Beyond(server.port, scene);
    await until(() => beyond.fault !== undefined);
    assert.is(beyond.reason, ORDER, name);
  }
  assert.equal([...RIGHT_CHOICE], [0xc0, 0x2b, 0]);
});

test('an alert ends the connection, and the TLS does not see it: it would go on without a proof', async ({
  server,
  scene,
}) => {
  server.flight = () => [record(21, Buffer.from([1, 0]))];
  const beyond = new Beyond(server.port, scene);
  await until(() => beyond.fault !== undefined);
  assert.is(beyond.reason, 'alert 0 of the server');
  assert.equal(beyond.records, []);
});

test('all messages in one record are as good', async ({ server, scene, right }) => {
  server.flight = (random) => {
    const { hello, certificate, keyExchange, request, done } = messagesOf(right, random);
    return [record(22, Buffer.concat([hello, certificate, keyExchange, request, done]))];
  };
  const beyond = new Beyond(server.port, scene);
  await until(() => beyond.records.length === 1);
  assert.is(beyond.fault, undefined);
  beyond.socket.close();
});

test('a longer record than can be asked for is refused by its header, whatever follows', async ({
  server,
  scene,
}) => {
  server.flight = () => [Buffer.from([22, 3, 3, 0x40, 0])];
  const beyond = new Beyond(server.port, scene);
  await until(() => beyond.fault !== undefined);
  assert.is(beyond.reason, 'a TLS record of 16384 bytes');
});

test('the longest record gets through, and an empty one', async ({ server, scene, right }) => {
  const longest = record(22, Buffer.alloc(FRAGMENT_LENGTH + 24));
  const empty = record(22, Buffer.alloc(0));
  server.flight = (random) => [empty, ...flightOf(messagesOf(right, random)), CHANGE, longest];
  const beyond = new Beyond(server.port, scene);
  await until(() => beyond.records.length === COUNT + 3);
  assert.equal(beyond.records.at(-1), longest);
  beyond.socket.close();
});

test('until the server is proved, the TLS can send one thing only', async ({ server, scene }) => {
  const beyond = new Beyond(server.port, scene);
  await until(() => beyond.records.length > 0);
  assert.throws(() => beyond.socket.write(record(23, Buffer.from('password'))), ORDER);
  assert.throws(() => beyond.socket.write(CLIENT_HELLO), ORDER);
  beyond.socket.close();
  assert.equal(server.heard, []);
});

/** Node's own TLS beyond the gate, in the place of the SDK's. */
class WithTls extends Beyond {
  readonly stream = new Duplex({
    read: () => undefined,
    write: (bytes, _, done) => {
      this.socket.write(bytes);
      done();
    },
  });

  protected override opened(): void {}

  protected override take(count: number): void {
    const bytes = Buffer.alloc(count);
    this.socket.read(bytes);
    this.stream.push(bytes);
  }
}

test('a real handshake with a request for a certificate gets through, and so does what follows', async () => {
  const authority = await openAuthority();
  const { certificate: cert, key } = await serverCertificate(authority);
  const ca = authority.certificate;
  const server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: false });
  server.on('secureConnection', (socket) => socket.pipe(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const der = new Uint8Array(authority.x509.raw);
  const beyond = new WithTls(port, { authority: der }, '127.0.0.1', Date.now());
  const tls = connect({
    socket: beyond.stream,
    ca,
    maxVersion: 'TLSv1.2',
    ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256',
    ecdhCurve: 'prime256v1',
    sigalgs: 'ecdsa_secp256r1_sha256',
    // The SDK's TLS asks for no ticket either.
    secureOptions: constants.SSL_OP_NO_TICKET,
    checkServerIdentity: () => undefined,
  });
  try {
    let heard = '';
    tls.on('data', (bytes) => {
      heard += bytes;
    });
    tls.write('armed');
    await until(() => heard === 'armed' || beyond.fault !== undefined);
    assert.is(beyond.fault, undefined);
  } finally {
    tls.destroy();
    beyond.socket.close();
    server.close();
  }
});

test('a server on Node keeps to the length that is asked for', async () => {
  const authority = await openAuthority();
  const { certificate: cert, key } = await serverCertificate(authority);
  const long = `${cert}${authority.certificate.repeat(12)}`;
  const server = createServer({ cert: long, key, maxVersion: 'TLSv1.2' }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const lengths: number[] = [];
  const socket = new NodeTcp({
    address: '127.0.0.1',
    port,
    onWritable: () => socket.write(asksForShortRecords()),
    onReadable: (count: number) => {
      bytes = Buffer.concat([bytes, readAll(socket, count)]);
    },
  } as SocketOptions);
  let bytes: Buffer = Buffer.alloc(0);
  try {
    await until(() => {
      lengths.length = 0;
      for (let at = 0; at + 5 <= bytes.length; at += 5 + (lengths.at(-1) ?? 0))
        lengths.push(bytes.readUInt16BE(at + 3));
      return lengths.reduce((sum, length) => sum + length, 0) > FRAGMENT_LENGTH;
    });
    assert.is(Math.max(...lengths), FRAGMENT_LENGTH);
  } finally {
    socket.close();
    server.close();
  }
});

function readAll(socket: Socket, count: number): Buffer {
  const bytes = Buffer.alloc(count);
  socket.read(bytes);
  return bytes;
}

/** A ClientHello as the SDK's TLS makes it, `tls_max_fragment_length` included: 4 stands for 4096 [RFC 6066 4]. */
function asksForShortRecords(): Buffer {
  const extensions = [
    [0, 1, 0, 1, 4],
    [0, 10, 0, 4, 0, 2, 0, 23],
    [0, 11, 0, 2, 1, 0],
    [0, 13, 0, 4, 0, 2, 4, 3],
  ].flat();
  const rest = [0, 0, 2, 0xc0, 0x2b, 1, 0, 0, extensions.length, ...extensions];
  const body = Buffer.concat([Buffer.from([3, 3]), CLIENT_RANDOM, Buffer.from(rest)]);
  return record(22, handshake(1, body));
}

test.run();
