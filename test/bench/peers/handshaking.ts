import type { Bench } from '../bench.js';
import { certificateFiles } from '../certificates.js';
import { type Target, typescript } from '../program.js';
import { listening } from './listening.js';

/** Starts a bare TLS server of Node with the certificates of a server. @param data the directory of that one */
export async function startHandshakes(bench: Bench, data: string): Promise<Target> {
  const { authority, server } = certificateFiles(data);
  const command = typescript('test/bench/peers/handshakes.ts', authority, server);
  const program = bench.start(command, { role: 'subject' });
  return { program, address: await listening(program), byTls: true };
}
