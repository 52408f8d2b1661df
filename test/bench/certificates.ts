/** The certificates of a server under measurement. Its peers and its devices use the same ones. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { openCertificates } from '../../server/tls/certificates.js';
import type { Bench } from './bench.js';
import type { Credentials } from './load/job.js';
import { seed } from './seed.js';

const MOST_DEVICES = 10_000;
/** Making a certificate takes more than a millisecond, and a brief run has no time for 10,000. */
const DEVICES_PER_SECOND = 2000;
/** What a server has open besides their connections, with room to spare. */
const OTHER_FILES = 1000;

/** Files in PEM, each a certificate and its key. */
export interface CertificateFiles {
  authority: string;
  server: string;
}

/** Where a server with this data directory keeps them. */
export const certificateFiles = (directory: string): CertificateFiles => ({
  authority: join(directory, 'tls', 'authority.pem'),
  server: join(directory, 'tls', 'server.pem'),
});

/**
 * Does what {@link seed} does, for devices that each have a certificate of the authority, which is made here. They are
 * 10,000, or fewer where the bench is brief or a process may not open so many files.
 */
export async function seedCertified(bench: Bench, directory: string): Promise<Credentials[]> {
  const settings = { data: directory, names: [], tlsCert: '', tlsKey: '', authoritySecret: '' };
  const log = pino({ level: 'silent' });
  const certificates = await openCertificates({ settings, shared: undefined, log });
  try {
    return await seed(bench, directory, deviceCount(bench.options.seconds), certificates.certify);
  } finally {
    await certificates.close();
  }
}

function deviceCount(seconds: number): number {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const files = Number(/^Max open files\s+\d+\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
  return Math.floor(Math.min(MOST_DEVICES, DEVICES_PER_SECOND * seconds, files - OTHER_FILES));
}
