/** TLS sessions of the real server, which clients resume after it was restarted on the same data directory. */

import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type SecureVersion, type TLSSocket } from 'node:tls';
import { generate } from 'mqtt-packet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CONNACK } from '../../server/mqtt/packet.js';
import { temporaryDirectory } from '../server/tls/authority.js';
import {
  authorityOf,
  type Credentials,
  createDevice,
  renewDevice,
  type Server,
  startServer,
} from './server.js';

const VERSIONS: readonly SecureVersion[] = ['TLSv1.2', 'TLSv1.3'];
const LISTENERS = ['mqtts', 'https'] as const;

interface Context {
  server: Server;
  ca: string;
  restart(whileStopped?: () => void): Promise<void>;
}

/** A client that has left, and what it comes back with. */
interface Client {
  readonly listener: (typeof LISTENERS)[number];
  readonly version: SecureVersion;
  readonly device: Credentials;
  session?: Buffer;
}

const test = suite<Context>('TLS sessions');

test.before.each(async (context) => {
  const data = temporaryDirectory();
  context.server = await startServer({ data });
  context.ca = await authorityOf(context.server);
  context.restart = async (whileStopped = () => undefined) => {
    const { token } = context.server;
    await context.server.stop();
    whileStopped();
    context.server = await startServer({ data, token });
  };
});
test.after.each(async ({ server }) => {
  assert.equal(await server.stop(), { code: 0, signal: null });
});

function dial({ server, ca }: Context, { listener, version, device, session }: Client): TLSSocket {
  const { hostname, port } = new URL(server[listener]);
  const { crt: cert, key } = device.certificate;
  const versions = { minVersion: version, maxVersion: version };
  return connect({ host: hostname, port: Number(port), ca, cert, key, session, ...versions }).resume();
}

async function takeSession(context: Context, client: Client): Promise<void> {
  const socket = dial(context, client);
  const [[session]] = await Promise.all([once(socket, 'session'), once(socket, 'secureConnect')]);
  client.session = session;
  socket.destroy();
}

async function isResumed(context: Context, client: Client): Promise<boolean> {
  const socket = dial(context, client);
  await once(socket, 'secureConnect');
  const isReused = socket.isSessionReused();
  socket.destroy();
  return isReused;
}

/** Whether the session of a client is resumed, and the answer to its CONNECT. */
async function comeBack(context: Context, client: Client): Promise<{ resumed: boolean; connack: number }> {
  const socket = dial(context, client);
  socket.write(generate({ cmd: 'connect', clientId: client.device.id, clean: true, keepalive: 0 }));
  const [packet] = (await once(socket, 'data')) as [Buffer];
  const resumed = socket.isSessionReused();
  socket.destroy();
  return { resumed, connack: packet[3] ?? -1 };
}

const clientsOf = (device: Credentials): Client[] =>
  LISTENERS.flatMap((listener) => VERSIONS.map((version) => ({ listener, version, device })));

async function areResumed(context: Context, clients: readonly Client[]): Promise<boolean[]> {
  const found: boolean[] = [];
  for (const client of clients) found.push(await isResumed(context, client));
  return found;
}

test('sessions are resumed after a restart, until their keys were renewed', async (context) => {
  const clients = clientsOf(await createDevice(context.server, 'house'));
  for (const client of clients) await takeSession(context, client);
  await context.restart();
  assert.equal(await areResumed(context, clients), [true, true, true, true]);
  const file = join(context.server.data, 'tls', 'ticket-keys.txt');
  const kept = readFileSync(file, 'utf8');
  await context.restart(() => writeFileSync(file, kept.replace(/^.*/, '2024-01-01T00:00:00.000Z')));
  assert.equal(await areResumed(context, clients), [false, false, false, false]);
  assert.is.not(readFileSync(file, 'utf8').split('\n')[1], kept.split('\n')[1]);
});

test('a resumed session does not let in a device that may not come in any more', async (context) => {
  const { server } = context;
  const states: Record<string, (id: string) => Promise<unknown>> = {
    unchanged: async () => undefined,
    disabled: (id) => server.api(`/devices/${id}/disable`, { method: 'POST' }),
    deleted: (id) => server.api(`/devices/${id}`, { method: 'DELETE' }),
    renewed: (id) => renewDevice(server, id),
  };
  const clients: { state: string; client: Client }[] = [];
  for (const [state, change] of Object.entries(states)) {
    const device = await createDevice(server, state, { allow_insecure: false });
    for (const version of VERSIONS) {
      const client: Client = { listener: 'mqtts', version, device };
      await takeSession(context, client);
      assert.equal(await comeBack(context, client), { resumed: true, connack: CONNACK.accepted });
      clients.push({ state, client });
    }
    await change(device.id);
  }
  const refuseAllButUnchanged = async () => {
    for (const { state, client } of clients) {
      const connack = state === 'unchanged' ? CONNACK.accepted : CONNACK.notAuthorized;
      assert.equal(await comeBack(context, client), { resumed: true, connack }, `${state} ${client.version}`);
    }
  };
  await refuseAllButUnchanged();
  await context.restart();
  await refuseAllButUnchanged();
});

test.run();
