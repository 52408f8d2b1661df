import type { Metric } from '../metrics.js';
import type { Authority } from './authority.js';
import type { ServerTls } from './server-tls.js';

/** How many TLS handshakes failed, and when the certificates end. */
export const tlsMetrics = (tls: ServerTls, authority: Authority): Metric[] => [
  {
    type: 'counter',
    name: 'twin_tls_handshakes_failed_total',
    help: 'TLS handshakes that clients began and did not finish',
    read: () => tls.failedHandshakes,
  },
  {
    type: 'gauge',
    name: 'twin_tls_certificate_end_seconds',
    help: "when the server's certificate ends, in seconds since 1970",
    read: () => tls.notAfter.getTime() / 1000,
  },
  {
    type: 'gauge',
    name: 'twin_tls_authority_end_seconds',
    help: 'when the authority ends, in seconds since 1970',
    read: () => authority.notAfter.getTime() / 1000,
  },
];
