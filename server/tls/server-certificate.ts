import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Settings } from '../config.js';
import { serverNames } from '../names.js';
import { type Authority, isSet } from './authority.js';
import { type KeyPair, KeyPairUnusable, parseKeyPair } from './key-pair.js';
import { readPrivate, writePrivate } from './private-file.js';
import type { TlsLimits } from './tls.js';

/** Returns the certificate that the server must use now, the same one or a new one. */
export type ServerCertificate = () => Promise<KeyPair>;

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * The pair in the files of the settings. It is read each time, because it is renewed by replacing the files.
 * @throws KeyPairUnusable
 */
export const givenCertificate =
  ({ tlsCert, tlsKey }: Pick<Settings, 'tlsCert' | 'tlsKey'>): ServerCertificate =>
  async () => {
    const certificate = await readGiven('TWIN_TLS_CERT', tlsCert);
    const key = await readGiven('TWIN_TLS_KEY', tlsKey);
    return parseKeyPair(certificate, key, tlsCert === tlsKey ? tlsCert : `${tlsCert} with ${tlsKey}`);
  };

async function readGiven(variable: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new KeyPairUnusable(`${variable}=${path} cannot be read: ${(error as Error).message}`);
  }
}

/**
 * The server's own certificate, which is kept in a file. It is made again when it is missing, not valid yet or ends
 * soon, when it lacks a name, and when the authority is another one.
 */
export function ownCertificate({
  directory,
  authority,
  names: given,
  limits,
  log,
  now = () => new Date(),
}: {
  /** The directory of its file. */
  readonly directory: string;
  readonly authority: Authority;
  /** The given names. An empty list means those of this machine. */
  readonly names: readonly string[];
  readonly limits: Pick<TlsLimits, 'serverDays' | 'renewDays'>;
  readonly log: Logger;
  readonly now?: () => Date;
}): ServerCertificate {
  const path = join(directory, 'server.pem');
  return async () => {
    const names = serverNames(given);
    const kept = await readKept(path, log);
    const fault =
      kept === undefined ? 'there is none' : faultOf(new X509Certificate(kept.certificate), names);
    if (kept !== undefined && fault === undefined) return kept;
    const made = await authority.issue({
      usage: 'server',
      commonName: names[0] ?? 'localhost',
      names: names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
      days: limits.serverDays,
    });
    await writePrivate(path, made.certificate + made.key);
    log.info({ names, because: fault }, 'made a certificate for the server');
    return made;
  };

  function faultOf(certificate: X509Certificate, names: readonly string[]): string | undefined {
    const at = now();
    const left = new Date(certificate.validTo).getTime() - at.getTime();
    if (!authority.signed(certificate)) return 'it is of another authority';
    // Then it was made while the clock was ahead, unless the present time is wrong.
    if (isSet(at) && new Date(certificate.validFrom) > at) return 'it is not valid yet';
    // When it ends together with the authority, a new one would not last longer.
    const renews = left < limits.renewDays * DAY_MS && certificate.validTo !== authority.x509.validTo;
    if (renews) return 'it ends soon';
    if (!names.every((name) => covers(certificate, name))) return 'it lacks a name';
    // A machine's addresses come and go. A given name is removed on purpose.
    const more = namesIn(certificate) > names.length;
    return more && given.length > 0 ? 'it has a name that is not wanted any more' : undefined;
  }
}

const covers = (certificate: X509Certificate, name: string): boolean =>
  isIP(name) === 0
    ? certificate.checkHost(name, { subject: 'never' }) !== undefined
    : certificate.checkIP(name) !== undefined;

const namesIn = (certificate: X509Certificate): number =>
  (certificate.subjectAltName ?? '').split(', ').length;

/** A damaged file is only logged, because the certificate can be made again. */
async function readKept(path: string, log: Logger): Promise<KeyPair | undefined> {
  const text = await readPrivate(path);
  try {
    return text === undefined ? undefined : parseKeyPair(text, text, path);
  } catch (error) {
    if (!(error instanceof KeyPairUnusable)) throw error;
    log.warn({ reason: error.message }, 'the certificate of the server is damaged and is made again');
    return undefined;
  }
}
