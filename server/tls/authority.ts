import { randomBytes, X509Certificate } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { AuthorityKeeper } from './authority-keeper.js';
import type { CertificateRequest } from './issue.js';
import { type KeyPair, KeyPairUnusable, parseKeyPair } from './key-pair.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const YEARS_10 = 3652;
/** How many certificates are remembered. */
const SIGNED = 10_000;
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
  /** The certificates that it was seen to have signed, by their SHA-256. To verify one takes a tenth of a millisecond. */
  readonly #signed = new LRUCache<string, true>({ max: SIGNED });
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
   * Opens the authority, or makes it.
   * @throws ClockNotSet when it must be made. KeyPairUnusable when what is kept is no authority. It is not replaced,
   * because a new authority would shut out every device.
   */
  static async open(keeper: AuthorityKeeper, issue: Issue, now = () => new Date()): Promise<Authority> {
    const known = await keeper.read();
    const text = known ?? (await keeper.keep(await makeAuthority(issue, now())));
    return new Authority(parseAuthority(text, keeper.place), issue, now);
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
    const { fingerprint256 } = certificate;
    if (this.#signed.has(fingerprint256)) return true;
    const isSigned = certificate.checkIssued(this.x509) && certificate.verify(this.x509.publicKey);
    if (isSigned) this.#signed.set(fingerprint256, true);
    return isSigned;
  }
}

const validity = (days: number, now: Date) => ({
  notBefore: new Date(now.getTime() - LATE_CLOCK_MS),
  notAfter: new Date(now.getTime() + days * DAY_MS),
});

/** @throws ClockNotSet */
async function makeAuthority(issue: Issue, now: Date): Promise<string> {
  if (!isSet(now)) throw new ClockNotSet(now);
  const commonName = `alarm-twin authority ${randomBytes(3).toString('hex')}`;
  const wanted = { usage: 'authority' as const, commonName, names: [] };
  const { certificate, key } = await issue({ ...wanted, ...validity(YEARS_10, now), issuer: undefined });
  return certificate + key;
}

/** @param place where the text was found @throws KeyPairUnusable */
export function parseAuthority(text: string, place: string): KeyPair {
  const advice = 'put it back from a backup; without it every device needs a new certificate';
  try {
    const pair = parseKeyPair(text, text, place);
    if (new X509Certificate(pair.certificate).ca) return pair;
  } catch (error) {
    throw new KeyPairUnusable(`${(error as Error).message}: ${advice}`);
  }
  throw new KeyPairUnusable(`${place} holds no certificate of an authority: ${advice}`);
}
