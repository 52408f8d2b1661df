import helmet from 'helmet';

const SELF = ["'self'"];
const NONE = ["'none'"];

/**
 * The headers of the app's pages. They say what a page may load and where it may send (Content-Security-Policy), forbid
 * other pages to frame it, and set what else `helmet` recommends.
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
  // `http-server.ts` sets it on every answer.
  strictTransportSecurity: false,
});
