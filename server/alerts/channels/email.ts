/** Mail by SMTP, one for each recipient, so that each is sent once and fails by itself. */

import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import type { Attempt, Channel, Message } from './channel.js';
import { filled } from './template.js';

export interface EmailSettings {
  readonly host: string;
  readonly port: number;
  /** `starttls` and `tls` send nothing when the server's certificate is not good. */
  readonly security: 'starttls' | 'tls' | 'none';
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly from: string;
  readonly to: readonly string[];
}

/** The whole delivery may take so long, in milliseconds. The library's own limits begin anew at each byte. */
const EMAIL_MS = 30_000;

const TEXT = '{{text}}\n\n{{link}}\n';
const HTML = '<p><strong>{{title}}</strong></p><p>{{text}}</p><p><a href="{{link}}">{{link}}</a></p>';

/** @param ca the authority of the mail server, where it is not one that the system knows */
export function email(settings: EmailSettings, ca?: string, limitMs = EMAIL_MS): Channel {
  const { host, port, security, user, password: pass, from, to } = settings;
  return {
    targets: () => to.map(targetOf),
    async send(message, target): Promise<Attempt> {
      const recipient = to.find((each) => targetOf(each) === target);
      if (recipient === undefined) return { kind: 'failed', reason: 'the recipient was removed' };
      // It is large, and most servers send no mail.
      const { createTransport } = await import('nodemailer');
      // The library ends no connection on which a byte comes now and then.
      const connection = connect({ host, port });
      const timer = setTimeout(
        () => connection.destroy(new Error(`not delivered within ${limitMs / 1000} s`)),
        limitMs,
      );
      const transport = createTransport({
        host,
        port,
        connection,
        secure: security === 'tls',
        requireTLS: security === 'starttls',
        ignoreTLS: security === 'none',
        ...(user !== undefined && { auth: { user, pass } }),
        tls: { minVersion: 'TLSv1.2', ...(ca !== undefined && { ca }) },
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      try {
        await transport.sendMail(mailOf(message, from, recipient));
        return { kind: 'delivered' };
      } catch (error) {
        return attemptAfter(error as MailError);
      } finally {
        clearTimeout(timer);
        transport.close();
        connection.destroy();
      }
    },
  };
}

const targetOf = (address: string): string => createHash('sha256').update(address).digest('hex').slice(0, 16);

const mailOf = (message: Message, from: string, to: string): object => ({
  from,
  to,
  subject: filled('{{title}}', message, 'line'),
  text: filled(TEXT, message, 'plain'),
  html: filled(HTML, message, 'html'),
  // The same on every attempt, so that a mail that arrives twice is shown once.
  messageId: `<${message.id}@alarm-twin.invalid>`,
  date: message.at,
});

interface MailError extends Error {
  /** Of the library, such as `ETLS`. */
  readonly code?: string;
  /** Of the mail server. */
  readonly responseCode?: number;
}

/** There is no safe connection, or the server does not know the user: another attempt would fail as well. */
const FINAL = ['ETLS', 'EAUTH', 'ENOAUTH'];

function attemptAfter({ message, code = '', responseCode = 0 }: MailError): Attempt {
  const isFinal = responseCode >= 500 || FINAL.includes(code) || /certificate/i.test(message);
  return { kind: isFinal ? 'failed' : 'again', reason: message.slice(0, REASON_LENGTH) };
}

const REASON_LENGTH = 200;
