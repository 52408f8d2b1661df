/** The faults that only a WebSocket client can have. The other suites run over every transport. */

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { WebSocket } from 'ws';
import { listen } from '../../../server/listen.js';
import type { Peer } from '../../../server/mqtt/admission.js';
import { MQTT_LIMITS } from '../../../server/mqtt/endpoint.js';
import { acceptWebSockets } from '../../../server/mqtt/websocket.js';
import { until } from '../../until.js';
import { startEndpoint, type TestEndpoint } from './endpoint.js';
import { bytesOf, connectPacket, publishPacket, subscribePacket } from './raw-client.js';
import { type Frame, frame, HANDSHAKE, OPCODES, RawWebSocket } from './raw-websocket.js';
import { NO_PROXIES, OWN_POLICY, OWN_TLS } from './transports.js';

const { binary, close, continuation, ping, pong, text } = OPCODES;
const LOOPBACK = { host: '127.0.0.1', port: 0 };
const CONNACK = Buffer.from([0x20, 2, 0, 0]);

let endpoint: TestEndpoint;

test.before(async () => {
  endpoint = await startEndpoint({ connectMs: 2000, fragments: 50, messageChunks: 50 });
});

test.after.each(() => until(() => endpoint.mqtt.counters.connections === 0));

test.after(() => endpoint.close());

const open = () => RawWebSocket.open(endpoint.ports.http);

const connectBytes = (changes: object = {}) => bytesOf(connectPacket(endpoint.devices.add(), changes));

async function admitted(): Promise<RawWebSocket> {
  const client = await open();
  client.send(frame(binary, connectBytes()));
  assert.equal((await client.next()).payload, CONNACK);
  return client;
}

const closeCode = ({ opcode, payload }: Frame) => {
  assert.is(opcode, close);
  return payload.length === 0 ? undefined : payload.readUInt16BE(0);
};

test('the subprotocol is granted also when others are offered, and compression is not', async () => {
  const { client, head } = await RawWebSocket.ask(endpoint.ports.http, {
    ...HANDSHAKE,
    'Sec-WebSocket-Protocol': 'mqttv3.1, mqtt',
    'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits',
  });
  assert.match(head, /^HTTP\/1\.1 101 /);
  assert.match(head, /\r\nSec-WebSocket-Protocol: mqtt\r\n/);
  assert.not.match(head, /extensions/i);
  client.vanish();
});

const REFUSED: readonly [why: string, status: number, headers: Record<string, string>, line?: string][] = [
  ['another path', 404, {}, 'GET / HTTP/1.1'],
  ['a path below', 404, {}, 'GET /mqtt/ HTTP/1.1'],
  ['no subprotocol', 400, { 'Sec-WebSocket-Protocol': '' }],
  ['another subprotocol', 400, { 'Sec-WebSocket-Protocol': 'mqttv3.1' }],
  ['a subprotocol in capitals', 400, { 'Sec-WebSocket-Protocol': 'MQTT' }],
  ['another version of WebSocket', 400, { 'Sec-WebSocket-Version': '99' }],
  ['no key', 400, { 'Sec-WebSocket-Key': 'none' }],
  ['another method', 405, {}, 'POST /mqtt HTTP/1.1'],
];

for (const [why, status, headers, line] of REFUSED) {
  test(`a handshake with ${why} is refused by ${status}, and makes no connection`, async () => {
    const { client, head } = await RawWebSocket.ask(endpoint.ports.http, { ...HANDSHAKE, ...headers }, line);
    assert.is(head.split(' ', 2)[1], String(status));
    await client.closed;
    assert.is(endpoint.mqtt.counters.connections, 0);
  });
}

async function serve(server: Server, parts: Partial<Parameters<typeof acceptWebSockets>[1]>) {
  const { mqtt } = endpoint;
  acceptWebSockets(server, {
    mqtt,
    policy: OWN_POLICY,
    proxies: NO_PROXIES,
    audit: () => undefined,
    ...parts,
  });
  const { port } = await listen(server, LOOPBACK);
  const end = async () => {
    const closed = once(server, 'close');
    server.close();
    await closed;
  };
  return { port, end };
}

const REFUSED_ORIGINS = [
  ['under a name that is not the server’s', 421, { Host: 'evil.example' }, 'host_refused'],
  ['from a page of another website', 403, { Origin: 'http://evil.example' }, 'origin_refused'],
  ['from a page of another website by TLS', 403, { Origin: 'https://evil.example' }, 'origin_refused'],
  ['from a page at another port', 403, { Origin: 'http://127.0.0.1:3000' }, 'origin_refused'],
  ['from a page in a sandbox', 403, { Origin: 'null' }, 'origin_refused'],
  [
    'of a program under a name that is not the server’s',
    421,
    { Host: 'evil.example', Origin: 'file://' },
    'host_refused',
  ],
] as const;

for (const [why, status, headers, event] of REFUSED_ORIGINS) {
  test(`a handshake ${why} is refused by ${status}, with a line in the audit`, async () => {
    const lines: unknown[] = [];
    const { port, end } = await serve(createServer(), { audit: (...line) => lines.push(line) });
    const { client, head } = await RawWebSocket.ask(port, { ...HANDSHAKE, ...headers });
    assert.is(head.split(' ', 2)[1], String(status));
    await client.closed;
    assert.equal(lines, [[event, { source: '127.0.0.1', via: 'mqtt' }]]);
    (await RawWebSocket.open(port)).vanish();
    await end();
  });
}

const PROGRAMS = [
  ['file://', 'as arduinoWebSockets sends it'],
  ['https://127.0.0.1', 'the own host by another scheme, as Paho 1.6 for Python sends it'],
  ['capacitor://localhost', 'of an app'],
  ['ionic://localhost', 'of an app'],
] as const;

for (const [origin, what] of PROGRAMS) {
  test(`a handshake with the origin ${origin}, ${what}, is accepted`, async () => {
    const { port, end } = await serve(createServer(), {});
    const { client, head } = await RawWebSocket.ask(port, { ...HANDSHAKE, Origin: origin });
    assert.match(head, /^HTTP\/1\.1 101 /);
    client.vanish();
    await end();
  });
}

test('a page of the server itself may shake hands', async () => {
  const { port, end } = await serve(createServer(), {});
  const own = { Host: `127.0.0.1:${port}`, Origin: `http://127.0.0.1:${port}` };
  const { client, head } = await RawWebSocket.ask(port, { ...HANDSHAKE, ...own });
  assert.match(head, /^HTTP\/1\.1 101 /);
  client.vanish();
  await end();
});

test('a handshake whose target has a host is for that host [RFC 9112, 3.2.2]', async () => {
  const { port, end } = await serve(createServer(), {});
  const ask = async (target: string, Host: string) => {
    const { client, head } = await RawWebSocket.ask(port, { ...HANDSHAKE, Host }, `GET ${target} HTTP/1.1`);
    client.vanish();
    return head.split(' ', 2)[1];
  };
  assert.is(await ask('http://127.0.0.1/mqtt', 'evil.example'), '101');
  assert.is(await ask('http://evil.example/mqtt', '127.0.0.1'), '421');
  await end();
});

test('a handshake with two Host lines, or none, is left to HTTP, which refuses it', async () => {
  const server = createServer({ requireHostHeader: false }, (_, res) => res.writeHead(400).end());
  const { port, end } = await serve(server, {});
  const { Host: _, ...hostless } = HANDSHAKE;
  for (const headers of [hostless, { ...HANDSHAKE, host: 'evil.example' }]) {
    const { client, head } = await RawWebSocket.ask(port, headers);
    assert.is(head.split(' ', 2)[1], '400');
    client.vanish();
  }
  await end();
});

test('a request that asks for another protocol than WebSocket is served as if it had not, with its body', async () => {
  const server = createServer((req, res) => {
    let body = '';
    req.on('data', (chunk) => {
      body += chunk;
    });
    req.on('end', () => res.end(`${req.method} ${req.url} ${body}`));
  });
  const { port, end } = await serve(server, {});
  const headers = {
    Host: '127.0.0.1',
    Connection: 'Upgrade, HTTP2-Settings',
    Upgrade: 'h2c',
    'HTTP2-Settings': 'AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA',
    'Content-Length': '4',
  };
  const { client, head } = await RawWebSocket.ask(port, headers, 'PUT /a?b=c HTTP/1.1', 'body');
  assert.match(head, /^HTTP\/1\.1 200 /);
  client.end();
  assert.match(await client.rest(), 'PUT /a?b=c body');
  await end();
});

test('a client over TLS counts as secure, with the certificate that it showed', async () => {
  const shown = { deviceId: 'a', sha256: 'b' };
  const peers: Peer[] = [];
  const { port, end } = await serve(createTlsServer(OWN_TLS.options), {
    mqtt: {
      limits: MQTT_LIMITS,
      serve(stream, peer) {
        peers.push(peer);
        stream.destroy();
      },
    },
    tls: { ...OWN_TLS, shown: () => shown },
  });
  const client = new WebSocket(`wss://127.0.0.1:${port}/mqtt`, 'mqtt', { rejectUnauthorized: false });
  await once(client, 'close');
  const [peer] = peers;
  assert.match(peer?.address ?? '', /^127\.0\.0\.1:\d+$/);
  assert.equal({ ...peer, address: '' }, { address: '', secure: true, certificate: shown });
  await end();
});

test('several packets in one message, and one packet in several messages, are read', async () => {
  const client = await open();
  const bytes = Buffer.concat([
    connectBytes(),
    ...[subscribePacket('$SCW/twins/me/#'), publishPacket('$SCW/twins/me/a/put', '{"data":{}}')].map(bytesOf),
  ]);
  client.send(
    frame(binary, bytes.subarray(0, 1)),
    frame(binary),
    frame(binary, bytes.subarray(1, 40), { last: false }),
    frame(ping, Buffer.from('between')),
    frame(continuation, bytes.subarray(40)),
  );
  assert.equal(await client.next(), { opcode: pong, payload: Buffer.from('between') });
  let answers = '';
  while (!answers.includes('"version":1')) {
    const { opcode, payload } = await client.next();
    assert.is(opcode, binary);
    answers += payload.toString('latin1');
  }
  client.vanish();
});

test('one message may hold a packet of the greatest allowed length', async () => {
  const client = await admitted();
  const topic = '$SCW/twins/me/big/get';
  const longest = bytesOf(publishPacket(topic, 'x'.repeat(128 * 1024 - topic.length - 2)));
  client.send(frame(binary, bytesOf(subscribePacket('$SCW/twins/me/#'))), frame(binary, longest));
  await client.next();
  assert.match((await client.next()).payload.toString(), 'document not found');
  client.vanish();
});

test('a closing handshake is answered and ends the session', async () => {
  const client = await admitted();
  const gone = once(endpoint.devices, 'disconnected');
  client.send(frame(close, Buffer.from([0x03, 0xe8])));
  assert.is(closeCode(await client.next()), 1000);
  client.end();
  await Promise.all([client.closed, gone]);
});

const WRONG: readonly [why: string, code: number, frames: Buffer[]][] = [
  ['text, even of a CONNECT', 1003, [frame(text, Buffer.from('\x10\x00'))]],
  ['an empty text', 1003, [frame(text)]],
  ['text that is not UTF-8', 1007, [frame(text, Buffer.from([0xff]))]],
  ['a frame that is not masked', 1002, [frame(binary, Buffer.from([0]), { masked: false })]],
  ['a frame of an unknown kind', 1002, [frame(3)]],
  ['a compressed frame', 1002, [frame(0x40 | binary, Buffer.from([0]))]],
  ['a ping in parts', 1002, [frame(ping, Buffer.alloc(0), { last: false })]],
  ['a part of nothing', 1002, [frame(continuation)]],
  ['a message over 128 KiB', 1009, [frame(binary, Buffer.alloc(0), { claims: 128 * 1024 + 6 })]],
  ['a message of 2^40 bytes', 1009, [frame(binary, Buffer.alloc(0), { claims: 2 ** 40 })]],
  [
    'a message in more parts than are allowed',
    1008,
    [frame(binary, Buffer.alloc(1), { last: false })].concat(
      new Array<Buffer>(50).fill(frame(continuation, Buffer.alloc(1), { last: false })),
    ),
  ],
];

for (const [why, code, frames] of WRONG) {
  for (const [when, start] of [
    ['first', open],
    ['later', admitted],
  ] as const) {
    test(`${why}, ${when}, closes the connection by ${code}`, async () => {
      const client = await start();
      const { dropped } = endpoint.mqtt.counters;
      endpoint.log.length = 0;
      client.send(...frames);
      assert.is(closeCode(await client.next()), code);
      await client.closed;
      assert.is(endpoint.mqtt.counters.dropped, dropped + 1);
      assert.is(endpoint.log.filter(({ level }) => level >= 40).length, 1);
    });
  }
}

test('before the CONNECT no message may be longer than a CONNECT, whatever its length field says', async () => {
  for (const claims of [9000, 128 * 1024]) {
    const client = await open();
    client.send(frame(binary, Buffer.alloc(9000, connectBytes().subarray(0, 1)), { claims: claims + 1 }));
    const line = endpoint.logged(/before the CONNECT/);
    const more = setInterval(() => client.send(Buffer.alloc(1)), 1);
    await line;
    clearInterval(more);
    await client.closed;
  }
});

test('the packet after the CONNECT may be long', async () => {
  const client = await open();
  const long = bytesOf(publishPacket('elsewhere', 'x'.repeat(100_000), { qos: 1, messageId: 7 }));
  client.send(frame(binary, connectBytes()), frame(binary, long));
  let answers = Buffer.alloc(0);
  while (answers.length < 8) answers = Buffer.concat([answers, (await client.next()).payload]);
  assert.equal(answers, Buffer.concat([CONNACK, Buffer.from([0x40, 2, 0, 7])]));
  client.vanish();
});

test('a WebSocket may be silent for longer than an HTTP connection', async () => {
  const server = createServer();
  server.timeout = 100;
  const { port, end } = await serve(server, {});
  const client = await RawWebSocket.open(port);
  const silent = connect(port, '127.0.0.1');
  await once(silent.resume(), 'close');
  client.send(frame(ping));
  assert.is((await client.next()).opcode, pong);
  client.vanish();
  await end();
});

test('pings of WebSocket do not count for the keep-alive, and a client that does not read their answers is closed', async () => {
  const client = await open();
  client.send(frame(binary, connectBytes({ keepalive: 1 })));
  await client.next();
  const pings = setInterval(() => client.send(frame(ping)), 50);
  await endpoint.logged(/MQTT-3\.1\.2-24/);
  clearInterval(pings);
  await client.closed;

  const deaf = await admitted();
  deaf.stopReading();
  const flood = Buffer.concat(new Array<Buffer>(1000).fill(frame(ping, Buffer.alloc(125))));
  const lost = endpoint.logged(/lost/);
  const flooding = setInterval(() => deaf.send(flood), 0);
  await lost;
  clearInterval(flooding);
  deaf.vanish();
});

test.run();
