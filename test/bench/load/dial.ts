/** How a load opens its connections. */

import { connect, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import type { Address } from '../../../server/config.js';
import type { Certificate } from './job.js';

/**
 * What a client needs for TLS. It knows no authority, because Node would send that too, behind the client's certificate,
 * and a panel does not.
 */
export const contextOf = (certificate: Certificate | undefined): SecureContext =>
  createSecureContext(certificate && { cert: certificate.crt, key: certificate.key });

interface Dialing {
  /** Makes it a connection with TLS. */
  secureContext?: SecureContext | undefined;
  /** The TLS session to take up again. */
  session?: Buffer | undefined;
  /** One of this machine's own addresses. */
  localAddress?: string;
  /** Takes what comes without a stream between. */
  onread?: OnReadOpts;
}

/** It trusts every server. What is written before the connection is open, or its handshake done, is sent then. */
export function dial({ host, port }: Address, { secureContext, session, ...more }: Dialing = {}): Socket {
  const options = { host, port, noDelay: true, ...more };
  if (secureContext === undefined) return connect(options);
  // Node's types do not know that `onread` works with TLS too.
  const secured = {
    ...options,
    secureContext,
    rejectUnauthorized: false,
    ...(session !== undefined && { session }),
  };
  return connectTls(secured);
}
