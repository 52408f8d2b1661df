import { createPrivateKey, X509Certificate } from 'node:crypto';

/** A certificate, which others that lead to its authority may follow, and its key, in PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** ECDSA on P-256, or RSA with 2048 bits, which takes much longer to make. */
export type KeyType = 'ecdsa' | 'rsa';

/** There is no certificate with its key where one should be. The message is one line that names the file. */
export class KeyPairUnusable extends Error {
  override name = 'KeyPairUnusable';
}

/**
 * Reads PEM blocks whatever stands around them.
 * @param path named in the error
 * @throws KeyPairUnusable when there is no certificate, no key, or one that is not the other's
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
