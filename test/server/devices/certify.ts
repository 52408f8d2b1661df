import { randomUUID } from 'node:crypto';
import { digest } from '../../../server/access/secret.js';
import type { IssuedCertificate } from '../../../server/devices/devices.js';
import type { KeyType } from '../../../server/tls/key-pair.js';

/** Stands for the authority where the content of a certificate does not matter: texts that are new each time. */
export async function certify(deviceId: string, keyType: KeyType): Promise<IssuedCertificate> {
  const crt = `certificate ${randomUUID()} of ${deviceId}, ${keyType}`;
  return { certificate: { crt, key: `key of ${crt}` }, sha256: digest(crt) };
}
