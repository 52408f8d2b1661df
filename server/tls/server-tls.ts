import { constants, X509Certificate } from 'node:crypto';
import type { SecureContextOptions, TLSSocket, TlsOptions, Server as TlsServer } from 'node:tls';
import type { Logger } from 'pino';
import type { Authority } from './authority.js';
import type { KeyPair } from './key-pair.js';
import type { ServerCertificate } from './server-certificate.js';
import { judge, type ShownCertificate } from './shown-certificate.js';
import type { Tls, TlsLimits } from './tls.js';

export interface TlsParts {
  readonly authority: Authority;
  readonly serverCertificate: ServerCertificate;
  readonly limits: Pick<TlsLimits, 'handshakeMs' | 'checkMs'>;
  readonly log: Logger;
  readonly now?: () => Date;
}

/** Shows the server's certificate on every listener that it attends, and each new one as soon as there is one. */
export class ServerTls implements Tls {
  /** Since the start: clients that came and did not finish the handshake. */
  failedHandshakes = 0;
  readonly #parts: TlsParts;
  readonly #now: () => Date;
  readonly #listeners = new Set<TlsServer>();
  readonly #timer: NodeJS.Timeout;
  #pair: KeyPair;

  private constructor(parts: TlsParts, pair: KeyPair) {
    this.#parts = parts;
    this.#now = parts.now ?? (() => new Date());
    this.#pair = pair;
    this.#timer = setInterval(() => this.refresh(), parts.limits.checkMs);
    this.#timer.unref();
  }

  /** @throws KeyPairUnusable or the system's error when there is no certificate to show */
  static async open(parts: TlsParts): Promise<ServerTls> {
    return new ServerTls(parts, await parts.serverCertificate());
  }

  /** When the certificate that is shown ends. */
  get notAfter(): Date {
    return new Date(new X509Certificate(this.#pair.certificate).validTo);
  }

  get options(): TlsOptions {
    return {
      ...this.#context,
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: this.#parts.limits.handshakeMs,
    };
  }

  get #context(): SecureContextOptions {
    return {
      cert: this.#pair.certificate,
      key: this.#pair.key,
      ca: this.#parts.authority.certificate,
      minVersion: 'TLSv1.2',
      // Nobody here needs it, and it costs the server more than the client.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    };
  }

  attend(listener: TlsServer): void {
    this.#listeners.add(listener);
    listener.on('close', () => this.#listeners.delete(listener));
    listener.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      this.failedHandshakes += 1;
      this.#parts.log.debug({ reason: error.code ?? error.message }, 'tls handshake failed');
      socket.destroy();
    });
  }

  shown(socket: TLSSocket): ShownCertificate | undefined {
    const certificate = socket.getPeerX509Certificate();
    return certificate && judge(certificate, this.#parts.authority, this.#now());
  }

  /** Looks whether there is a new certificate to show, and shows it; where that fails the old one stays. */
  async refresh(): Promise<void> {
    try {
      const pair = await this.#parts.serverCertificate();
      if (pair.certificate === this.#pair.certificate && pair.key === this.#pair.key) return;
      this.#pair = pair;
      for (const listener of this.#listeners) listener.setSecureContext(this.#context);
      this.#parts.log.info('a new certificate is shown');
    } catch (error) {
      this.#parts.log.error({ err: error }, 'the certificate of the server could not be renewed');
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
