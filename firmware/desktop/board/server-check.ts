/** Checks the server as the board will, so that no board is flashed for a server that it would refuse. */

import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { connect, type DetailedPeerCertificate } from 'node:tls';
import { UsageError } from '../../../shared/usage.js';
import { CertificateFault, provenKey } from '../../verify.js';
import { nodeP256 } from './p256.js';

/** All that the board's TLS takes. */
const CIPHERS = 'ECDHE-ECDSA-AES128-GCM-SHA256';
const VERSION = 'TLSv1.2';
const TIMEOUT_MS = 5000;

/**
 * @param authority in PEM
 * @returns why the server could not be checked: the board may reach what this machine does not
 * @throws UsageError for a server that the board would refuse
 */
export async function checkServer(server: string, authority: string): Promise<string | undefined> {
  const { hostname: host, port } = new URL(server);
  const chain = await chainOf(host, Number(port));
  if (typeof chain === 'string') return chain;
  const der = new Uint8Array(new X509Certificate(authority).raw);
  try {
    provenKey(messageOf(chain), { authority: der, host, now: Date.now }, nodeP256());
    return undefined;
  } catch (error) {
    if (!(error instanceof CertificateFault)) throw error;
    throw new UsageError(
      `the board would refuse the certificate of ${server}: ${error.message}. --ca FILE is the authority of a server with TWIN_TLS_CERT`,
    );
  }
}

/** The body of a Certificate message [RFC 5246 7.4.2]. */
function messageOf(certificates: X509Certificate[]): Uint8Array {
  const listed = certificates.map(({ raw }) => Buffer.concat([lengthOf(raw), raw]));
  const list = Buffer.concat(listed);
  return new Uint8Array(Buffer.concat([lengthOf(list), list]));
}

function lengthOf(bytes: Buffer): Buffer {
  const length = Buffer.alloc(3);
  length.writeUIntBE(bytes.length, 0, 3);
  return length;
}

/**
 * The certificates that it sends, its own first, or why there are none.
 * @throws UsageError when it has no TLS that the board can speak
 */
function chainOf(host: string, port: number): Promise<X509Certificate[] | string> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      // The caller checks the certificates as the board does.
      rejectUnauthorized: false,
      ...(isIP(host) === 0 && { servername: host }),
      minVersion: VERSION,
      maxVersion: VERSION,
      ciphers: CIPHERS,
      timeout: TIMEOUT_MS,
    });
    socket.once('secureConnect', () => {
      resolve(certificatesFrom(socket.getPeerCertificate(true)));
      socket.destroy();
    });
    socket.once('timeout', () => socket.destroy(new Error('no answer in 5 s')));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (!error.code?.startsWith('ERR_SSL')) return resolve(error.message);
      reject(
        new UsageError(`the board cannot speak to ${host}:${port}: it needs ${VERSION} with ${CIPHERS}`),
      );
    });
  });
}

/** An issuer that was not sent is the last certificate itself, or is missing. */
function certificatesFrom(leaf: DetailedPeerCertificate): X509Certificate[] {
  const chain: X509Certificate[] = [];
  for (let at = leaf; at !== undefined; at = at.issuerCertificate) {
    if (chain.some((known) => known.raw.equals(at.raw))) break;
    chain.push(new X509Certificate(at.raw));
  }
  return chain;
}
