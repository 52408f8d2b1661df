/** The routes of the REST interface on Polka, each with its permission, and the answers to errors. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import polka, { type Polka } from 'polka';
import { API_ROOT } from '../../shared/rest.js';
import { type OriginPolicy, toOriginForm } from '../access/origin-policy.js';
import type { Permission } from '../access/permissions.js';
import type { Audit, AuditEvent, AuditFields } from '../audit.js';
import type { Devices } from '../devices/devices.js';
import { LineLimit } from '../line-limit.js';
import { WORK } from '../work.js';
import { Call, type CallContext, type RoutedRequest, sendEmpty, sendJson } from './call.js';
import type { Checks, HttpConnections } from './connection.js';
import { answerOf, methodNotAllowed, UNKNOWN_RESOURCE } from './errors.js';

export type Method = 'GET' | 'HEAD' | 'PUT' | 'PATCH' | 'POST' | 'DELETE';

/** When its promise rejects, the error is the answer. */
type Handler = (call: Call) => Promise<void>;

interface RouterContext {
  readonly region: string;
  readonly bodyBytes: number;
  readonly connections: HttpConnections;
  readonly tokens: CallContext['tokens'];
  readonly devices: Pick<Devices, 'isGoing'>;
  readonly policy: OriginPolicy;
  readonly audit: Audit;
  readonly log: Logger;
}

/** Both count from the start of the server. */
interface HttpCounters {
  requests: number;
  /** Answers with an error, by status. */
  readonly refusals: Map<number, number>;
}

const BASE = `${API_ROOT}/:region`;

const OF_API: Checks = { host: true, origin: true };

export class Router implements CallContext {
  readonly counters: HttpCounters = { requests: 0, refusals: new Map() };
  readonly bodyBytes: number;
  readonly tokens: CallContext['tokens'];
  readonly devices: Pick<Devices, 'isGoing'>;
  readonly #app: Polka;
  readonly #context: RouterContext;
  readonly #methods = new Set<Method>();
  /** Bounds the log lines that each source can cause by its mistakes. */
  readonly #lines = new LineLimit();

  constructor(context: RouterContext) {
    this.#context = context;
    this.bodyBytes = context.bodyBytes;
    this.tokens = context.tokens;
    this.devices = context.devices;
    this.#app = polka({
      onError: (error, req, res) => this.fail(req, res, error),
      onNoMatch: (req, res) =>
        this.#guard(req as unknown as RoutedRequest, res, OF_API, (routed) => this.#noMatch(routed, res)),
    });
    this.#app.find = rememberPaths(this.#app.find.bind(this.#app));
  }

  /** Serves one request. */
  handle(req: IncomingMessage, res: ServerResponse): void {
    toOriginForm(req);
    this.#app.handler(req as never, res);
  }

  /**
   * A route under the base for tokens with the permission; where its path names a twin or a device, for tokens of that
   * twin. The handler leaves out of a list what the token may not see, and passes the call to what it changes, because the
   * rights are judged again there.
   */
  on(method: Method, path: string, permission: Permission, handler: Handler): void {
    this.onInTurn(method, path, permission, inTurn(handler));
  }

  /**
   * The same for a handler that answers with `call.send` or `call.fail`, without a promise: on the path of a document (see
   * `Answer` in `twins.ts`), and where a check must hold in the turn in which it is made. What it throws is answered as an error.
   */
  onInTurn(method: Method, path: string, permission: Permission, handler: (call: Call) => void): void {
    const route = `${BASE}${path}`;
    this.#add(method, route, (req, res) => {
      if (req.params.region !== this.#context.region) throw UNKNOWN_RESOURCE;
      this.#call(req, res, route, permission, handler);
    });
  }

  /** A route outside the base for tokens with the permission. */
  onRoot(path: string, permission: Permission, handler: Handler): void {
    this.#add('GET', path, (req, res) => this.#call(req, res, path, permission, inTurn(handler)));
  }

  /** A route outside the base that needs no token. Its handler resolves with the bytes of the answer's body. */
  onPublic(
    path: string,
    checks: Checks,
    handler: (req: RoutedRequest, res: ServerResponse) => Promise<number>,
  ): void {
    const handle = (req: RoutedRequest, res: ServerResponse) => {
      const connection = this.#context.connections.of(req.socket);
      handler(req, res).then(
        (bytes) => connection.sent(bytes),
        (error) => this.fail(req, res, error),
      );
    };
    this.#add('GET', path, handle, checks);
  }

  #call(
    req: RoutedRequest,
    res: ServerResponse,
    route: string,
    permission: Permission,
    handler: (call: Call) => void,
  ): void {
    const { connections, tokens } = this.#context;
    if (!tokens.isCurrent) {
      const again = () => this.#call(req, res, route, permission, handler);
      tokens
        .whenCurrent()
        .then(again)
        .catch((error) => this.fail(req, res, error));
      return;
    }
    const connection = connections.of(req.socket);
    const token = connection.authenticate(req);
    const call = new Call(req, res, token, route, permission, connection, this);
    try {
      call.authorize();
      handler(call);
    } catch (error) {
      call.fail(error);
    }
  }

  #add(
    method: Method,
    path: string,
    handle: (req: RoutedRequest, res: ServerResponse) => void,
    checks = OF_API,
  ): void {
    this.#methods.add(method);
    const guarded = (req: unknown, res: unknown) =>
      this.#guard(req as RoutedRequest, res as ServerResponse, checks, handle);
    this.#app.add(method, path, guarded);
    if (method !== 'GET') return;
    this.#methods.add('HEAD');
    this.#app.add('HEAD', path, guarded);
  }

  /** An exception of a handler would end the process: Polka does not catch it. */
  #guard(
    req: RoutedRequest,
    res: ServerResponse,
    checks: Checks,
    handle: (req: RoutedRequest, res: ServerResponse) => void,
  ): void {
    this.counters.requests += 1;
    try {
      this.#context.connections.of(req.socket).receive(req, checks);
      const { origin } = req.headers;
      if (origin !== undefined && this.#context.policy.lists(origin)) allowOrigin(res, origin);
      handle(req, res);
    } catch (error) {
      this.fail(req, res, error);
    }
  }

  #noMatch(req: RoutedRequest, res: ServerResponse): void {
    if (isPreflight(req) && this.#context.policy.lists(req.headers.origin ?? '')) {
      return sendEmpty(res, 204, PREFLIGHT);
    }
    const allowed = [...this.#methods].filter((method) => this.#app.find(method, req.path));
    if (allowed.length === 0 && isNavigation(req)) return sendEmpty(res, 302, { Location: '/' });
    throw allowed.length > 0 ? methodNotAllowed(allowed) : UNKNOWN_RESOURCE;
  }

  /**
   * Answers an error and logs it, in the audit log where the error has a row for that. A refusal of a known token is a line
   * of level info. A 404, and a refusal of a request without a known token, is a line of level debug. The line never holds
   * the URL, because people paste their tokens into it.
   */
  fail(req: IncomingMessage, res: ServerResponse, error: unknown, call?: Call): void {
    const { answer, reason } = answerOf(error);
    const { refusals } = this.counters;
    refusals.set(answer.status, (refusals.get(answer.status) ?? 0) + 1);
    const line = { method: req.method, route: call?.route, status: answer.status };
    if (reason === undefined) this.#context.log.error({ ...line, err: error }, 'request failed');
    else if (answer.audit === undefined) {
      const { source } = this.#context.connections.of(req.socket);
      const isWorthALine = call !== undefined && answer.status !== 404;
      const more = isWorthALine ? this.#lines.take(source) : undefined;
      const level = more === undefined ? 'debug' : 'info';
      this.#context.log[level]({ ...line, source, reason, ...more }, 'request refused');
    } else {
      const { event, ...told } = answer.audit;
      const token = call === undefined ? {} : { by_token: call.token.id };
      this.audit(req, event, { ...token, reason, ...told });
    }
    if (res.headersSent) return void res.destroy();
    // The rest of its body is thrown away, and may come in many pieces.
    if (!req.complete) {
      const { spend } = this.#context.connections.of(req.socket);
      req.on('data', () => spend(WORK.bodyPiece));
    }
    const send = () => sendJson(res, answer.status, JSON.stringify(answer.body), answer.headers);
    // A connection that closes while its client still sends is reset, and the answer is lost with it.
    if (res.shouldKeepAlive || req.complete) send();
    else req.once('end', send).resume();
  }

  audit(req: IncomingMessage, event: AuditEvent, fields: AuditFields): void {
    const { source } = this.#context.connections.of(req.socket);
    this.#context.audit(event, { source, via: 'rest', ...fields });
  }
}

const inTurn =
  (handler: Handler) =>
  (call: Call): void => {
    handler(call).catch((error) => call.fail(error));
  };

/** Addresses of which a person, too, wants to see what the server answers. */
const OF_PROGRAMS = /^\/(iot|metrics|healthz|readyz|mqtt|assets|console)(\/|$)/;

/** A person has followed a link, or typed an address, that is none. The app is what they look for. */
const isNavigation = ({ method, path, headers }: RoutedRequest): boolean =>
  method === 'GET' && !OF_PROGRAMS.test(path) && (headers.accept ?? '').includes('text/html');

const PREFLIGHT_SECONDS = 600;
const PREFLIGHT = {
  'Access-Control-Allow-Methods': 'GET, PUT, PATCH, POST, DELETE',
  'Access-Control-Allow-Headers': 'X-Auth-Token, Content-Type, If-Match, If-None-Match, Last-Event-ID',
  'Access-Control-Max-Age': String(PREFLIGHT_SECONDS),
};

const isPreflight = ({ method, headers }: IncomingMessage): boolean =>
  method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;

/** Lets the page of a listed origin read the answer. */
function allowOrigin(res: ServerResponse, origin: string): void {
  res.setHeader('Access-Control-Allow-Origin', origin);
  res.setHeader('Access-Control-Expose-Headers', 'ETag, Retry-After');
  res.setHeader('Vary', 'Origin');
}

type Find = Polka['find'];

/** Apps ask for the same few paths again and again. */
const REMEMBERED_PATHS = 1000;
const LONGEST_PATH = 256;

/** To match a path against the routes takes as long as everything else that a GET needs, so it is done once per path. */
export function rememberPaths(find: Find): Find {
  const known = new LRUCache<string, Map<string, ReturnType<Find>>>({ max: REMEMBERED_PATHS });
  return (method, path) => {
    if (path.length > LONGEST_PATH) return find(method, path);
    const routes = known.get(path);
    const remembered = routes?.get(method);
    if (remembered !== undefined) return remembered;
    const found = find(method, path);
    // Without a route Polka returns `false`, which its types do not say.
    if (found) known.set(path, (routes ?? new Map()).set(method, found));
    return found;
  };
}
