import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../free-port.js';
import { pathOf } from '../../programs.js';
import type { Bench } from '../bench.js';
import type { Target } from '../program.js';
import { accepting } from './listening.js';

const HOST = '127.0.0.1';

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
