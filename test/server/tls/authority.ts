/** An authority in a directory of its own, and certificates of it, made in this thread. */

import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Authority } from '../../../server/tls/authority.js';
import { fileKeeper } from '../../../server/tls/authority-keeper.js';
import { issue } from '../../../server/tls/issue.js';
import type { KeyPair } from '../../../server/tls/key-pair.js';

const directories: string[] = [];

process.on('exit', () => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

/** A new one, which goes with the process. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'twin-tls-'));
  directories.push(directory);
  return directory;
}

export const openAuthority = (
  directory = temporaryDirectory(),
  now: () => Date = () => new Date(),
): Promise<Authority> => Authority.open(fileKeeper(directory), issue, now);

export const DAY_MS = 24 * 60 * 60 * 1000;

export const daysFromNow = (days: number): Date => new Date(Date.now() + days * DAY_MS);

export const deviceCertificate = (authority: Authority, deviceId: string, days = 30): Promise<KeyPair> =>
  authority.issue({ usage: 'device', commonName: deviceId, names: [], days });

export const serverCertificate = (authority: Authority, days = 30): Promise<KeyPair> =>
  authority.issue({
    usage: 'server',
    commonName: 'localhost',
    names: [
      { type: 'dns', value: 'localhost' },
      { type: 'ip', value: '127.0.0.1' },
    ],
    days,
  });

export const x509 = ({ certificate }: KeyPair): X509Certificate => new X509Certificate(certificate);
