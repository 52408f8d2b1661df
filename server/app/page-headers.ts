import helmet from 'helmet';

const SELF = ["'self'"];
const NONE = ["'none'"];

/**
 * The headers of the app's pages: what they may load and where they may send (Content-Security-Policy), that no other page
 * may frame them, and the rest that `helmet` knows.
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
  // The listener sets it, for every answer.
  strictTransportSecurity: false,
});
