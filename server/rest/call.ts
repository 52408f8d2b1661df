/** One request to the REST interface, as a handler sees it, and the ways to answer it. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { isDeviceId, type JsonObject } from '../../shared/document.js';
import type { Author } from '../access/author.js';
import { authorize, confine, type Permission } from '../access/permissions.js';
import type { Token, Tokens } from '../access/tokens.js';
import type { AuditEvent, AuditFields } from '../audit.js';
import { DeviceNotFound, type Devices } from '../devices/devices.js';
import { parseObject } from '../twins/document.js';
import { InvalidRequest } from '../twins/errors.js';
import { WORK } from '../work.js';
import type { HttpConnection } from './connection.js';
import { bodyTooLarge, CODED_BODY, CODED_TRANSFER } from './errors.js';

/** A request as Polka completes it. */
export interface RoutedRequest extends IncomingMessage {
  params: Record<string, string>;
  query: Record<string, string | string[] | undefined>;
  path: string;
}

/** What all calls share. */
export interface CallContext {
  /** The longest body, in bytes. */
  readonly bodyBytes: number;
  readonly tokens: Pick<Tokens, 'present' | 'isCurrent' | 'whenCurrent'>;
  readonly devices: Pick<Devices, 'isGoing'>;
  fail(req: IncomingMessage, res: ServerResponse, error: unknown, call?: Call): void;
  audit(req: IncomingMessage, event: AuditEvent, fields: AuditFields): void;
}

/** A request of a token that was authenticated. */
export class Call implements Author {
  #token: Token;
  /** Once it was asked for. */
  #twinId: string | undefined;
  /** What the route does. */
  readonly #permission: Permission;
  /** The pattern of its path. */
  readonly route: string;
  readonly #req: RoutedRequest;
  readonly #res: ServerResponse;
  readonly #connection: HttpConnection;
  readonly #context: CallContext;

  constructor(
    req: RoutedRequest,
    res: ServerResponse,
    token: Token,
    route: string,
    permission: Permission,
    connection: HttpConnection,
    context: CallContext,
  ) {
    this.#token = token;
    this.#permission = permission;
    this.route = route;
    this.#req = req;
    this.#res = res;
    this.#connection = connection;
    this.#context = context;
  }

  get token(): Token {
    return this.#token;
  }

  /** Checks that the token has the right that the route asks for. @throws PermissionDenied, InvalidRequest */
  authorize(): void {
    const permission = this.#permission;
    const isWrite = permission.action === 'write';
    authorize(this.#token, permission, isWrite ? this.param('document_name') : undefined);
    if (this.#token.twin_ids !== null) confine(this.#token, permission, this.twinId);
  }

  /**
   * Checks the rights again, after anything that the request waited for: its body, a file, a certificate.
   * @throws AuthenticationDenied, PermissionDenied, DeviceNotFound
   */
  judge(): void {
    this.#token = this.#context.tokens.present(this.#token);
    this.authorize();
    const id = this.twinId;
    if (id !== undefined && this.#context.devices.isGoing(id)) throw new DeviceNotFound(id);
  }

  /** A parameter of the path, decoded. @throws InvalidRequest when it is not percent-encoded UTF-8 */
  param(name: string): string {
    const segment = this.#req.params[name] ?? '';
    if (!segment.includes('%')) return segment;
    try {
      return decodeURIComponent(segment);
    } catch {
      throw new InvalidRequest(name, 'format', 'not percent-encoded UTF-8');
    }
  }

  /** A UUID in the path, in lower case. @throws InvalidRequest when it is none */
  id(name: string): string {
    const given = this.param(name);
    if (isDeviceId(given)) return given;
    const id = given.toLowerCase();
    if (!isDeviceId(id)) throw new InvalidRequest(name, 'format', `${name} is not a UUID`);
    return id;
  }

  /** The twin that the path names, or whose device it names; undefined where it names none. @throws InvalidRequest */
  get twinId(): string | undefined {
    if (this.#twinId !== undefined) return this.#twinId;
    const name = TWIN_PARAMS.find((each) => this.#req.params[each] !== undefined);
    if (name !== undefined) this.#twinId = this.id(name);
    return this.#twinId;
  }

  /** A parameter of the query, the last one of several, or undefined. */
  query(name: string): string | undefined {
    const given = this.#req.query[name];
    return Array.isArray(given) ? given.at(-1) : given;
  }

  /** A header of the request by its name in lower case; several of one name are joined by commas. */
  header(name: string): string | undefined {
    return this.#req.headers[name] as string | undefined;
  }

  /** Whether only the head of the answer is asked for. */
  get isHead(): boolean {
    return this.#req.method === 'HEAD';
  }

  /** Calls back with the whole body in the turn in which it is there. Its error, and what `then` throws, is answered. */
  body(then: (body: Buffer) => void): void {
    this.#read((error, body) => {
      try {
        if (error !== null) throw error;
        then(body);
      } catch (thrown) {
        this.fail(thrown);
      }
    });
  }

  /** The body, a JSON object. @throws InvalidRequest, HttpError for a body that is too long or compressed */
  object(): Promise<JsonObject> {
    return new Promise((resolve, reject) => {
      this.#read((error, body) => {
        try {
          if (error !== null) throw error;
          resolve(parseObject(body));
        } catch (thrown) {
          reject(thrown);
        }
      });
    });
  }

  #read(done: (error: unknown, body: Buffer) => void): void {
    readBody(this.#req, this.#context.bodyBytes, this.spend, (error, body) => {
      this.spend(body.length * WORK.parsedByte);
      this.#judgeBody(error, body, done);
    });
  }

  #judgeBody(error: Error | null, body: Buffer, done: (error: unknown, body: Buffer) => void): void {
    if (!this.#context.tokens.isCurrent) return this.later(() => this.#judgeBody(error, body, done));
    try {
      this.judge();
    } catch (thrown) {
      return done(thrown, body);
    }
    done(error, body);
  }

  /** Answers 200 with this, as compact JSON. */
  sendObject(object: object): void {
    this.send(200, JSON.stringify(object));
  }

  /** Answers with compact JSON, and with an entity tag where one is given. */
  send(status: number, json: string, etag?: string): void {
    if (this.mustWait) return this.later(() => this.send(status, json, etag));
    if (!this.#mayAnswer()) return;
    sendJson(this.#res, status, json, etag === undefined ? undefined : { ETag: etag });
    this.#connection.sent(json.length);
  }

  /** Counts work for this request, in the unit of `work.ts`. */
  get spend(): (work: number) => void {
    return this.#connection.spend;
  }

  /** Answers 204. */
  sendNothing(): void {
    sendEmpty(this.#res, 204);
  }

  /** Answers 304: the client has the document that this entity tag names. */
  sendNotModified(etag: string): void {
    if (this.mustWait) return this.later(() => this.sendNotModified(etag));
    if (!this.#mayAnswer()) return;
    sendEmpty(this.#res, 304, { ETag: etag });
  }

  /** Whether it is not known just now what rights a reader has. */
  get mustWait(): boolean {
    return this.#permission.action !== 'write' && !this.#context.tokens.isCurrent;
  }

  /** Calls back when that is known again. */
  later(then: () => void): void {
    this.#context.tokens
      .whenCurrent()
      .then(then)
      .catch((error) => this.fail(error));
  }

  /** Checks the rights of a reader again, and answers when they are gone. What was written is always answered. */
  #mayAnswer(): boolean {
    if (this.#permission.action === 'write') return true;
    try {
      this.judge();
      return true;
    } catch (error) {
      this.fail(error);
      return false;
    }
  }

  /**
   * Begins an answer that is written piece by piece; its head leaves at once. Returns undefined when the request has an
   * answer already: the bytes behind it were not HTTP, or its token has lost the right to it.
   */
  stream(headers: Record<string, string>): ServerResponse | undefined {
    if (this.#res.headersSent || !this.#mayAnswer()) return undefined;
    this.#res.writeHead(200, headers).flushHeaders();
    return this.#res;
  }

  /** Calls back when the answer has left, or when the client has gone. */
  onClose(then: () => void): void {
    if (this.#res.closed) setImmediate(then);
    else this.#res.once('close', then);
  }

  /** Calls back when the client will send nothing more, while the answer is not complete: it may still read, or be gone. */
  onClientEnd(then: () => void): void {
    const { socket } = this.#req;
    socket.once('end', then);
    this.onClose(() => socket.off('end', then));
  }

  /** Answers an error as the table of `errors.ts` says. */
  fail(error: unknown): void {
    this.#context.fail(this.#req, this.#res, error, this);
  }

  /** Writes a line to the audit log, with the token and the source of this request. */
  audit(event: AuditEvent, fields: AuditFields): void {
    this.#context.audit(this.#req, event, { by_token: this.#token.id, ...fields });
  }
}

const TWIN_PARAMS = ['twin_id', 'device_id'];
const NO_BODY = Buffer.alloc(0);
const PLAIN_CODING = /^(identity)?$/i;
/** Node refuses what does not end in chunks. */
const CODED_CHUNKS = /,\s*chunked$/i;

/**
 * Reads a whole body, whatever its Content-Type says. Of a longer body nothing is kept: `done` gets the error as soon as
 * the length is known, and the rest is read and thrown away, so that the connection can go on. The body of an aborted
 * request is never done.
 */
function readBody(
  req: IncomingMessage,
  limit: number,
  spend: (work: number) => void,
  done: (error: Error | null, body: Buffer) => void,
): void {
  const fault = faultInHead(req, limit);
  if (fault !== undefined) {
    req.resume();
    return done(fault, NO_BODY);
  }
  let body: Buffer = NO_BODY;
  let length = 0;
  req.on('data', (chunk: Buffer) => {
    spend(WORK.bodyPiece);
    if (length > limit) return;
    const before = length;
    length += chunk.length;
    if (length > limit) {
      body = NO_BODY;
      done(bodyTooLarge(limit), NO_BODY);
    } else if (before === 0) body = chunk;
    else body = appended(body, before, chunk, limit);
  });
  req.on('end', () => {
    if (length <= limit) done(null, body.subarray(0, length));
  });
}

/**
 * A body may come in as many pieces as it has bytes. So the pieces are not kept: each is copied behind the bytes before it,
 * into a buffer that doubles when it is full.
 */
function appended(body: Buffer, length: number, piece: Buffer, limit: number): Buffer {
  const needed = length + piece.length;
  // The first piece is a buffer of Node's, which is as long as the piece.
  const longer = needed <= body.length ? body : Buffer.allocUnsafe(Math.min(limit, 2 * needed));
  if (longer !== body) body.copy(longer, 0, 0, length);
  piece.copy(longer, length);
  return longer;
}

/** Why a body is refused before any of it has come. */
function faultInHead({ headers }: IncomingMessage, limit: number): Error | undefined {
  if (!PLAIN_CODING.test(headers['content-encoding'] ?? '')) return CODED_BODY;
  if (CODED_CHUNKS.test(headers['transfer-encoding'] ?? '')) return CODED_TRANSFER;
  return Number(headers['content-length']) > limit ? bodyTooLarge(limit) : undefined;
}

/** The headers of every answer that is not a page: it is not kept, not taken for another type, and tells no referrer. */
export const ANSWER_HEADERS = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
} as const;

const END_OF_LINE = '\r\n';

/** Headers as the lines of a head. */
export const linesOf = (headers: Record<string, string | number>): string =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}${END_OF_LINE}`)
    .join('');

const ANSWER_LINES = linesOf(ANSWER_HEADERS);

/** The type is exactly `application/json`: Scaleway's SDK parses nothing else. */
export function sendJson(
  res: ServerResponse,
  status: number,
  json: string,
  headers?: Record<string, string>,
): void {
  if (res.writableEnded || res.destroyed) return;
  const length = Buffer.byteLength(json);
  const isAscii = length === json.length;
  const own = { 'Content-Type': 'application/json', 'Content-Length': length, ...headers };
  if (!isAscii || !sendAtOnce(res, status, own, json)) {
    res.writeHead(status, { ...own, ...ANSWER_HEADERS }).end(json);
  }
}

/** Node keeps the head of an answer here as text, from `writeHead` until it is sent. Before it is null. */
type WithHead = ServerResponse & { _header?: string | null };

/**
 * Sends an answer as a head that goes on with the body, which must be ASCII. So both leave in one write, and headers that are
 * the same in each answer are not checked each time. This saves a seventh of the time of a GET.
 * @returns false when it has done nothing, because the request was for a head only, or Node keeps heads in another way
 */
function sendAtOnce(
  res: WithHead,
  status: number,
  headers: Record<string, string | number>,
  body: string,
): boolean {
  if (res._header !== null || res.req.method === 'HEAD') return false;
  const head = (res.writeHead(status, headers) as WithHead)._header ?? '';
  res._header = `${head.slice(0, -END_OF_LINE.length)}${ANSWER_LINES}${END_OF_LINE}${body}`;
  res.end();
  return true;
}

/** An answer without a body. */
export function sendEmpty(res: ServerResponse, status: number, headers?: Record<string, string>): void {
  if (res.writableEnded || res.destroyed) return;
  res.writeHead(status, { ...ANSWER_HEADERS, ...headers }).end();
}
