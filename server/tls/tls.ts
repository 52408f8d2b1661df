import type { TLSSocket, TlsOptions, Server as TlsServer } from 'node:tls';
import type { ShownCertificate } from './shown-certificate.js';

/** What a listener needs to speak TLS. */
export interface Tls {
  /** For `createServer` of `node:tls` and of `node:https`. A client is asked for a certificate, which CONNECT judges. */
  readonly options: TlsOptions;
  /** Until the listener closes it is given each new certificate, and its failed handshakes are ended and counted. */
  attend(listener: TlsServer): void;
  /** What the client of a finished handshake has shown, judged now, whether its TLS session is new or an old one. */
  shown(socket: TLSSocket): ShownCertificate | undefined;
}

/** Times are in milliseconds. */
export const TLS_LIMITS = {
  /** How long a TLS handshake may take. */
  handshakeMs: 8000,
  /** For how many days the server's own certificate is valid. */
  serverDays: 397,
  /** How many days before its end it is made again. */
  renewDays: 30,
  /** Between two looks whether the certificate must be made again or was replaced. */
  checkMs: 60_000,
  /** For how many days the certificate of a device is valid. */
  deviceDays: 3650,
};

export type TlsLimits = Readonly<typeof TLS_LIMITS>;
