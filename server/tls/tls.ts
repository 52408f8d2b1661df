import type { TLSSocket, TlsOptions, Server as TlsServer } from 'node:tls';
import type { ShownCertificate } from './shown-certificate.js';

/** The part of TLS that a listener needs. */
export interface Tls {
  /**
   * For `createServer` of `node:tls` and `node:https`. A client may show a certificate, which its CONNECT is checked
   * by.
   */
  readonly options: TlsOptions;
  /** Gives each new certificate to the listener until it closes, and ends and counts its failed handshakes. */
  attend(listener: TlsServer): void;
  /** The certificate of a client that has finished its handshake, judged now. */
  shown(socket: TLSSocket): ShownCertificate | undefined;
}

/** Times are in milliseconds. */
export const TLS_LIMITS = {
  /** How long a TLS handshake may take. */
  handshakeMs: 8000,
  /** For how many days the server's own certificate is valid. */
  serverDays: 397,
  /** So many days before its end it is made again. */
  renewDays: 30,
  /** The time between two checks whether the certificate must be made again or was replaced. */
  checkMs: 60_000,
  /** For how many days the certificate of a device is valid. */
  deviceDays: 3650,
};

export type TlsLimits = Readonly<typeof TLS_LIMITS>;
