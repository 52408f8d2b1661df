import type { Bench } from '../bench.js';
import { type Target, typescript } from '../program.js';
import { listening } from './listening.js';

/** @param document the constant answer to a GET @param pem a file with a certificate and its key, for TLS */
export async function startPolka(bench: Bench, document: string, pem?: string): Promise<Target> {
  const files = pem === undefined ? [] : [pem];
  const program = bench.start(typescript('test/bench/peers/polka.ts', document, ...files), {
    role: 'subject',
  });
  return { program, address: await listening(program), byTls: pem !== undefined };
}
