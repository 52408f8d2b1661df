/** Makes certificates. Loading this file takes a quarter of a second, so `issuer.ts` loads it in another thread. */

import 'reflect-metadata';
import { createPrivateKey, KeyObject, randomBytes, webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { KeyPair, KeyType } from './key-pair.js';

type Usage = 'authority' | 'server' | 'device';

export interface CertificateRequest {
  usage: Usage;
  /** ECDSA if it is not given. */
  keyType?: KeyType;
  commonName: string;
  /** The subject's alternative names. */
  names: readonly (JsonGeneralName & { type: 'dns' | 'ip' })[];
  notBefore: Date;
  notAfter: Date;
  /** The authority that signs it. Undefined when the certificate signs itself. */
  issuer: KeyPair | undefined;
}

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const RSA = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
};
const SERIAL_BYTES = 16;

const USAGES: Record<Usage, Extension[]> = {
  authority: [
    new BasicConstraintsExtension(true, 0, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
  ],
  server: endUse(ExtendedKeyUsage.serverAuth),
  device: endUse(ExtendedKeyUsage.clientAuth),
};

function endUse(use: ExtendedKeyUsage): Extension[] {
  return [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension([use]),
  ];
}

/** A new certificate with a new key. */
export async function issue(request: CertificateRequest): Promise<KeyPair> {
  const algorithm = request.keyType === 'rsa' ? RSA : ECDSA;
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const issuer = request.issuer && (await importIssuer(request.issuer));
  const subject = [{ CN: [request.commonName] }];
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject,
    issuer: issuer?.certificate.subjectName.toJSON() ?? subject,
    notBefore: request.notBefore,
    notAfter: request.notAfter,
    publicKey: keys.publicKey,
    signingKey: issuer?.key ?? keys.privateKey,
    signingAlgorithm: ECDSA,
    extensions: [
      ...USAGES[request.usage],
      ...alternativeNames(request.names),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(issuer?.certificate.publicKey ?? keys.publicKey),
    ],
  });
  return {
    certificate: `${certificate.toString('pem')}\n`,
    key: KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

async function importIssuer({ certificate, key }: KeyPair) {
  const der = createPrivateKey(key).export({ type: 'pkcs8', format: 'der' });
  return {
    certificate: new X509Certificate(certificate),
    key: await webcrypto.subtle.importKey('pkcs8', der, ECDSA, false, ['sign']),
  };
}

function alternativeNames(names: readonly JsonGeneralName[]): Extension[] {
  return names.length === 0 ? [] : [new SubjectAlternativeNameExtension([...names])];
}

/** Random, positive and not zero, in hexadecimal digits. */
function serialNumber(): string {
  const bytes = randomBytes(SERIAL_BYTES);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}
