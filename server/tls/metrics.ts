import type { Metric } from '../metrics.js';
import type { Authority } from './authority.js';
import type { ServerTls } from './server-tls.js';

/** What tells of clients that do not get along with TLS, and of ends to come. */
export const tlsMetrics = (tls: ServerTls, authority: Authority): Metric[] => [
  {
    type: 'counter',
    name: 'twin_tls_handshakes_failed_total',
    help: 'clients that came and did not finish the TLS handshake',
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
