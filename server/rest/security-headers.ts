import type { RequestListener } from 'node:http';
import helmet from 'helmet';

const SELF = ["'self'"];
const NONE = ["'none'"];

/**
 * The headers of the app's pages: what they may load and where they may send (Content-Security-Policy), that no other page
 * may frame them, and the rest that `helmet` knows. To be used by Polka before what serves the files.
 */
export const pageHeaders = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: NONE,
      scriptSrc: SELF,
      styleSrc: SELF,
      imgSrc: [...SELF, 'data:'],
      fontSrc: SELF,
      mediaSrc: SELF,
      connectSrc: SELF,
      manifestSrc: SELF,
      workerSrc: SELF,
      baseUri: NONE,
      formAction: NONE,
      frameAncestors: NONE,
    },
  },
  frameguard: { action: 'deny' },
  referrerPolicy: { policy: 'no-referrer' },
  // For whole servers, pages or not: `withStrictTransport`.
  strictTransportSecurity: false,
});

const LOCALHOST = /^localhost(:|$)/i;

/**
 * Tells browsers to come by TLS only from now on (HSTS, RFC 6797), with every answer of a listener with TLS.
 * @param seconds for how long; 0 says nothing
 */
export function withStrictTransport(handler: RequestListener, seconds: number): RequestListener {
  if (seconds === 0) return handler;
  const value = `max-age=${seconds}`;
  return (req, res) => {
    // What else runs on this machine shares that name, and may know no TLS.
    if (!LOCALHOST.test(req.headers.host ?? '')) res.setHeader('Strict-Transport-Security', value);
    handler(req, res);
  };
}
