import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import polka, { type Polka } from 'polka';
import { API_ROOT } from '../../shared/rest.js';
import { authorize, confine, type Permission } from '../access/permissions.js';
import type { Token } from '../access/tokens.js';
import type { Audit, AuditEvent, AuditFields } from '../audit.js';
import { LineLimit } from '../line-limit.js';
import { InvalidRequest } from '../twins/errors.js';
import type { Admission } from './admission.js';
import { readBody } from './body.js';
import { answerOf, MethodNotAllowed, UnknownResource } from './errors.js';
import { rememberPaths } from './known-paths.js';
import { twinParam } from './params.js';
import { sendEmpty, sendJson } from './send.js';
import { visitorOf } from './visitor.js';

export type Method = 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE';

/** One request that is let in. */
export class Call {
  readonly token: Token;
  /** The pattern of its path. */
  readonly route: string;
  readonly #req: Incoming;
  readonly #res: ServerResponse;
  readonly #router: Router;

  constructor(req: Incoming, res: ServerResponse, token: Token, route: string, router: Router) {
    this.token = token;
    this.route = route;
    this.#req = req;
    this.#res = res;
    this.#router = router;
  }

  /** A parameter of the route, decoded. @throws InvalidRequest when it is not percent-encoded UTF-8 */
  param(name: string): string {
    return decode(name, this.#req.params[name] ?? '');
  }

  /** A parameter of the query, or undefined; the last one where there are several. */
  query(name: string): string | undefined {
    const given = this.#req.query[name];
    return Array.isArray(given) ? given.at(-1) : given;
  }

  /** A header of the request, by its name in lower case; several of one name are joined by commas. */
  header(name: string): string | undefined {
    return this.#req.headers[name] as string | undefined;
  }

  /** Calls back with the whole body, or answers 413 itself. What `then` throws is answered like `fail`. */
  body(then: (body: Buffer) => void): void {
    readBody(this.#req, this.#router.bodyBytes, (error, body) => {
      try {
        if (error === null) then(body);
        else this.fail(error);
      } catch (thrown) {
        this.fail(thrown);
      }
    });
  }

  /** Answers with compact JSON. */
  send(status: number, json: string): void {
    sendJson(this.#res, status, json);
  }

  /** Answers with compact JSON that has an entity tag. */
  sendTagged(status: number, json: string, etag: string): void {
    sendJson(this.#res, status, json, { ETag: etag });
  }

  /** Answers 204. */
  sendNothing(): void {
    sendEmpty(this.#res, 204);
  }

  /** Answers 304: the client has what this entity tag stands for. */
  sendNotModified(etag: string): void {
    sendEmpty(this.#res, 304, { ETag: etag });
  }

  /** Whether nothing but the head of the answer is asked for. */
  get isHead(): boolean {
    return this.#req.method === 'HEAD';
  }

  /**
   * Begins an answer that is written piece by piece: its head leaves at once. Undefined where there is an answer already,
   * because what came behind the request is no HTTP.
   */
  stream(headers: Record<string, string>): ServerResponse | undefined {
    if (this.#res.headersSent) return undefined;
    this.#res.writeHead(200, headers).flushHeaders();
    return this.#res;
  }

  /** Calls back when the answer has left, or can leave no more because the client has gone. */
  onClose(then: () => void): void {
    if (this.#res.closed) setImmediate(then);
    else this.#res.once('close', then);
  }

  /** Answers as the error's place in the table says. */
  fail(error: unknown): void {
    this.#router.fail(this.#req, this.#res, error, this);
  }

  /** A line for those who watch over the server: that this token did it, and from where. */
  audit(event: AuditEvent, fields: AuditFields): void {
    const { source } = visitorOf(this.#req);
    this.#router.audit(event, { source, via: 'rest', by_token: this.token.id, ...fields });
  }
}

/** What it throws, and what the promise that it may return rejects with, is answered like `fail`. */
export type Handler = (call: Call) => void | Promise<void>;

export interface RouterOptions {
  region: string;
  bodyBytes: number;
  admission: Admission;
  audit: Audit;
  log: Logger;
}

interface Incoming extends IncomingMessage {
  params: Record<string, string>;
  query: Record<string, string | string[] | undefined>;
  path: string;
}

/** Since the start. */
export interface HttpCounters {
  requests: number;
  /** Answers with an error, by status. */
  readonly refusals: Map<number, number>;
}

const BASE = `${API_ROOT}/:region`;

/** The routes under the base, each behind its permission, on Polka. */
export class Router {
  readonly app: Polka;
  readonly audit: Audit;
  readonly counters: HttpCounters = { requests: 0, refusals: new Map() };
  readonly #options: RouterOptions;
  readonly #methods = new Set<Method>();
  /** Bounds what is logged of what clients do wrong, for each source. */
  readonly #refusals = new LineLimit();

  constructor(options: RouterOptions) {
    this.#options = options;
    this.audit = options.audit;
    this.app = polka({
      onError: (error, req, res) => this.fail(req, res, error),
      onNoMatch: (req, res) => this.#noMatch(req as unknown as Incoming, res),
    });
    this.app.find = rememberPaths(this.app.find.bind(this.app));
  }

  /**
   * A route under the base, for tokens with the permission, there where the path names a twin or a device. A permission for
   * one document, and what of a list is shown, is the handler's to ask.
   */
  on(method: Method, path: string, permission: Permission, handler: Handler): void {
    const route = `${BASE}${path}`;
    this.#add(method, route, (req, res) => {
      if (req.params.region !== this.#options.region) throw new UnknownResource();
      return this.#admit(req, res, route, permission, handler);
    });
  }

  /** A route outside the base, for tokens with the permission. */
  outside(path: string, permission: Permission, handler: Handler): void {
    this.#add('GET', path, (req, res) => this.#admit(req, res, path, permission, handler));
  }

  /** A route outside the base that asks for no token. */
  open(path: string, handler: (res: ServerResponse, req: IncomingMessage) => void | Promise<void>): void {
    this.#add('GET', path, (req, res) => handler(res, req));
  }

  #admit(
    req: Incoming,
    res: ServerResponse,
    route: string,
    permission: Permission,
    handler: Handler,
  ): void | Promise<void> {
    const token = this.#options.admission.admit(req);
    const call = new Call(req, res, token, route, this);
    authorize(token, permission);
    if (token.twin_ids !== null) confine(token, permission, twinParam(call));
    return handler(call);
  }

  get bodyBytes(): number {
    return this.#options.bodyBytes;
  }

  #add(
    method: Method,
    path: string,
    handle: (req: Incoming, res: ServerResponse) => void | Promise<void>,
  ): void {
    this.#methods.add(method);
    // Polka takes a rejection for nobody's business, and an exception in a handler for the process's.
    const guarded = (req: unknown, res: unknown) => {
      const [incoming, response] = [req as Incoming, res as ServerResponse];
      this.counters.requests += 1;
      try {
        handle(incoming, response)?.catch((error) => this.fail(incoming, response, error));
      } catch (error) {
        this.fail(incoming, response, error);
      }
    };
    this.app.add(method, path, guarded);
    if (method === 'GET') this.app.add('HEAD', path, guarded);
  }

  #noMatch(req: Incoming, res: ServerResponse): void {
    this.counters.requests += 1;
    const allowed = [...this.#methods].filter((method) => this.app.find(method, req.path));
    this.fail(req, res, allowed.length > 0 ? new MethodNotAllowed(allowed) : new UnknownResource());
  }

  /**
   * Answers an error, and logs it: for the audit what it is for, else what is merely not there, or not known to be anyone's
   * fault but a stranger's, only for those who debug. An address is nobody's to log: people paste their tokens there.
   */
  fail(req: IncomingMessage, res: ServerResponse, error: unknown, call?: Call): void {
    const { answer, reason } = answerOf(error);
    const { refusals } = this.counters;
    refusals.set(answer.status, (refusals.get(answer.status) ?? 0) + 1);
    const { source } = visitorOf(req);
    const line = { method: req.method, route: call?.route, status: answer.status };
    if (reason === undefined) this.#options.log.error({ ...line, err: error }, 'request failed');
    else if (answer.audit === undefined) {
      const isWorthALine = call !== undefined && answer.status !== 404;
      const more = isWorthALine ? this.#refusals.take(source) : undefined;
      const level = more === undefined ? 'debug' : 'info';
      this.#options.log[level]({ ...line, source, reason, ...more }, 'request refused');
    } else {
      const { event, ...told } = answer.audit;
      const who = call === undefined ? {} : { by_token: call.token.id };
      this.audit(event, { source, via: 'rest', ...who, reason, ...told });
    }
    if (res.headersSent) return void res.destroy();
    const send = () => sendJson(res, answer.status, JSON.stringify(answer.body), answer.headers);
    // A connection that closes while its client still speaks is reset, and the answer with it.
    if (res.shouldKeepAlive || req.complete) send();
    else req.once('end', send).resume();
  }
}

function decode(name: string, segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new InvalidRequest(name, 'format', 'not percent-encoded UTF-8');
  }
}
