/**
 * Stands in the place of the SDK's `ssl/cert`, which its TLS asks about certificates. The server's has been proved before
 * the TLS sees it; here it is only asked whether that was so.
 */

/// <reference path="../sdk/untyped.d.ts" />
import PKCS8 from 'pkcs8';
import X509 from 'x509';
import type { Handshake } from '../../handshake.js';

interface SessionOptions {
  /** Absent where the gate is not in place: then no server is right. */
  handshake?: Handshake;
  clientCertificates?: ArrayBuffer[];
  clientKey?: ArrayBuffer;
}

/** The methods that a client's session calls (8.2.3). */
export default class CertificateManager {
  private readonly options: SessionOptions;

  constructor(options: SessionOptions) {
    this.options = options;
  }

  /** There is one certificate in a handshake that gets here. */
  verify(): boolean {
    return this.options.handshake?.knowsServer === true;
  }

  register(): void {}

  findPreferredCert(): ArrayBuffer[] {
    return this.options.clientCertificates ?? [];
  }

  /** The device's own private key, or the public key of the server. */
  getKey(certificate: ArrayBuffer): object {
    const { clientCertificates, clientKey } = this.options;
    if (certificate !== clientCertificates?.[0]) return X509.decodeSPKI(certificate);
    return PKCS8.parse(new Uint8Array(clientKey ?? []));
  }
}
