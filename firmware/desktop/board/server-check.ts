/** Looks at the server as the board will: what the board would refuse is said before it is flashed. */

// The X.509 library needs it first.
import 'reflect-metadata';
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { connect, type DetailedPeerCertificate } from 'node:tls';
import * as x509 from '@peculiar/x509';
import { UsageError } from '../../../shared/usage.js';

/** All that the board's TLS takes. */
const CIPHERS = 'ECDHE-ECDSA-AES128-GCM-SHA256';
const VERSION = 'TLSv1.2';
const P_256 = 'prime256v1';
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
  const fault = faultOf(chain, new X509Certificate(authority), host);
  if (fault === undefined) return undefined;
  throw new UsageError(
    `the board would refuse ${server}: ${fault}. --ca FILE is the authority of a server with TWIN_TLS_CERT`,
  );
}

/** The board takes one certificate, which the one authority that it knows has signed. */
function faultOf(
  [leaf, above, ...others]: X509Certificate[],
  authority: X509Certificate,
  host: string,
): string | undefined {
  if (leaf === undefined) return 'it has no certificate';
  const now = Date.now();
  const covers = isIP(host) === 0 ? leaf.checkHost(host, { subject: 'never' }) : leaf.checkIP(host);
  if (!leaf.checkIssued(authority) || !leaf.verify(authority.publicKey))
    return 'its certificate is not signed by the authority that the board is given';
  if (others.length > 0 || (above !== undefined && !above.raw.equals(authority.raw)))
    return 'it sends other certificates than its own and the authority';
  for (const [what, { publicKey }] of Object.entries({ certificate: leaf, authority }))
    if (publicKey.asymmetricKeyDetails?.namedCurve !== P_256) return `its ${what} has no ECDSA key on P-256`;
  if (!isSignedWithSha256(leaf)) return 'its certificate is not signed by ECDSA with SHA-256';
  if (covers === undefined) return `its certificate is not for ${host}`;
  if (now < Date.parse(leaf.validFrom)) return `its certificate begins ${leaf.validFrom}`;
  if (now > Date.parse(leaf.validTo)) return `its certificate ended ${leaf.validTo}`;
  return undefined;
}

interface SignatureAlgorithm {
  name: string;
  hash: { name: string };
}

function isSignedWithSha256({ raw }: X509Certificate): boolean {
  const { name, hash } = new x509.X509Certificate(raw).signatureAlgorithm as SignatureAlgorithm;
  return name === 'ECDSA' && hash.name === 'SHA-256';
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
