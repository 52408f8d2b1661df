import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../free-port.js';
import { pathOf } from '../../programs.js';
import type { Bench } from '../bench.js';
import { certificateFiles } from '../certificates.js';
import type { Target } from '../program.js';
import { accepting } from './listening.js';

const HOST = '127.0.0.1';

/** Without `set_tcp_nodelay` a PUBACK and the message behind it would wait for each other. */
const plain = (port: number): string => `listener ${port} ${HOST}
allow_anonymous true
set_tcp_nodelay true
persistence false
log_type error
`;

/** As root it would read the files of certificates as another user, who may not. */
function withTls(port: number, data: string): string {
  const { authority, server } = certificateFiles(data);
  return `user root
${plain(port)}cafile ${authority}
certfile ${server}
keyfile ${server}
require_certificate true
`;
}

/**
 * A Mosquitto that keeps all in memory.
 * @param data a server's directory. With it, it speaks TLS with that server's certificate, to clients that show one of the
 * same authority.
 */
export async function startMosquitto(bench: Bench, data?: string): Promise<Target> {
  const address = { host: HOST, port: await freePort() };
  const path = join(await bench.directory(), 'mosquitto.conf');
  await writeFile(path, data === undefined ? plain(address.port) : withTls(address.port, data));
  const program = bench.start([pathOf('mosquitto') ?? 'mosquitto', '-c', path], { role: 'subject' });
  await Promise.race([accepting(address), program.output()]);
  return { program, address, byTls: data !== undefined };
}
