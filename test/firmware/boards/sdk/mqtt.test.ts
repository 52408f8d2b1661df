import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { MqttOptions } from '../../../../firmware/board.js';
import { type MqttParts, openMqtt } from '../../../../firmware/boards/sdk/mqtt.js';
import { nodeP256 } from '../../../../firmware/desktop/board/p256.js';
import { Handshake } from '../../../../firmware/handshake.js';
import { SdkClient, SdkSocket } from './sdk-client.js';

const NAME = 'home.example';
const ADDRESS = '192.168.1.2';
const TO = { host: NAME, port: 1883, device: 'panel', password: 'secret' };
const CONNACK = [0x20, 2, 0];

/** A connection, its events, and what became of the name. */
function opened(parts: Partial<MqttParts> = {}, to: Parameters<typeof openMqtt>[1] = TO) {
  SdkSocket.opened.length = 0;
  const told: unknown[][] = [];
  let answer = (_address?: string): void => {};
  const options: MqttOptions = {
    keepAlive: 30_000,
    onReadable: (count, info) => told.push(['readable', count, info]),
    onWritable: (count) => told.push(['writable', count]),
    onControl: (operation, { returnCode }) => told.push(['control', operation, returnCode]),
    onClose: () => told.push(['close']),
    onError: (error) => told.push(['error', String(error)]),
  };
  const client = openMqtt(
    {
      Client: SdkClient as unknown as MqttParts['Client'],
      TCP: SdkSocket as unknown as MqttParts['TCP'],
      TLS: SdkSocket as unknown as MqttParts['TLS'],
      p256: nodeP256(),
      timers: { set: (callback) => setTimeout(callback, 0), clear: () => undefined },
      now: Date.now,
      resolve: (name, callback) => {
        answer = (address) => callback(name, address);
      },
      ...parts,
    },
    to,
    options,
  );
  return { client, told, resolve: (address?: string) => answer(address) };
}

/** The same when the server has taken the connection. */
function connected() {
  const all = opened();
  all.resolve(ADDRESS);
  all.told.length = 0;
  return { ...all, socket: SdkSocket.latest };
}

test('the SDK gets the device, the address, and the keep-alive in milliseconds', () => {
  const { resolve } = opened();
  resolve(ADDRESS);
  const { host, port, id, user, password, keepAlive } = SdkClient.latest.options;
  assert.equal([host, port, id, user, password, keepAlive], [NAME, 1883, 'panel', 'panel', 'secret', 30_000]);
  assert.is(SdkSocket.latest.options.address, ADDRESS);
});

test('a device with a certificate sends no password', () => {
  opened({}, { ...TO, password: undefined });
  assert.is(SdkClient.latest.options.password, undefined);
});

test('an accepted connection is reported with its operation', () => {
  const { socket, told } = connected();
  socket.receive([...CONNACK, 0]);
  assert.equal(told, [
    ['control', 2, 0],
    ['writable', 1000],
  ]);
});

for (const returnCode of [1, 4, 5]) {
  test(`a refusal is reported with its return code ${returnCode}, once, instead of as an error`, () => {
    const { socket, told, client } = connected();
    socket.receive([...CONNACK, returnCode]);
    assert.equal(told, [['control', 2, returnCode]]);
    client.close();
    assert.is(told.length, 1);
  });
}

test('what looks like a refusal later on is an error', () => {
  const { socket, told } = connected();
  socket.receive([...CONNACK, 0]);
  socket.receive([...CONNACK, 5]);
  assert.equal(told.at(-1), ['error', 'the connection ended']);
});

test('a first packet that is no answer to the greeting is no refusal', () => {
  const { socket, told } = connected();
  socket.receive([0x90, 3, 0, 7, 0x80]);
  socket.fail();
  assert.equal(told.at(-1), ['error', 'the connection ended']);
});

test('messages come through, and what is read and written goes through', () => {
  const { socket, told, client } = connected();
  socket.receive([...CONNACK, 0]);
  told.length = 0;
  socket.receive([0x30, 5, 0, 1, 0x61, 0x78, 0x79]);
  assert.equal(told, [['readable', 2, { topic: 'a', more: false, byteLength: 2, QoS: 0 }]]);
  assert.equal([...new Uint8Array(client.read(2))], [0x78, 0x79]);
  assert.is(client.write(new ArrayBuffer(2), { topic: 'a' }), 1000);
  assert.is(SdkClient.latest.written.length, 1);
});

test('a name that is not known is an error that says so', () => {
  const { told, resolve, client } = opened();
  resolve(undefined);
  assert.equal(told, [['error', `${NAME} is not known`]]);
  client.close();
});

test('closed while the name is being resolved, nothing is opened, told or thrown', () => {
  const { told, resolve, client } = opened();
  client.close();
  client.close();
  resolve(ADDRESS);
  assert.equal([told, SdkSocket.opened], [[], []]);
  const other = opened();
  other.client.close();
  other.resolve(undefined);
  assert.equal(other.told, []);
});

test('without the board between them, that is what the SDK throws at', () => {
  let found = (): void => {};
  const client = new SdkClient({
    host: NAME,
    port: 1,
    keepAlive: 0,
    dns: {
      io: class {
        resolve({ onResolved }: { onResolved: (host: string, address: string) => void }): void {
          found = () => onResolved(NAME, ADDRESS);
        }
      },
    },
    socket: { io: SdkSocket },
  });
  client.close();
  assert.throws(() => found(), /undefined/);
});

test('a packet at which the client throws ends the connection, and not the program', () => {
  const { socket, told } = connected();
  socket.receive([...CONNACK, 0]);
  told.length = 0;
  socket.receive([0x30, 4, 0, 1, 0xff, 0x78]);
  assert.equal(
    told.map(([what]) => what),
    ['error'],
  );
  socket.receive([0x30, 5, 0, 1, 0x61, 0x78, 0x79]);
  assert.is(told.length, 1, 'nothing is heard of it any more');
});

test('a socket that cannot be opened is an error', () => {
  class NoSocket {
    constructor() {
      throw new Error('no socket');
    }
  }
  const { told, resolve } = opened({ TCP: NoSocket as unknown as MqttParts['TCP'] });
  resolve(ADDRESS);
  assert.equal(told, [['error', 'no connection was made']]);
});

/** The SDK's TLS: it lies on a TCP socket, and throws in a callback of that when it does not trust the server. */
class TlsSocket extends SdkSocket {
  static trusts = true;
  constructor(options: SdkSocket['options'] & { TCP: { io: new (options: object) => SdkSocket } }) {
    super(options, false);
    new options.TCP.io({
      ...options,
      onReadable: () => undefined,
      onWritable: () => {
        if (!TlsSocket.trusts) throw new Error('certificate: auth err');
        this.open();
      },
    });
  }
}

const SECURE = { authority: new Uint8Array(1), clientCertificates: [new ArrayBuffer(1)] };

test('the session of TLS has the certificate of the device, keeps nothing, and a refusal is reported as well', () => {
  TlsSocket.trusts = true;
  const { told, resolve } = opened(
    { TLS: TlsSocket as unknown as MqttParts['TCP'] },
    { ...TO, secure: SECURE },
  );
  resolve(ADDRESS);
  const [tls] = SdkSocket.opened.filter((socket) => socket instanceof TlsSocket);
  const { handshake, clientCertificates, ...others } = (tls?.options.secure ?? {}) as Record<string, unknown>;
  assert.instance(handshake, Handshake);
  assert.is(clientCertificates, SECURE.clientCertificates);
  assert.equal(others, { clientKey: undefined, cache: false, tls_max_fragment_length: 4096 });
  tls?.receive([...CONNACK, 5]);
  assert.equal(told.at(-1), ['control', 2, 5]);
});

test('a server that TLS does not trust is an error that says why, and no exception', () => {
  TlsSocket.trusts = false;
  const { told, resolve } = opened(
    { TLS: TlsSocket as unknown as MqttParts['TCP'] },
    { ...TO, secure: SECURE },
  );
  resolve(ADDRESS);
  assert.equal(told, [['error', 'Error: certificate: auth err']]);
});

test.run();
