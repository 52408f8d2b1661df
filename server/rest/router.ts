import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import polka, { type Polka } from 'polka';
import { authorize, type Permission } from '../access/permissions.js';
import type { Token, Tokens } from '../access/tokens.js';
import { InvalidRequest } from '../twins/errors.js';
import { readBody } from './body.js';
import { answerOf, MethodNotAllowed, UnknownResource } from './errors.js';

export type Method = 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE';

/** One request that is let in. */
export class Call {
  readonly token: Token;
  readonly #req: Incoming;
  readonly #res: ServerResponse;
  readonly #router: Router;

  constructor(req: Incoming, res: ServerResponse, token: Token, router: Router) {
    this.token = token;
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
    return [this.#req.query[name]].flat().at(-1);
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
    this.#res.writeHead(204).end();
  }

  /** Answers 304: the client has what this entity tag stands for. */
  sendNotModified(etag: string): void {
    this.#res.writeHead(304, { ETag: etag }).end();
  }

  /** Answers as the error's place in the table says. */
  fail(error: unknown): void {
    this.#router.fail(this.#req, this.#res, error);
  }
}

/** What it throws, and what the promise that it may return rejects with, is answered like `fail`. */
export type Handler = (call: Call) => void | Promise<void>;

export interface RouterOptions {
  region: string;
  bodyBytes: number;
  tokens: Tokens;
  log: Logger;
}

interface Incoming extends IncomingMessage {
  params: Record<string, string>;
  query: Record<string, string | string[] | undefined>;
  path: string;
}

const BASE = '/iot/v1/regions/:region';

/** The routes under the base, each behind its permission, on Polka. */
export class Router {
  readonly app: Polka;
  readonly #options: RouterOptions;
  readonly #methods = new Set<Method>();

  constructor(options: RouterOptions) {
    this.#options = options;
    this.app = polka({
      onError: (error, req, res) => this.fail(req, res, error),
      onNoMatch: (req, res) => this.#noMatch(req as unknown as Incoming, res),
    });
  }

  /** A route under the base, for tokens with the permission; a permission for one document is the handler's to ask. */
  on(method: Method, path: string, permission: Permission | undefined, handler: Handler): void {
    this.#add(method, `${BASE}${path}`, (req, res) => {
      if (req.params.region !== this.#options.region) throw new UnknownResource();
      const token = this.#options.tokens.authenticate(req.headers['x-auth-token'] as string | undefined);
      if (permission !== undefined) authorize(token, permission);
      return handler(new Call(req, res, token, this));
    });
  }

  /** A route outside the base that asks for no token. */
  open(path: string, handler: (res: ServerResponse) => void): void {
    this.#add('GET', path, (_, res) => handler(res));
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
    const allowed = [...this.#methods].filter((method) => this.app.find(method, req.path));
    this.fail(req, res, allowed.length > 0 ? new MethodNotAllowed(allowed) : new UnknownResource());
  }

  /** Answers an error and logs it: what is merely not there only for those who debug. */
  fail(req: IncomingMessage, res: ServerResponse, error: unknown): void {
    const { answer, reason } = answerOf(error);
    const { status } = answer;
    const line = { method: req.method, url: req.url, status };
    if (reason === undefined) this.#options.log.error({ ...line, err: error }, 'request failed');
    else this.#options.log[status === 404 ? 'debug' : 'info']({ ...line, reason }, 'request refused');
    if (res.headersSent) res.destroy();
    else sendJson(res, answer.status, JSON.stringify(answer.body), answer.headers);
  }
}

/** Exactly `application/json`: the official SDK parses nothing else. */
export function sendJson(
  res: ServerResponse,
  status: number,
  json: string,
  headers?: Record<string, string>,
): void {
  if (res.writableEnded || res.destroyed) return;
  res.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(json),
    ...headers,
  });
  res.end(json);
}

function decode(name: string, segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new InvalidRequest(name, 'format', 'not percent-encoded UTF-8');
  }
}
