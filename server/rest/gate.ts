import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { OriginPolicy } from '../access/origin-policy.js';
import { HeadersTooLarge, StrangerRefused } from './errors.js';
import type { RestLimits } from './limits.js';
import { sendEmpty } from './send.js';
import { visitorOf } from './visitor.js';

export interface GateParts {
  readonly policy: OriginPolicy;
  readonly limits: Pick<RestLimits, 'headers'>;
  readonly refuse: (req: IncomingMessage, res: ServerResponse, error: Error) => void;
}

const PREFLIGHT_SECONDS = 600;
const PREFLIGHT = {
  'Access-Control-Allow-Methods': 'GET, PUT, PATCH, POST, DELETE',
  'Access-Control-Allow-Headers': 'X-Auth-Token, Content-Type, If-Match, If-None-Match, Last-Event-ID',
  'Access-Control-Max-Age': String(PREFLIGHT_SECONDS),
};

/**
 * What stands before every handler, that of a page included: the server's own name, an origin that may ask, no more headers
 * than there may be. Pages of other origins that are listed are told so, as CORS wants it; no others ever are.
 */
export function gate(handler: RequestListener, { policy, limits, refuse }: GateParts): RequestListener {
  const pieces = 2 * limits.headers;

  const examine: RequestListener = (req, res) => {
    if (req.rawHeaders.length > pieces) {
      return refuse(req, res, new HeadersTooLarge(`more than ${limits.headers} headers`));
    }
    const stranger = policy.judge(req);
    if (stranger !== undefined) return refuse(req, res, new StrangerRefused(stranger));
    visitorOf(req).host = req.headers.host;
    const { origin } = req.headers;
    if (origin === undefined || !policy.lists(origin)) return handler(req, res);
    res.setHeader('Access-Control-Allow-Origin', origin);
    res.setHeader('Access-Control-Expose-Headers', 'ETag, Retry-After');
    res.setHeader('Vary', 'Origin');
    if (isPreflight(req)) sendEmpty(res, 204, PREFLIGHT);
    else handler(req, res);
  };

  return (req, res) => {
    const visitor = visitorOf(req);
    visitor.answer = res;
    const { host, origin } = req.headers;
    const known = host !== undefined && host === visitor.host && origin === undefined;
    if (known && req.rawHeaders.length <= pieces) handler(req, res);
    else examine(req, res);
  };
}

const isPreflight = ({ method, headers }: IncomingMessage): boolean =>
  method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
