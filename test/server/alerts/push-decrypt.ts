/**
 * The receiver's side of Web Push, written from RFC 8188 and RFC 8291 on WebCrypto and HMAC alone, so that it shares nothing
 * with the server's own encryption.
 */

import { createHmac, webcrypto } from 'node:crypto';

const { subtle } = webcrypto;
const P256 = { name: 'ECDH', namedCurve: 'P-256' };
/** In bytes: salt, record size and length of the key id [RFC 8188, 2.1]. */
const HEAD = 16 + 4 + 1;
const TAG = 16;

/** The keys of a browser's subscription. */
export interface PhoneKeys {
  readonly privateKey: webcrypto.CryptoKey;
  /** The public key, an uncompressed point. */
  readonly point: Uint8Array<ArrayBuffer>;
  readonly auth: Uint8Array<ArrayBuffer>;
}

export async function newPhoneKeys(): Promise<PhoneKeys> {
  const { privateKey, publicKey } = await subtle.generateKey(P256, true, ['deriveBits']);
  const point = new Uint8Array(await subtle.exportKey('raw', publicKey));
  return { privateKey, point, auth: webcrypto.getRandomValues(new Uint8Array(16)) };
}

const hmac = (key: Uint8Array, ...parts: Uint8Array[]): Buffer =>
  createHmac('sha256', key).update(Buffer.concat(parts)).digest();

/** HKDF of at most one block [RFC 5869]. */
const hkdf = (salt: Uint8Array, secret: Uint8Array, info: Uint8Array, length: number): Buffer =>
  hmac(hmac(salt, secret), info, Uint8Array.of(1)).subarray(0, length);

const label = (text: string): Buffer => Buffer.from(`${text}\0`, 'latin1');

/** The plaintext of a body. @throws Error when it is not one record of `aes128gcm` for these keys */
export async function decrypted(
  body: Uint8Array<ArrayBuffer>,
  { privateKey, point, auth }: PhoneKeys,
): Promise<string> {
  const salt = body.subarray(0, 16);
  const recordSize = new DataView(body.buffer, body.byteOffset).getUint32(16);
  const keyLength = body[20] ?? 0;
  if (keyLength !== 65) throw new Error(`a key id of ${keyLength} bytes`);
  const sender = body.subarray(HEAD, HEAD + keyLength);
  const record = body.subarray(HEAD + keyLength);
  if (record.length > recordSize || record.length <= TAG) throw new Error('not one record');
  const senderKey = await subtle.importKey('raw', sender, P256, false, []);
  const shared = await subtle.deriveBits({ name: 'ECDH', public: senderKey }, privateKey, 256);
  // RFC 8291, 3.4.
  const keyInfo = Buffer.concat([label('WebPush: info'), point, sender]);
  const secret = hkdf(auth, new Uint8Array(shared), keyInfo, 32);
  const key = Uint8Array.from(hkdf(salt, secret, label('Content-Encoding: aes128gcm'), 16));
  const iv = Uint8Array.from(hkdf(salt, secret, label('Content-Encoding: nonce'), 12));
  const aes = await subtle.importKey('raw', key, 'AES-GCM', false, ['decrypt']);
  const padded = Buffer.from(await subtle.decrypt({ name: 'AES-GCM', iv }, aes, record));
  let end = padded.length - 1;
  while (padded[end] === 0) end -= 1;
  if (padded[end] !== 2) throw new Error('no delimiter of a last record');
  return new TextDecoder('utf-8', { fatal: true }).decode(padded.subarray(0, end));
}
