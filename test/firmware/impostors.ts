/**
 * Servers that a panel must not believe, and some that it must: each is the messages of a handshake, made for the randoms
 * of one connection.
 */

import 'reflect-metadata';
import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  X509Certificate,
} from 'node:crypto';
import { type CertificateRequest, issue } from '../../server/tls/issue.js';
import type { KeyPair } from '../../server/tls/key-pair.js';

export const HOST = 'home.example';
/** The moment at which everything here is judged. */
export const NOW = Date.parse('2026-06-01T12:00:00Z');
const DAY_MS = 24 * 60 * 60 * 1000;
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** What the server says beside its ServerHello. */
export interface Show {
  /** In DER, its own first. */
  certificates: Buffer[];
  /** Of the ServerKeyExchange, up to the signature. */
  parameters: Buffer;
  scheme: Buffer;
  signature: (signed: Buffer) => Buffer;
}

export interface Impostor extends Show {
  name: string;
  /** Why it is refused; undefined for a server that is right. */
  reason: string | undefined;
}

export interface Scene {
  authority: Uint8Array;
  servers: Impostor[];
}

const tlv = (tag: number, content: Buffer): Buffer => {
  const { length } = content;
  const header =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...header]), content]);
};

const integer = (value: bigint): Buffer => {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  return tlv(2, (bytes[0] ?? 0) < 0x80 ? bytes : Buffer.concat([Buffer.from([0]), bytes]));
};

export const signatureOf = (r: bigint, s: bigint): Buffer =>
  tlv(0x30, Buffer.concat([integer(r), integer(s)]));

/** The three parts of a certificate. */
function partsOf(certificate: Buffer): { signed: Buffer; algorithm: Buffer } {
  const lengthAt = (at: number): number => 4 + certificate.readUInt16BE(at + 2);
  const signed = certificate.subarray(4, 4 + lengthAt(4));
  const at = 4 + signed.length;
  return { signed, algorithm: certificate.subarray(at, at + 2 + (certificate[at + 1] ?? 0)) };
}

const certificateOf = (signed: Buffer, algorithm: Buffer, signature: Buffer): Buffer =>
  tlv(0x30, Buffer.concat([signed, algorithm, tlv(3, Buffer.concat([Buffer.from([0]), signature]))]));

/** The same certificate with another signature. */
const withSignature = (certificate: Buffer, signature: Buffer): Buffer => {
  const { signed, algorithm } = partsOf(certificate);
  return certificateOf(signed, algorithm, signature);
};

const derOf = ({ certificate }: KeyPair): Buffer => new X509Certificate(certificate).raw;

/** Signs until r has a byte less than it could have. */
export function shortSignature(signed: Buffer, key: KeyObject): Buffer {
  for (;;) {
    const raw = sign('sha256', signed, { key, dsaEncoding: 'ieee-p1363' });
    const number = (at: number): bigint => BigInt(`0x${raw.toString('hex', at, at + 32)}`);
    if (raw[0] === 0 && (raw[1] ?? 0) > 0) return signatureOf(number(0), number(32));
  }
}

/** secp256r1 by its name, and a point of it. */
function pointOnCurve(): Buffer {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const point = [x, y].map((text) => Buffer.from(text, 'base64url'));
  return Buffer.concat([Buffer.from([3, 0, 23, 65, 4]), ...point]);
}

/** @param given another authority, and another moment: for panels that have them from elsewhere */
export async function makeScene(given: { authority?: KeyPair; now?: number } = {}): Promise<Scene> {
  const { now = NOW } = given;
  const authority = given.authority ?? (await authorityNamed('the authority'));
  const other = await authorityNamed('another authority');
  const server = await leaf(authority, validFrom(now, 30));
  const certificate = derOf(server);
  const key = createPrivateKey(server.key);
  const authorityKey = createPrivateKey(authority.key);
  const { signed, algorithm } = partsOf(certificate);
  const authorityDer = derOf(authority);

  const parameters = pointOnCurve();
  const honest: Show = {
    certificates: [certificate],
    parameters,
    scheme: Buffer.from([4, 3]),
    signature: (bytes) => sign('sha256', bytes, key),
  };
  const servers: Impostor[] = [];
  const add = (name: string, reason: string | undefined, changes: Partial<Show> = {}): void => {
    servers.push({ ...honest, name, reason, ...changes });
  };
  const shows = (name: string, reason: string | undefined, ...certificates: Buffer[]): void =>
    add(name, reason, { certificates });
  /** A leaf of its own key: only what is wrong with the certificate counts. */
  const leafWith = async (changes: Partial<CertificateRequest>): Promise<Buffer> =>
    derOf(await leaf(authority, { ...validFrom(now, 30), ...changes }));

  const BY_AUTHORITY = 'its authority is another';
  const ALGORITHM = 'it is not signed by ECDSA with SHA-256';
  const NAME = 'it is not for this address';
  const USE = 'it is not for a server';
  const CHAIN = 'it comes with others';
  const EXCHANGE = 'its key did not sign the key exchange';
  const UNREADABLE = 'it cannot be read';
  const KEY = 'it has no key on P-256';

  add('the right one', undefined);
  shows('the right one with its authority', undefined, certificate, authorityDer);
  shows(
    'one whose certificate has a short r',
    undefined,
    withSignature(certificate, shortSignature(signed, authorityKey)),
  );
  add('one whose key exchange has a short r', undefined, {
    signature: (bytes) => shortSignature(bytes, key),
  });

  const wrong = withSignature(certificate, sign('sha256', Buffer.from('something else'), authorityKey));
  shows('a wrong signature', BY_AUTHORITY, wrong);
  shows('a wrong signature, and then the genuine authority', BY_AUTHORITY, wrong, authorityDer);
  shows('another authority', BY_AUTHORITY, derOf(await leaf(other, validFrom(now, 30))));
  shows(
    'another authority, and then the genuine one',
    BY_AUTHORITY,
    derOf(await leaf(other, validFrom(now, 30))),
    authorityDer,
  );
  const ended = { notBefore: new Date(now - 2 * DAY_MS), notAfter: new Date(now - 1) };
  shows('an ended certificate', 'it has ended', await leafWith(ended));
  shows('an ended certificate, and then the authority', 'it has ended', await leafWith(ended), authorityDer);
  const early = { notBefore: new Date(now + DAY_MS), notAfter: new Date(now + 2 * DAY_MS) };
  shows('a certificate before its time', 'it is not valid yet', await leafWith(early));
  const named = (type: 'dns' | 'ip', value: string) => leafWith({ names: [{ type, value }] });
  shows('another name', NAME, await named('dns', 'house.example'));
  shows('a name that ends alike', NAME, await named('dns', `x${HOST}`));
  shows('a name that goes on', NAME, await named('dns', `${HOST}.example`));
  shows('an address in the place of a name', NAME, await named('ip', '192.0.2.7'));
  shows('no name', NAME, await leafWith({ names: [] }));
  shows('two certificates of its own', CHAIN, certificate, certificate);
  shows('a second authority', CHAIN, certificate, derOf(other));
  shows('the authority twice', CHAIN, certificate, authorityDer, authorityDer);
  shows('no certificate', UNREADABLE);
  shows('a device of the same authority', USE, await leafWith({ usage: 'device' }));
  shows('the authority itself', NAME, authorityDer);
  shows('a key of RSA', KEY, await leafWith({ keyType: 'rsa' }));

  const sha1 = Buffer.from('300906072a8648ce3d0401', 'hex');
  shows('SHA-1', ALGORITHM, certificateOf(signed, sha1, sign('sha1', signed, authorityKey)));
  const sha384 = Buffer.from('300a06082a8648ce3d040303', 'hex');
  shows('SHA-384', ALGORITHM, certificateOf(signed, sha384, sign('sha384', signed, authorityKey)));
  shows('a certificate with a byte too many', UNREADABLE, Buffer.concat([certificate, Buffer.from([0])]));
  shows(
    'a signature with a byte too many',
    BY_AUTHORITY,
    certificateOf(signed, algorithm, Buffer.concat([sign('sha256', signed, authorityKey), Buffer.from([0])])),
  );

  const numbers: [name: string, r: bigint, s: bigint][] = [
    ['s = 0', 1n, 0n],
    ['r = 0', 0n, 1n],
    ['s = n', 1n, ORDER],
    ['r = n', ORDER, 1n],
    ['s of 33 bytes', 1n, 1n << 256n],
  ];
  for (const [name, r, s] of numbers) {
    shows(`a certificate with ${name}`, BY_AUTHORITY, withSignature(certificate, signatureOf(r, s)));
    add(`a key exchange with ${name}`, EXCHANGE, { signature: () => signatureOf(r, s) });
  }
  add('a key exchange with a long zero', EXCHANGE, {
    signature: () => tlv(0x30, Buffer.from('020200010201' + '01', 'hex')),
  });

  add('no signature of the key exchange', EXCHANGE, {
    scheme: Buffer.from([0, 0]),
    signature: () => Buffer.alloc(0),
  });
  for (const [name, scheme] of Object.entries({
    none: [0, 3],
    anonymous: [4, 0],
    RSA: [4, 1],
    'SHA-1': [2, 3],
  }))
    add(`a key exchange by ${name}`, EXCHANGE, { scheme: Buffer.from(scheme) });
  add('a key exchange signed with another key', EXCHANGE, {
    signature: (bytes) => sign('sha256', bytes, authorityKey),
  });
  add('a key exchange that was signed for another connection', EXCHANGE, {
    signature: (bytes) =>
      sign('sha256', Buffer.concat([createHash('sha256').update(bytes).digest(), bytes.subarray(32)]), key),
  });
  add('another curve', EXCHANGE, {
    parameters: Buffer.concat([Buffer.from([3, 0, 24]), parameters.subarray(3)]),
  });
  return { authority: new Uint8Array(authorityDer), servers };
}

/** Of the TLS messages, the bodies. */
export function certificateMessage(certificates: Buffer[]): Buffer {
  const listed = certificates.map((each) => Buffer.concat([uint(each.length, 3), each]));
  const list = Buffer.concat(listed);
  return Buffer.concat([uint(list.length, 3), list]);
}

export function keyExchangeMessage({ parameters, scheme, signature }: Show, randoms: Uint8Array[]): Buffer {
  const made = signature(Buffer.concat([...randoms, parameters]));
  return Buffer.concat([parameters, scheme, uint(made.length, 2), made]);
}

export const uint = (value: number, length: number): Buffer => {
  const bytes = Buffer.alloc(length);
  bytes.writeUIntBE(value, 0, length);
  return bytes;
};

const authorityNamed = (commonName: string): Promise<KeyPair> =>
  issue({ ...validFrom(NOW, 3650), usage: 'authority', commonName, names: [], issuer: undefined });

const validFrom = (now: number, days: number) => ({
  notBefore: new Date(now - DAY_MS),
  notAfter: new Date(now + days * DAY_MS),
});

const leaf = (issuer: KeyPair, changes: Partial<CertificateRequest> = {}): Promise<KeyPair> =>
  issue({
    ...validFrom(NOW, 30),
    usage: 'server',
    commonName: HOST,
    names: [
      { type: 'dns', value: HOST },
      { type: 'ip', value: '127.0.0.1' },
    ],
    issuer,
    ...changes,
  });
