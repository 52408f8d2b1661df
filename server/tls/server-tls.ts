import { constants, X509Certificate } from 'node:crypto';
import type { SecureContextOptions, TLSSocket, TlsOptions, Server as TlsServer } from 'node:tls';
import type { Logger } from 'pino';
import type { Authority } from './authority.js';
import type { KeyPair } from './key-pair.js';
import type { ServerCertificate } from './server-certificate.js';
import { judge, type ShownCertificate } from './shown-certificate.js';
import { TICKET_KEYS_SECONDS, type TicketKeys } from './ticket-keys.js';
import type { Tls, TlsLimits } from './tls.js';

/** Sessions are resumed where it is the same. Node makes one of the command line, which an upgrade may change. */
const SESSION_ID_CONTEXT = 'alarm-twin';

interface Given {
  readonly authority: Authority;
  readonly serverCertificate: ServerCertificate;
  readonly ticketKeys: TicketKeys;
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
  #ticketKeys: Buffer;

  private constructor(given: Given, pair: KeyPair, ticketKeys: Buffer) {
    this.#given = given;
    this.#now = given.now ?? (() => new Date());
    this.#pair = pair;
    this.#ticketKeys = ticketKeys;
    this.#timer = setInterval(() => this.refresh(), given.limits.checkMs);
    this.#timer.unref();
  }

  /** @throws KeyPairUnusable or the system's error when there is no certificate to show */
  static async open(given: Given): Promise<ServerTls> {
    return new ServerTls(given, await given.serverCertificate(), await given.ticketKeys());
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
      // Without them, `setSecureContext` would bring back the keys of the start.
      ticketKeys: this.#ticketKeys,
      sessionTimeout: TICKET_KEYS_SECONDS,
      sessionIdContext: SESSION_ID_CONTEXT,
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

  /** Uses the present keys of sessions, and shows the server's certificate if it is a new one. */
  async refresh(): Promise<void> {
    this.#ticketKeys = await this.#given.ticketKeys();
    for (const listener of this.#listeners) listener.setTicketKeys(this.#ticketKeys);
    await this.#refreshCertificate();
  }

  /** When it fails, the old certificate stays. */
  async #refreshCertificate(): Promise<void> {
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
