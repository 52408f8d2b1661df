/**
 * Follows a TLS handshake [RFC 5246 7.3] from outside: what the panel's TLS sends and receives passes here first. Only one
 * order of messages is right, and only the server with the expected certificate gets to its end.
 */

import { checkKeyExchange, type Expected, numberAt, type P256, provenKey, refuse } from './verify.js';

/** The length of a record's header: its type, the version, and the length of the rest. */
export const RECORD_HEADER = 5;
const CHANGE_CIPHER_SPEC = 20;
const ALERT = 21;
const HANDSHAKE = 22;

/** Types of messages. */
const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
const CERTIFICATE = 11;
const SERVER_KEY_EXCHANGE = 12;
const CERTIFICATE_REQUEST = 13;
const SERVER_HELLO_DONE = 14;
/** The length of a message's header: its type and length. In a hello, the version and 32 random bytes follow. */
const MESSAGE_HEADER = 4;
const RANDOM_AT = 2;
const RANDOM_END = 34;
/** TLS 1.2; TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, and no compression. */
const VERSION = 0x0303;
const CHOICE = 0xc02b00;

/** The handshake is over, and the server is proved. */
const PROVED = 0;

export class Handshake {
  private readonly expected: Expected;
  private readonly p256: P256;
  /** The type of the message that comes next, of the record at the end; then {@link PROVED}. */
  private next = CLIENT_HELLO;
  private readonly randoms: Uint8Array[] = [];
  /** The server's, once its certificate is proved. */
  private key: Uint8Array | undefined;

  constructor(expected: Expected, p256: P256) {
    this.expected = expected;
    this.p256 = p256;
  }

  get knowsServer(): boolean {
    return this.key !== undefined;
  }

  /** The server is proved, and from now on its records are encrypted. */
  get proved(): boolean {
    return this.next === PROVED;
  }

  /**
   * The panel's TLS wants to send a record. Until the server is proved there is one only, its ClientHello.
   * @throws CertificateFault
   */
  sent(record: Uint8Array): void {
    if (this.next === CHANGE_CIPHER_SPEC || this.proved) return;
    if (this.next !== CLIENT_HELLO || record[0] !== HANDSHAKE) refuse('the handshake is out of order');
    const message = record.subarray(RECORD_HEADER + MESSAGE_HEADER);
    this.randoms.push(message.slice(RANDOM_AT, RANDOM_END));
    this.next = SERVER_HELLO;
  }

  /**
   * A whole record has come, and the panel's TLS has not seen it yet. Each of its messages costs one public-key
   * operation at most. A message must lie whole within a record, because the SDK's TLS does not join parts.
   * @throws CertificateFault; an Error when the server itself ends the handshake
   */
  received(record: Uint8Array): void {
    if (this.proved) return;
    const type = record[0];
    if (type === ALERT) throw new Error(`alert ${record[RECORD_HEADER + 1]} of the server`);
    if (type === CHANGE_CIPHER_SPEC && this.next === type) {
      this.next = PROVED;
      return;
    }
    if (type !== HANDSHAKE) refuse('the handshake is out of order');
    for (let at = RECORD_HEADER; at < record.length; ) {
      const start = at + MESSAGE_HEADER;
      const message = record[at] ?? 0;
      at = start + numberAt(record, at + 1, 3);
      const isRequest = message === CERTIFICATE_REQUEST && this.next === SERVER_HELLO_DONE;
      if (!(at <= record.length) || (message !== this.next && !isRequest))
        refuse('the handshake is out of order');
      if (!isRequest) this.take(record.subarray(start, at));
    }
  }

  private take(message: Uint8Array): void {
    const { next, key } = this;
    if (next === SERVER_HELLO) {
      const choiceAt = RANDOM_END + 1 + (message[RANDOM_END] ?? 0);
      if (numberAt(message, 0, 2) !== VERSION || numberAt(message, choiceAt, 3) !== CHOICE)
        refuse('the handshake is out of order');
      this.randoms.push(message.slice(RANDOM_AT, RANDOM_END));
      this.next = CERTIFICATE;
    } else if (next === CERTIFICATE) {
      this.key = provenKey(message, this.expected, this.p256).slice();
      this.next = SERVER_KEY_EXCHANGE;
    } else if (key !== undefined && next === SERVER_KEY_EXCHANGE) {
      checkKeyExchange(message, key, this.randoms, this.p256);
      this.next = SERVER_HELLO_DONE;
    } else {
      this.next = CHANGE_CIPHER_SPEC;
    }
  }
}
