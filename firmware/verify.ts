/**
 * The panel's own proof of its server: one certificate, signed by the one authority that the panel was given, and a key
 * exchange that is signed with the key of that certificate. Both by ECDSA on P-256 with SHA-256, and nothing else.
 */

import type { Fault } from './board.js';

/** What the proof is calculated with. */
export interface P256 {
  sha256(parts: Uint8Array[]): Uint8Array;
  /**
   * @param key a point without compression: 4, x, y [SEC 1, 2.3.3]
   * @param signature r and s in 32 bytes each, both within 1 … n−1
   */
  verify(key: Uint8Array, digest: Uint8Array, signature: Uint8Array): boolean;
}

export interface Expected {
  /** The certificate of the authority, in DER. */
  authority: Uint8Array;
  /** A name, or an address of IPv4. */
  host: string;
  /** The time in milliseconds since 1970. */
  now(): number;
}

/** What is wrong with the server's certificate, or with the handshake. */
type Reason =
  | 'it cannot be read'
  | 'it comes with others'
  | 'its authority is another'
  | 'it is not signed by ECDSA with SHA-256'
  | 'it has no key on P-256'
  | 'it is not valid yet'
  | 'it has ended'
  | 'it is not for a server'
  | 'it is not for this address'
  | 'its key did not sign the key exchange'
  | 'the handshake is out of order';

/** The server is not believed; the text of it is the reason alone. */
export class CertificateFault extends Error implements Fault {
  readonly kind = 'certificate';

  override toString(): string {
    return this.message;
  }
}

export function refuse(reason: Reason): never {
  throw new CertificateFault(reason);
}

/** The texts of bytes of DER: ecdsa-with-SHA256, an EC key on P-256, and identifiers of extensions [RFC 5280 4.2.1]. */
const ECDSA_WITH_SHA256 = '6,8,42,134,72,206,61,4,3,2';
const EC_KEY_ON_P256 = '6,7,42,134,72,206,61,2,1,6,8,42,134,72,206,61,3,1,7';
const ALTERNATIVE_NAME = '85,29,17';
const EXTENDED_USE = '85,29,37';
const SERVER_AUTH = '43,6,1,5,5,7,3,1';
/** Key usage and basic constraints: the extended use says more. */
const OTHERS_UNDERSTOOD = ['85,29,15', '85,29,19'];

/** The number of points of the curve [SEC 2, 2.4.2], after a byte that keeps it positive. */
const ORDER = '00ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551';
const POINT_LENGTH = 65;

/** Reads values of DER, one after the other [X.690 10.1]. (Loops over arrays and patterns take most of XS's bytecode.) */
class Der {
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Of the next value [X.680 8.6]; 0 at the end. */
  get tag(): number {
    return this.bytes[this.at] ?? 0;
  }

  /** The content of the next value; its tag must be this one, and its length in its only form. */
  value(tag = this.tag): Uint8Array {
    const bytes = this.bytes;
    const at = this.at + 2;
    const first = numberAt(bytes, at - 1, 1);
    const more = first < 0x80 ? 0 : first - 0x80;
    const length = more === 0 ? first : numberAt(bytes, at, more);
    const isShortest = first < 0x80 || (more < 3 && length >= (more === 1 ? 0x80 : 0x100));
    const end = at + more + length;
    if (this.tag !== tag || !isShortest || !(end <= bytes.length)) refuse('it cannot be read');
    this.at = end;
    return bytes.subarray(end - length, end);
  }

  /** What it has read. */
  get read(): Uint8Array {
    return this.bytes.subarray(0, this.at);
  }

  /** The values in a sequence, or in another value of that tag. */
  inner(tag = 48): Der {
    return new Der(this.value(tag));
  }

  /** The content of the last value. */
  last(tag: number): Uint8Array {
    const content = this.value(tag);
    if (this.at < this.bytes.length) refuse('it cannot be read');
    return content;
  }

  /** The same, of a bit string of whole bytes: none is left over. */
  lastBits(): Uint8Array {
    const content = this.last(3);
    if (content[0] !== 0) refuse('it cannot be read');
    return content.subarray(1);
  }
}

/** A big-endian number; NaN where there are fewer bytes. */
export function numberAt(bytes: Uint8Array, at: number, length: number): number {
  let number = 0;
  for (let index = at; index < at + length; index++) number = 256 * number + (bytes[index] ?? NaN);
  return number;
}

/** The certificate's signature, and what is signed: its fields, of version 3, up to its key [RFC 5280 4.1]. */
class Certificate {
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
  readonly begins: string;
  readonly ends: string;
  readonly key: Uint8Array;
  readonly extensions: Der;

  constructor(bytes: Uint8Array) {
    const outer = new Der(new Der(bytes).last(48));
    const fields = outer.inner();
    this.signed = outer.read;
    const algorithm = String(outer.value(48));
    this.signature = outer.lastBits();
    fields.value(160);
    fields.value(2);
    if (algorithm !== ECDSA_WITH_SHA256 || String(fields.value(48)) !== algorithm)
      refuse('it is not signed by ECDSA with SHA-256');
    fields.value(48);
    const validity = fields.inner();
    this.begins = timeIn(validity);
    this.ends = timeIn(validity);
    fields.value(48);
    const key = fields.inner();
    const kind = String(key.value(48));
    this.key = key.lastBits();
    if (kind !== EC_KEY_ON_P256 || this.key.length !== POINT_LENGTH) refuse('it has no key on P-256');
    this.extensions = new Der(new Der(fields.last(163)).last(48));
  }
}

/** As YYYYMMDDHHMMSSZ; UTCTime, with the tag 23, is of the years 1950 to 2049 [RFC 5280 4.1.2.5.1]. */
function timeIn(der: Der): string {
  const century = der.tag === 23 ? 20 : '';
  const text = textOf(der.value());
  return (century && text >= '5' ? 19 : century) + text;
}

const textOf = (bytes: Uint8Array): string => String.fromCharCode.apply(undefined, bytes as never);

/**
 * @param message the body of a Certificate message [RFC 5246 7.4.2]: the server's, and perhaps its authority's
 * @returns the public key of the server's certificate, as {@link P256} takes it
 * @throws CertificateFault
 */
export function provenKey(message: Uint8Array, expected: Expected, p256: P256): Uint8Array {
  const end = 6 + numberAt(message, 3, 3);
  if (numberAt(message, 0, 3) !== message.length - 3 || !(end <= message.length)) refuse('it cannot be read');
  if (end < message.length && String(message.subarray(end + 3)) !== String(expected.authority))
    refuse('it comes with others');

  const certificate = new Certificate(message.subarray(6, end));
  const authority = new Certificate(expected.authority);
  if (!isSigned(p256, authority.key, certificate.signature, [certificate.signed]))
    refuse('its authority is another');
  const time = new Date(expected.now()).toISOString().replace(/[-T:]|\.\d+/g, '');
  if (time < certificate.begins) refuse('it is not valid yet');
  if (time > certificate.ends) refuse('it has ended');
  checkExtensions(certificate.extensions, expected.host.toLowerCase());
  return certificate.key;
}

function checkExtensions(extensions: Der, host: string): void {
  let isNamed = false;
  while (extensions.tag) {
    const extension = extensions.inner();
    const id = String(extension.value(6));
    const isCritical = extension.tag === 1 && extension.value()[0] !== 0;
    const value = new Der(extension.last(4));
    if (id === ALTERNATIVE_NAME) isNamed = has(value, host);
    else if (id === EXTENDED_USE) {
      if (!has(value, SERVER_AUTH)) refuse('it is not for a server');
    } else if (isCritical && !OTHERS_UNDERSTOOD.includes(id)) refuse('it is not for a server');
  }
  if (!isNamed) refuse('it is not for this address');
}

/** Names of the DNS have the tag 130, addresses 135 [RFC 5280 4.2.1.6]. */
function has(value: Der, wanted: string): boolean {
  const list = value.inner();
  let found = false;
  while (list.tag) {
    const tag = list.tag;
    const item = list.value();
    const text = tag === 130 ? textOf(item).toLowerCase() : item.join(tag === 135 ? '.' : ',');
    found ||= text === wanted;
  }
  return found;
}

/** A curve by its name, secp256r1; a point of 65 bytes; then ecdsa_secp256r1_sha256 [RFC 8422 5.4]. */
const CURVE = '3,0,23,65,4';
const SCHEME_AT = 4 + POINT_LENGTH;
const SCHEME = 0x0403;

/**
 * @param message the body of a ServerKeyExchange message
 * @param randoms of the client and of the server, 32 bytes each
 * @throws CertificateFault
 */
export function checkKeyExchange(
  message: Uint8Array,
  key: Uint8Array,
  randoms: Uint8Array[],
  p256: P256,
): void {
  const signature = message.subarray(SCHEME_AT + 4);
  const isRight =
    String(message.subarray(0, 5)) === CURVE &&
    numberAt(message, SCHEME_AT, 2) === SCHEME &&
    numberAt(message, SCHEME_AT + 2, 2) === signature.length &&
    isSigned(p256, key, signature, randoms.concat(message.subarray(0, SCHEME_AT)));
  if (!isRight) refuse('its key did not sign the key exchange');
}

/** What cannot be read, or the arithmetic cannot bear, is no signature. */
function isSigned(p256: P256, key: Uint8Array, signature: Uint8Array, signed: Uint8Array[]): boolean {
  try {
    const pair = new Der(new Der(signature).last(48));
    const raw = new Uint8Array(64);
    raw.set(scalarOf(pair.value(2)));
    raw.set(scalarOf(pair.last(2)), 32);
    return p256.verify(key, p256.sha256(signed), raw);
  } catch {
    return false;
  }
}

/**
 * A number within 1 … n−1 in its shortest form, in 32 bytes: the SDK's arithmetic does not end for s = 0, and takes a shorter
 * number for another one (8.2.3).
 */
function scalarOf(value: Uint8Array): Uint8Array {
  const first = numberAt(value, 0, 1);
  const isShortest = first === 0 ? numberAt(value, 1, 1) > 0x7f : first < 0x80;
  const bytes = new Uint8Array(33);
  bytes.set(value, 33 - value.length);
  const text = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  if (!isShortest || text >= ORDER) refuse('it cannot be read');
  return bytes.subarray(1);
}
