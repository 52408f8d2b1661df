import { createPrivateKey, X509Certificate } from 'node:crypto';

/** A certificate and its key, in PEM. The certificates that lead to its authority may follow it. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** ECDSA on P-256, or RSA with 2048 bits. An RSA key takes much longer to make. */
export type KeyType = 'ecdsa' | 'rsa';

/** A file does not hold a certificate with its key. The message is one line that names the file. */
export class KeyPairUnusable extends Error {
  override name = 'KeyPairUnusable';
}

/**
 * Reads the PEM blocks in two texts.
 * @param path named in the error
 * @throws KeyPairUnusable when the certificate or the key is missing, or when they do not belong together
 */
export function parseKeyPair(certificates: string, key: string, path: string): KeyPair {
  const pair = { certificate: blocks(certificates, 'CERTIFICATE'), key: blocks(key, '[A-Z ]*PRIVATE KEY') };
  if (pair.certificate === '') throw new KeyPairUnusable(`${path} holds no certificate in PEM`);
  if (pair.key === '') throw new KeyPairUnusable(`${path} holds no key in PEM`);
  if (!belongTogether(pair, path)) throw new KeyPairUnusable(`${path}: the key is not the certificate's`);
  return pair;
}

const blocks = (text: string, label: string): string =>
  (text.match(new RegExp(`-----BEGIN (${label})-----[^-]+-----END \\1-----`, 'g')) ?? [])
    .map((block) => `${block}\n`)
    .join('');

function belongTogether({ certificate, key }: KeyPair, path: string): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  } catch (error) {
    throw new KeyPairUnusable(`${path}: ${(error as Error).message}`);
  }
}
