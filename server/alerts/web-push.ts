/**
 * The cryptography of Web Push: message encryption (RFC 8291 on RFC 8188, `aes128gcm` with one record) and the signature of
 * the sender (VAPID, RFC 8292).
 */

import {
  createCipheriv,
  createECDH,
  createPrivateKey,
  type ECDH,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';

const CURVE = 'prime256v1';
/** In bytes. */
const PUBLIC_KEY_BYTES = 65;
export const AUTH_BYTES = 16;
const SALT_BYTES = 16;
const RECORD_BYTES = 4096;
const TAG_BYTES = 16;
/** Ends the last record [RFC 8188, 2]. */
const DELIMITER = 2;

/** The longest plaintext: a push service takes 4,096 bytes [RFC 8291, 4], of which the header takes 86. */
export const PLAINTEXT_BYTES =
  RECORD_BYTES - (SALT_BYTES + 4 + 1 + PUBLIC_KEY_BYTES) - TAG_BYTES - Buffer.of(DELIMITER).length;

/** A subscription's keys, as raw bytes. */
interface ReceiverKeys {
  readonly p256dh: Buffer;
  readonly auth: Buffer;
}

const derive = (secret: Buffer, salt: Buffer, info: Buffer, length: number): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, salt, info, length));

/**
 * Encrypts a message for a subscription.
 * @param sender with its keys; made anew for each message, except in a test
 * @throws Error when `p256dh` is not a point of the curve, or the plaintext is too long
 */
export function encrypt(
  plaintext: Buffer,
  { p256dh, auth }: ReceiverKeys,
  sender: ECDH = newSender(),
  salt: Buffer = randomBytes(SALT_BYTES),
): Buffer {
  if (plaintext.length > PLAINTEXT_BYTES) throw new Error(`longer than ${PLAINTEXT_BYTES} bytes`);
  const publicKey = sender.getPublicKey();
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), p256dh, publicKey]);
  const secret = derive(sender.computeSecret(p256dh), auth, info, 32);
  const key = derive(secret, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16);
  const nonce = derive(secret, salt, Buffer.from('Content-Encoding: nonce\0'), 12);
  const cipher = createCipheriv('aes-128-gcm', key, nonce);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(RECORD_BYTES);
  return Buffer.concat([
    salt,
    size,
    Buffer.of(publicKey.length),
    publicKey,
    cipher.update(plaintext),
    cipher.update(Buffer.of(DELIMITER)),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
}

function newSender(): ECDH {
  const sender = createECDH(CURVE);
  sender.generateKeys();
  return sender;
}

/** Whether these are bytes of an uncompressed point of the curve. */
export function isPublicKey(bytes: Buffer): boolean {
  if (bytes.length !== PUBLIC_KEY_BYTES || bytes[0] !== 4) return false;
  try {
    newSender().computeSecret(bytes);
    return true;
  } catch {
    return false;
  }
}

/** The key pair by which push services know this server. */
export interface VapidKey {
  /** The public key, raw, in base64url: the `applicationServerKey` of a subscription. */
  readonly id: string;
  /** PKCS #8, PEM. */
  readonly pem: string;
}

export function newVapidKey(): VapidKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: CURVE });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const raw = Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  return { id: raw.toString('base64url'), pem: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) };
}

/** In seconds. At most a day is allowed [RFC 8292, 2]. */
const TOKEN_SECONDS = 12 * 3600;

/**
 * The `Authorization` of a request to a push service.
 * @param contact `mailto:` or `https:`, by which the service reaches the owner
 * @param now milliseconds since 1970
 */
export function vapidAuthorization(
  endpoint: URL,
  contact: string,
  { id, pem }: VapidKey,
  now: number,
): string {
  const claims = { aud: endpoint.origin, exp: Math.floor(now / 1000) + TOKEN_SECONDS, sub: contact };
  const signed = [{ typ: 'JWT', alg: 'ES256' }, claims].map(encoded).join('.');
  return `vapid t=${signed}.${signatureOf(signed, createPrivateKey(pem))}, k=${id}`;
}

const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');

const signatureOf = (text: string, key: KeyObject): string =>
  sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
