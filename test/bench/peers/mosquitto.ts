import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import type { Address } from '../../../server/config.js';
import { pathOf } from '../../programs.js';
import type { Bench } from '../bench.js';
import type { Target } from '../program.js';

const HOST = '127.0.0.1';
const RETRY_MS = 20;

/** Without `set_tcp_nodelay` a PUBACK and the message behind it would wait for each other. */
const configuration = (port: number): string => `listener ${port} ${HOST}
allow_anonymous true
set_tcp_nodelay true
persistence false
log_type error
`;

/** A Mosquitto that keeps all in memory. */
export async function startMosquitto(bench: Bench): Promise<Target> {
  const address = { host: HOST, port: await freePort() };
  const path = join(await bench.directory(), 'mosquitto.conf');
  await writeFile(path, configuration(address.port));
  const program = bench.start([pathOf('mosquitto') ?? 'mosquitto', '-c', path], { role: 'subject' });
  await Promise.race([accepting(address), program.output()]);
  return { program, address };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

async function accepting({ host, port }: Address): Promise<void> {
  for (;;) {
    const socket = connect(port, host);
    const accepted = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (accepted) return;
    await after(RETRY_MS);
  }
}
