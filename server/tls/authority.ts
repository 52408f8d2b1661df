import { randomBytes, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import type { CertificateRequest } from './issue.js';
import { type KeyPair, KeyPairUnusable, parseKeyPair } from './key-pair.js';
import { readPrivate, writePrivate } from './private-file.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const YEARS_10 = 3652;
/** A new certificate is valid from this long ago, so that a client with a late clock accepts it. */
const LATE_CLOCK_MS = DAY_MS;

/** A clock that shows an earlier time was never set, because this program did not exist then. */
const EARLIEST = new Date('2024-01-01');

/** Whether a clock that shows this time has been set. */
export const isSet = (now: Date): boolean => now >= EARLIEST;

/** A certificate that is made with such a clock would have ended when the clock is set. */
export class ClockNotSet extends Error {
  override name = 'ClockNotSet';
  constructor(now: Date) {
    super(
      `the clock of this machine says ${now.toISOString()}: set it first, because certificates are made with it`,
    );
  }
}

/** Makes a certificate with its key. */
type Issue = (request: CertificateRequest) => Promise<KeyPair>;

/** The part of a certificate that the caller chooses. */
type Wanted = Pick<CertificateRequest, 'usage' | 'keyType' | 'commonName' | 'names'> & {
  readonly days: number;
};

/** The authority that signs every certificate of this server: ECDSA P-256, valid for ten years. */
export class Authority {
  /** In PEM. */
  readonly certificate: string;
  readonly x509: X509Certificate;
  readonly #pair: KeyPair;
  readonly #issue: Issue;
  readonly #now: () => Date;

  private constructor(pair: KeyPair, issue: Issue, now: () => Date) {
    this.certificate = pair.certificate;
    this.x509 = new X509Certificate(pair.certificate);
    this.#pair = pair;
    this.#issue = issue;
    this.#now = now;
  }

  /**
   * Opens the authority in a directory, or makes it, with the directory. Certificate and key are one file, so that a
   * crash leaves both or neither. Only its owner can read the file.
   * @throws ClockNotSet when it must be made. KeyPairUnusable when the file does not hold an authority. It is not
   * replaced, because a new authority would shut out every device.
   */
  static async open(directory: string, issue: Issue, now = () => new Date()): Promise<Authority> {
    const path = join(directory, 'authority.pem');
    const known = await readPrivate(path);
    if (known !== undefined) return new Authority(parseAuthority(known, path), issue, now);
    const commonName = `alarm-twin authority ${randomBytes(3).toString('hex')}`;
    const at = now();
    if (!isSet(at)) throw new ClockNotSet(at);
    const wanted = { usage: 'authority' as const, commonName, names: [] };
    const pair = await issue({ ...wanted, ...validity(YEARS_10, at), issuer: undefined });
    await writePrivate(path, pair.certificate + pair.key);
    return new Authority(pair, issue, now);
  }

  /** From then on it is valid. */
  get notBefore(): Date {
    return new Date(this.x509.validFrom);
  }

  /** Then it ends, and every certificate that it made ends too. */
  get notAfter(): Date {
    return new Date(this.x509.validTo);
  }

  /** SHA-256 of its certificate, for people to compare: pairs of hexadecimal digits with colons between. */
  get fingerprint(): string {
    return this.x509.fingerprint256;
  }

  /** A new certificate with a new key. It ends no later than the authority does. */
  issue({ days, ...wanted }: Wanted): Promise<KeyPair> {
    const { notBefore, notAfter } = validity(days, this.#now());
    const end = notAfter < this.notAfter ? notAfter : this.notAfter;
    // The server makes its own certificate again if the clock was ahead. It cannot do that for a device.
    const begin = wanted.usage === 'device' ? this.notBefore : notBefore;
    return this.#issue({ ...wanted, notBefore: begin, notAfter: end, issuer: this.#pair });
  }

  /** Whether it has signed the certificate. */
  signed(certificate: X509Certificate): boolean {
    return certificate.checkIssued(this.x509) && certificate.verify(this.x509.publicKey);
  }
}

const validity = (days: number, now: Date) => ({
  notBefore: new Date(now.getTime() - LATE_CLOCK_MS),
  notAfter: new Date(now.getTime() + days * DAY_MS),
});

function parseAuthority(text: string, path: string): KeyPair {
  const advice = 'put it back from a backup; without it every device needs a new certificate';
  try {
    const pair = parseKeyPair(text, text, path);
    if (new X509Certificate(pair.certificate).ca) return pair;
  } catch (error) {
    throw new KeyPairUnusable(`${(error as Error).message}: ${advice}`);
  }
  throw new KeyPairUnusable(`${path} holds no certificate of an authority: ${advice}`);
}
