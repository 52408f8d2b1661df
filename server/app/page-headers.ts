import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import helmet from 'helmet';

const SELF = ["'self'"];
const NONE = ["'none'"];

const SCRIPTS = /<script(?: type="module")?>(.*?)<\/script>/gs;
const STYLES = /<style>(.*?)<\/style>/gs;

type SetHeaders = (req: IncomingMessage, res: ServerResponse, next: () => void) => void;

/**
 * The headers of the app's pages. They say what a page may load and where it may send (Content-Security-Policy), forbid
 * other pages to frame it, and set what else `helmet` recommends.
 *
 * @param html of the page; the scripts and the styles that stand in it may run, by their digests, and no others
 */
export const pageHeaders = (html: string): SetHeaders =>
  helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: NONE,
        scriptSrc: [...SELF, ...digestsIn(html, SCRIPTS)],
        styleSrc: [...SELF, ...digestsIn(html, STYLES)],
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

const digestsIn = (html: string, elements: RegExp): string[] =>
  [...html.matchAll(elements)].map(
    ([, text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`,
  );
