import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Settings } from '../config.js';
import type { Storage } from '../storage/storage.js';
import { Authority, isSet } from './authority.js';
import { fileKeeper } from './authority-keeper.js';
import { Issuer } from './issuer.js';
import type { KeyType } from './key-pair.js';
import { givenCertificate, ownCertificate } from './server-certificate.js';
import { ServerTls } from './server-tls.js';
import { sharedKeeper } from './shared-authority.js';
import { sha256Of } from './shown-certificate.js';
import { ticketKeys } from './ticket-keys.js';
import { TLS_LIMITS, type TlsLimits } from './tls.js';

export interface Certificates {
  readonly authority: Authority;
  readonly tls: ServerTls;
  /** Makes a certificate for a device. The server does not keep its key. */
  certify(
    deviceId: string,
    keyType: KeyType,
  ): Promise<{ certificate: { crt: string; key: string }; sha256: string }>;
  close(): Promise<void>;
}

/**
 * Opens the authority and the server's certificate, and makes them at the first start.
 * @throws KeyPairUnusable when a file holds no certificate, ClockNotSet, StorageUnavailable, or what the file system throws
 */
export async function openCertificates({
  settings,
  shared,
  limits: given,
  log,
  now = () => new Date(),
}: {
  readonly settings: Pick<Settings, 'data' | 'names' | 'tlsCert' | 'tlsKey' | 'authoritySecret'>;
  /** The storage where the authority is, when several servers share it. Otherwise it is in the data directory. */
  readonly shared: Storage | undefined;
  /** Limits other than those of TLS_LIMITS. */
  readonly limits?: Partial<TlsLimits> | undefined;
  readonly log: Logger;
  readonly now?: () => Date;
}): Promise<Certificates> {
  const limits = { ...TLS_LIMITS, ...given };
  const directory = join(settings.data, 'tls');
  const issuer = new Issuer();
  try {
    const own = fileKeeper(directory);
    const keeper = shared === undefined ? own : sharedKeeper(shared, settings.authoritySecret, own);
    const authority = await Authority.open(keeper, (request) => issuer.issue(request), now);
    warnOfValidity(authority, now(), log);
    const serverCertificate =
      settings.tlsCert === ''
        ? ownCertificate({ directory, authority, names: settings.names, limits, log, now })
        : givenCertificate(settings);
    const tls = await ServerTls.open({
      authority,
      serverCertificate,
      ticketKeys: ticketKeys({ directory, log, now }),
      limits,
      log,
      now,
    });
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

/** The server does not replace its authority by itself, because every phone and board needs the new one. */
function warnOfValidity({ notBefore, notAfter }: Authority, now: Date, log: Logger): void {
  if (isSet(now) && notBefore > now) {
    log.warn(
      `the authority of all certificates is not valid before ${notBefore.toISOString()}: ` +
        'it was made while the clock of this machine was ahead, and until then no client trusts this server',
    );
  }
  if (notAfter.getTime() - now.getTime() > A_YEAR_MS) return;
  log.warn(`the authority of all certificates ends at ${notAfter.toISOString()}, and so do all certificates`);
}
