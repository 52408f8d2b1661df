/** What a client showed in the TLS handshake, with proof that it has the key. */
export interface ShownCertificate {
  /** The common name. */
  readonly deviceId: string;
  /** SHA-256 of the certificate, in hexadecimal digits. */
  readonly sha256: string;
  /** Why it does not count, such as another authority or an expired certificate. */
  readonly fault?: string;
}
