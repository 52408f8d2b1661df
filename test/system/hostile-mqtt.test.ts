/** Clients of the real server that mean no good, by every transport, while an honest one is served beside them. */

import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Packet } from 'mqtt-packet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connectPacket, publishPacket, RawClient } from '../server/mqtt/raw-client.js';
import { type Ports, TCP, TRANSPORTS, type Transport } from '../server/mqtt/transports.js';
import { residentBytes } from './process.js';
import { type Credentials, createDevice, type Server, startServer } from './server.js';

const MIB = 1024 * 1024;
const PUT = '$SCW/twins/me/current/put';
const BODY = '{"data":{"door_open":true}}';
const BOMBS = 100;
/** The first round loads what the server needs for all, and any round may meet garbage that is not collected yet. */
const BOMB_ROUNDS = 5;
const SILENT = 500;
/** Between two requests of the honest client, so that its own garbage is not what is measured. */
const PACE_MS = 5;
const SILENT_LIMIT_MS = 10_000;

interface Context {
  server: Server;
  ports: Ports;
  /** Ends the honest client's asking, with how often it was answered. */
  stopAsking: () => Promise<number>;
}

const test = suite<Context>('hostile MQTT');

test.before(async (context) => {
  const server = await startServer({
    limits: { mqtt: { progressMs: 1000 } },
  });
  context.server = server;
  const portOf = (url: string) => Number(new URL(url).port);
  context.ports = { tcp: portOf(server.mqtt), tls: portOf(server.mqtts), http: portOf(server.http) };
  context.stopAsking = await startAsking(context.ports, await createDevice(server, 'honest'));
});
test.after(async ({ server, stopAsking }) => {
  assert.ok((await stopAsking()) > 0);
  assert.equal(await server.stop(), { code: 0, signal: null });
});

async function startAsking(ports: Ports, device: Credentials): Promise<() => Promise<number>> {
  const client = await RawClient.admitted({ ports }, TCP, device, '$SCW/twins/me/#');
  let going = true;
  const asking = (async () => {
    let version = 0;
    while (going) {
      client.send(publishPacket(PUT, BODY));
      assert.is((await client.message()).payload.version, ++version);
      await pause(PACE_MS);
    }
    client.vanish();
    return version;
  })();
  return () => {
    going = false;
    return asking;
  };
}

/** Of the faults of one source not every one is logged, and some here are waited for. */
const ELSEWHERE = '127.0.0.4';

/** The beginning of a CONNECT of 4 KiB. */
const LONG_CONNECT = Buffer.from([0x10, 0x80, 0x20]);
const LONGEST = Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]);

async function bomb(ports: Ports, transport: Transport): Promise<void> {
  const client = await RawClient.open({ ports }, transport, ELSEWHERE);
  client.send(LONGEST);
  for (let sent = 0; sent < MIB; sent += 64 * 1024) client.send(Buffer.alloc(64 * 1024));
  await client.closed;
}

for (const transport of TRANSPORTS) {
  test(`a length of 268,435,455 before the CONNECT costs at most 5 MB over ${transport.name}`, async ({
    server,
    ports,
  }) => {
    const growths: number[] = [];
    for (let round = 0; round < BOMB_ROUNDS; round++) {
      const before = residentBytes(server.pid);
      for (let count = 0; count < BOMBS; count++) await bomb(ports, transport);
      growths.push((residentBytes(server.pid) - before) / MIB);
    }
    assert.ok(Math.min(...growths) <= 5, `${growths.map((growth) => growth.toFixed(1)).join(', ')} MiB more`);
  });
}

/** Sends a byte a second; gives what ends that. */
function spell(client: RawClient, bytes: Iterator<number>): () => void {
  const spelling = setInterval(() => client.send(Buffer.from([bytes.next().value ?? 0])), 1000);
  return () => clearInterval(spelling);
}

async function closesInTime(client: RawClient): Promise<void> {
  let limit: NodeJS.Timeout | undefined;
  const late = new Promise((_resolve, reject) => {
    limit = setTimeout(() => reject(new Error('still open')), SILENT_LIMIT_MS);
  });
  await Promise.race([client.closed, late]).finally(() => clearTimeout(limit));
}

for (const transport of TRANSPORTS) {
  test(`${SILENT} that say nothing, or a byte a second, are each closed within 10 s over ${transport.name}`, async ({
    ports,
  }) => {
    const closing = Array.from({ length: SILENT }, async (_, index) => {
      const client = await RawClient.open({ ports }, transport, ELSEWHERE);
      const stop = index % 2 === 0 ? undefined : spell(client, LONG_CONNECT.values());
      await closesInTime(client).finally(stop);
    });
    await Promise.all(closing);
  });
}

const BIG = JSON.stringify({ data: { text: 'x'.repeat(60_000) } });
/** What is asked without end, and how much more memory the server may hold meanwhile: a write has its own way to the disk. */
const FLOODS = {
  gets: { packet: publishPacket('$SCW/twins/me/big/get', ''), most: 20 },
  puts: { packet: publishPacket('$SCW/twins/me/big/put', BIG), most: 40 },
};

/** Floods the server by one that reads nothing until it is dropped. @returns the most that the server held meanwhile */
async function flood({ server, ports }: Context, transport: Transport, packet: Packet): Promise<number> {
  const device = await createDevice(server, 'deaf');
  const client = await RawClient.admitted({ ports }, transport, device, '$SCW/twins/me/#');
  client.send(publishPacket('$SCW/twins/me/big/put', BIG));
  await client.message();
  client.stopReading();
  const flooding = setInterval(() => {
    for (let count = 0; count < 100; count++) client.send(packet);
  }, 100);
  let most = 0;
  const watching = setInterval(() => {
    most = Math.max(most, residentBytes(server.pid));
  }, 100);
  await server.program.line((line) => (line.includes('not read') && line.includes(device.id)) || undefined);
  clearInterval(flooding);
  clearInterval(watching);
  client.vanish();
  return most;
}

for (const [name, { packet, most }] of Object.entries(FLOODS)) {
  test(`a reader that never reads, flooded by its ${name}, is dropped and costs at most ${most} MB`, async (context) => {
    await flood(context, TCP, packet);
    for (const transport of TRANSPORTS) {
      const before = residentBytes(context.server.pid);
      const more = ((await flood(context, transport, packet)) - before) / MIB;
      assert.ok(more <= most, `${more.toFixed(1)} MiB more over ${transport.name}`);
    }
  });
}

/** The status of a REST request from another address of this machine, with a token that is wrong. */
const askFrom = (localAddress: string, { iotApi }: Server): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const headers = { 'X-Auth-Token': randomUUID() };
    const asked = request(`${iotApi}/devices`, { localAddress, headers }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode));
    });
    asked.on('error', reject).end();
  });

test('wrong tokens and wrong passwords of one source are counted together', async ({ server, ports }) => {
  const device = await createDevice(server, 'guessed');
  const source = '127.0.0.2';
  const connectFrom = async (from: string, password: string): Promise<number | undefined> => {
    const client = await RawClient.open({ ports }, TCP, from);
    client.send(connectPacket({ ...device, password }));
    const { returnCode } = await client.next('connack');
    client.vanish();
    return returnCode;
  };
  for (let count = 0; count < 5; count++) assert.is(await askFrom(source, server), 401);
  for (let count = 0; count < 5; count++) assert.is(await connectFrom(source, 'wrong'), 4);
  assert.is(await askFrom(source, server), 429);
  assert.is(await connectFrom(source, device.password), 3);
  assert.is(await connectFrom('127.0.0.3', device.password), 0);
});

test.run();
