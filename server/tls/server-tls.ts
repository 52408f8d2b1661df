import { constants, X509Certificate } from 'node:crypto';
import type { SecureContextOptions, TLSSocket, TlsOptions, Server as TlsServer } from 'node:tls';
import type { Logger } from 'pino';
import type { Authority } from './authority.js';
import type { KeyPair } from './key-pair.js';
import type { ServerCertificate } from './server-certificate.js';
import { judge, type ShownCertificate } from './shown-certificate.js';
import type { Tls, TlsLimits } from './tls.js';

interface Given {
  readonly authority: Authority;
  readonly serverCertificate: ServerCertificate;
  readonly limits: Pick<TlsLimits, 'handshakeMs' | 'checkMs'>;
  readonly log: Logger;
  readonly now?: () => Date;
}

/** Shows the server's certificate on every attended listener, and shows a new certificate on them when there is one. */
export class ServerTls implements Tls {
  /** How many clients did not finish the handshake, since the start. */
  failedHandshakes = 0;
  readonly #given: Given;
  readonly #now: () => Date;
  readonly #listeners = new Set<TlsServer>();
  readonly #timer: NodeJS.Timeout;
  #pair: KeyPair;

  private constructor(given: Given, pair: KeyPair) {
    this.#given = given;
    this.#now = given.now ?? (() => new Date());
    this.#pair = pair;
    this.#timer = setInterval(() => this.refresh(), given.limits.checkMs);
    this.#timer.unref();
  }

  /** @throws KeyPairUnusable or the system's error when there is no certificate to show */
  static async open(given: Given): Promise<ServerTls> {
    return new ServerTls(given, await given.serverCertificate());
  }

  /** When the present certificate ends. */
  get notAfter(): Date {
    return new Date(new X509Certificate(this.#pair.certificate).validTo);
  }

  get options(): TlsOptions {
    return {
      ...this.#context,
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: this.#given.limits.handshakeMs,
    };
  }

  get #context(): SecureContextOptions {
    return {
      cert: this.#pair.certificate,
      key: this.#pair.key,
      ca: this.#given.authority.certificate,
      minVersion: 'TLSv1.2',
      // No client needs it, and it costs the server more than the client.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    };
  }

  attend(listener: TlsServer): void {
    this.#listeners.add(listener);
    listener.on('close', () => this.#listeners.delete(listener));
    listener.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      this.failedHandshakes += 1;
      this.#given.log.debug({ reason: error.code ?? error.message }, 'tls handshake failed');
      socket.destroy();
    });
  }

  shown(socket: TLSSocket): ShownCertificate | undefined {
    const certificate = socket.getPeerX509Certificate();
    return certificate && judge(certificate, this.#given.authority, this.#now());
  }

  /** Shows the server's certificate if it is a new one. When that fails, the old one stays. */
  async refresh(): Promise<void> {
    try {
      const pair = await this.#given.serverCertificate();
      if (pair.certificate === this.#pair.certificate && pair.key === this.#pair.key) return;
      this.#pair = pair;
      for (const listener of this.#listeners) listener.setSecureContext(this.#context);
      this.#given.log.info('a new certificate is shown');
    } catch (error) {
      this.#given.log.error({ err: error }, 'the certificate of the server could not be renewed');
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
