import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { Authority, isSet } from './authority.js';
import { Issuer } from './issuer.js';
import type { KeyType } from './key-pair.js';
import { type CertificateSettings, givenCertificate, ownCertificate } from './server-certificate.js';
import { ServerTls } from './server-tls.js';
import { sha256Of } from './shown-certificate.js';
import { TLS_LIMITS, type TlsLimits } from './tls.js';

export interface CertificatesOptions {
  /** The data directory. */
  readonly data: string;
  readonly settings: CertificateSettings;
  /** Limits other than those of TLS_LIMITS. */
  readonly limits?: Partial<TlsLimits> | undefined;
  readonly log: Logger;
  readonly now?: () => Date;
}

export interface Certificates {
  readonly authority: Authority;
  readonly tls: ServerTls;
  /** A certificate for a device; nobody can read its key again. */
  certify(
    deviceId: string,
    keyType: KeyType,
  ): Promise<{ certificate: { crt: string; key: string }; sha256: string }>;
  close(): Promise<void>;
}

/**
 * Opens what proves identities in TLS: the authority, the server's certificate, those of the devices.
 * @throws KeyPairUnusable or the system's error, when a file holds no certificate or cannot be read or written
 */
export async function openCertificates(options: CertificatesOptions): Promise<Certificates> {
  const { settings, log, now = () => new Date() } = options;
  const limits = { ...TLS_LIMITS, ...options.limits };
  const directory = join(options.data, 'tls');
  const issuer = new Issuer();
  try {
    const authority = await Authority.open(directory, (request) => issuer.issue(request), now);
    warnOfValidity(authority, now(), log);
    const serverCertificate =
      settings.tlsCert === ''
        ? ownCertificate({ directory, authority, names: settings.names, limits, log, now })
        : givenCertificate(settings);
    const tls = await ServerTls.open({ authority, serverCertificate, limits, log, now });
    return {
      authority,
      tls,
      async certify(deviceId, keyType) {
        const wanted = { usage: 'device' as const, keyType, commonName: deviceId, names: [] };
        const { certificate, key } = await authority.issue({ ...wanted, days: limits.deviceDays });
        const sha256 = sha256Of(new X509Certificate(certificate));
        return { certificate: { crt: certificate, key }, sha256 };
      },
      async close() {
        tls.close();
        await issuer.close();
      },
    };
  } catch (error) {
    await issuer.close();
    throw error;
  }
}

const A_YEAR_MS = 365 * 24 * 60 * 60 * 1000;

/** Another authority has to be brought to every phone and board by hand, so the server does not make one by itself. */
function warnOfValidity({ notBefore, notAfter }: Authority, now: Date, log: Logger): void {
  if (isSet(now) && notBefore > now) {
    log.warn(
      `the authority of all certificates is not valid before ${notBefore.toISOString()}: ` +
        'it was made while the clock of this machine was ahead, and until then no client trusts this server',
    );
  }
  if (notAfter.getTime() - now.getTime() > A_YEAR_MS) return;
  log.warn(`the authority of all certificates ends at ${notAfter.toISOString()}, and they with it`);
}
