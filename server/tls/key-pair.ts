import { createPrivateKey, X509Certificate } from 'node:crypto';

/** A certificate, which others that lead to its authority may follow, and its key, in PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** The file does not hold a certificate with its key. The message is one line that names it. */
export class KeyPairDamaged extends Error {
  override name = 'KeyPairDamaged';
}

/**
 * Reads PEM blocks whatever stands around them.
 * @param path named in the error
 * @throws KeyPairDamaged when there is no certificate, no key, or one that is not the other's
 */
export function parseKeyPair(certificates: string, key: string, path: string): KeyPair {
  const pair = { certificate: blocks(certificates, 'CERTIFICATE'), key: blocks(key, '[A-Z ]*PRIVATE KEY') };
  if (pair.certificate === '') throw new KeyPairDamaged(`${path} holds no certificate in PEM`);
  if (pair.key === '') throw new KeyPairDamaged(`${path} holds no key in PEM`);
  if (!belongTogether(pair, path)) throw new KeyPairDamaged(`${path}: the key is not the certificate's`);
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
    throw new KeyPairDamaged(`${path}: ${(error as Error).message}`);
  }
}
