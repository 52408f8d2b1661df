import type { X509Certificate } from 'node:crypto';
import type { Authority } from './authority.js';

/** The certificate that a client showed in the TLS handshake. The client has proved that it has the key. */
export interface ShownCertificate {
  /** The common name. If there is a fault, a stranger may have chosen it. */
  readonly deviceId: string;
  /** SHA-256 of the certificate, in hexadecimal digits. */
  readonly sha256: string;
  /** Why it is refused, such as another authority or an expired certificate. */
  readonly fault?: string;
}

const CLIENT_AUTHENTICATION = '1.3.6.1.5.5.7.3.2';

/** A stranger may show a certificate that Node cannot read. */
const UNREADABLE: ShownCertificate = { deviceId: '', sha256: '', fault: 'it cannot be read' };

/**
 * Judges a client's certificate at the given time. Each connection is judged, because a resumed TLS session shows the
 * certificate of an earlier day without a new check.
 */
export function judge(certificate: X509Certificate, authority: Authority, now: Date): ShownCertificate {
  try {
    const shown = { deviceId: commonName(certificate), sha256: sha256Of(certificate) };
    const fault = faultOf(certificate, authority, now);
    return fault === undefined ? shown : { ...shown, fault };
  } catch {
    return UNREADABLE;
  }
}

/** SHA-256 of the whole certificate, in hexadecimal digits. */
export const sha256Of = (certificate: X509Certificate): string =>
  certificate.fingerprint256.replaceAll(':', '').toLowerCase();

function faultOf(certificate: X509Certificate, authority: Authority, now: Date): string | undefined {
  if (!authority.signed(certificate)) return 'it is of another authority';
  if (!(now >= new Date(certificate.validFrom))) return 'it is not valid yet';
  if (!(now <= new Date(certificate.validTo))) return 'it has expired';
  if (!certificate.keyUsage?.includes(CLIENT_AUTHENTICATION)) return 'it is not for a device';
  return undefined;
}

/** Empty when there is no common name, or several. */
function commonName(certificate: X509Certificate): string {
  // Contrary to its type, the subject may be undefined.
  const subject: string | undefined = certificate.subject;
  const [name, ...more] = (subject ?? '').split('\n').filter((part) => part.startsWith('CN='));
  return name === undefined || more.length > 0 ? '' : name.slice('CN='.length);
}
