/**
 * What the server knows of each HTTP connection: its source, its token, its share, and its requests that wait.
 * Checks of a request that is like the one before cost comparisons only.
 */

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FailedAttempts } from '../access/failures.js';
import { hostsIn, type OriginPolicy } from '../access/origin-policy.js';
import type { Proxies } from '../access/proxies.js';
import type { Member, Share, Shares } from '../access/shares.js';
import { isOwnMachine, sourceOf } from '../access/source.js';
import { AuthenticationDenied, type Token, type Tokens } from '../access/tokens.js';
import { memo } from '../memo.js';
import { USUAL_HEAD_BYTES, WORK } from '../work.js';
import {
  headersTooLarge,
  NO_HOST,
  originRefusal,
  TWO_HOSTS,
  tooManyWaiting,
  tooManyWrong,
} from './errors.js';
import { HttpShare } from './http-share.js';
import type { RestLimits } from './limits.js';
import { Reading } from './reading.js';

/** What each request is judged by. */
interface Guards {
  readonly tokens: Pick<Tokens, 'authenticate' | 'known' | 'used'>;
  readonly failures: FailedAttempts;
  readonly policy: OriginPolicy;
  readonly proxies: Proxies;
  readonly shares: Shares;
  readonly limits: Pick<RestLimits, 'headers' | 'parkedRequests' | 'unreadBytes'>;
}

/** What serves the requests. */
interface Service {
  handle(req: IncomingMessage, res: ServerResponse): void;
  fail(req: IncomingMessage, res: ServerResponse, error: Error): void;
}

/** What a route asks of a request before its token. */
export interface Checks {
  /** One of the server's own names. */
  readonly host: boolean;
  /** A page of the server's own, or of an origin that is listed. */
  readonly origin: boolean;
}

export class HttpConnections {
  readonly #known = new WeakMap<Socket, HttpConnection>();
  readonly #guards: Guards & { service?: Service };
  readonly #shareOf: (share: Share) => HttpShare;

  constructor(guards: Guards) {
    this.#guards = { ...guards };
    this.#shareOf = memo((share: Share) => new HttpShare(share, guards.limits), new WeakMap());
  }

  /** A connection joins the share of its source when it is first asked for. */
  of(socket: Socket): HttpConnection {
    const known = this.#known.get(socket);
    if (known !== undefined) return known;
    const connection = new HttpConnection(socket, this.#guards, this.#shareOf);
    this.#known.set(socket, connection);
    return connection;
  }

  /** @returns a listener that gives each request to the service when it is its turn */
  serve(service: Service): RequestListener {
    this.#guards.service = service;
    return (req, res) => this.of(req.socket).take(req, res);
  }

  /** The socket goes on with another protocol. @returns whether nothing before it waits */
  release(socket: Socket): boolean {
    const isIdle = this.#known.get(socket)?.leave() ?? true;
    this.#known.delete(socket);
    return isIdle;
  }
}

interface Parked {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

/**
 * One request of a connection is in work at a time, and one begins only while the connection's share is open. Requests
 * that come meanwhile are parked, and the socket is not read until all of them are answered.
 */
export class HttpConnection implements Member {
  readonly #socket: Socket;
  readonly #reading: Reading;
  readonly #guards: Guards & { readonly service?: Service };
  readonly #shareOf: (share: Share) => HttpShare;
  /** A proxy sends the requests of many clients on one connection, so its socket is always read. */
  readonly #isProxied: boolean;
  #source: string;
  /** The Host header of the last request that was good. */
  #host: string | undefined;
  /** The secret that the share was found by. */
  #shown: string | undefined;
  /** The token of the share, when it was let in, and its secret. */
  #token: Token | undefined;
  #secret: string | undefined;
  #share: HttpShare;
  /** The answer in work, or the last one. */
  #answer: ServerResponse | undefined;
  #isAwaited = false;
  #unread = 0;
  readonly #parked: Parked[] = [];
  /** Set by the share. */
  #isPaused = false;
  #isEnding = false;
  #isRefused = false;

  constructor(socket: Socket, guards: Guards & { service?: Service }, shareOf: (share: Share) => HttpShare) {
    const address = socket.remoteAddress;
    this.#socket = socket;
    this.#reading = new Reading(socket);
    this.#source = address === undefined ? 'unknown' : sourceOf(address);
    this.#isProxied = address !== undefined && guards.proxies.has(address);
    this.#guards = guards;
    this.#shareOf = shareOf;
    this.#share = this.#ofSource();
    socket.once('close', this.leave);
    this.#share.work.join(this);
  }

  /** Where the last request came from: an IP address, or the /64 of one. */
  get source(): string {
    return this.#source;
  }

  /** The answer to the last request. */
  get answer(): ServerResponse | undefined {
    return this.#parked.at(-1)?.res ?? this.#answer;
  }

  /** Counts work for the request that is in work, in the unit of `work.ts`. */
  readonly spend = (work: number): void => this.#share.work.spend(work);

  /** Counts the bytes of an answer, which has just been written. */
  sent(bytes: number): void {
    this.spend(bytes * WORK.sentByte);
    const unread = this.#answer?.writableLength ?? 0;
    if (unread > 0) this.#holdUnread(unread);
  }

  /** Serves a request when it is its turn. */
  take(req: IncomingMessage, res: ServerResponse): void {
    if (this.#socket.destroyed) return;
    // The parser has made it, whether it is served or not.
    this.spend(WORK.parsedHead + Math.max(0, headBytes(req) - USUAL_HEAD_BYTES) * WORK.headByte);
    if (this.#parked.length === 0 && this.#isFree && this.#enter(req)) this.#begin(req, res);
    else this.#park(req, res);
  }

  pause(): void {
    this.#isPaused = true;
    this.#stopReading();
  }

  resume(): void {
    this.#isPaused = false;
    this.goOn();
  }

  /** Begins the parked requests that may begin, and reads on when none is left. */
  goOn(): void {
    for (let [next] = this.#parked; next !== undefined; [next] = this.#parked) {
      if (this.#socket.destroyed) return;
      if (!this.#isFree) return this.#awaitAnswer();
      // What is behind it was no HTTP. Then the answer has said so already.
      const isAnswered = next.res.writableEnded;
      if (!isAnswered && !this.#enter(next.req)) return;
      this.#parked.shift();
      this.#share.parked -= 1;
      if (!isAnswered) this.#begin(next.req, next.res);
    }
    this.#readOn();
  }

  /** Drops what is parked. @returns whether nothing was */
  readonly leave = (): boolean => {
    const isIdle = this.#parked.length === 0 && !this.#reading.isStopped;
    this.#socket.off('close', this.leave);
    this.#reading.release();
    this.#leaveShare();
    this.#parked.length = 0;
    return isIdle;
  };

  /** Whether everything before has been answered, and the client has taken it. */
  get #isFree(): boolean {
    return this.#answer === undefined || this.#answer.writableFinished;
  }

  /** Puts the connection into the share of the request. @returns whether the request may begin */
  #enter(req: IncomingMessage): boolean {
    if (this.#isProxied) this.#comeFrom(sourceOf(this.#guards.proxies.clientOf(req)));
    const secret = req.headers['x-auth-token'] as string | undefined;
    if (secret !== this.#shown) {
      const token = secret === undefined ? undefined : this.#guards.tokens.known(secret);
      this.#moveTo(token === undefined ? this.#ofSource() : this.#ofToken(token));
      this.#shown = secret;
    }
    if (!this.#share.isFull) return this.#share.work.isOpen;
    this.#share.waiting.add(this);
    return false;
  }

  #begin(req: IncomingMessage, res: ServerResponse): void {
    if (this.#unread > 0) this.#releaseUnread();
    this.#answer = res;
    this.#isAwaited = false;
    this.#guards.service?.handle(req, res);
    this.spend(WORK.httpRequest);
  }

  #park(req: IncomingMessage, res: ServerResponse): void {
    if (this.#isEnding) return;
    if (!this.#share.hasRoomToPark) return this.#refuse(req, res);
    this.#share.parked += 1;
    this.#parked.push({ req, res });
    this.#stopReading();
    if (!this.#isFree) this.#awaitAnswer();
  }

  /** One too many. Further requests of this client are not even refused, or the refusals would take the memory. */
  #refuse(req: IncomingMessage, res: ServerResponse): void {
    if (!this.#isProxied) {
      this.#isEnding = true;
      res.shouldKeepAlive = false;
    }
    const { service, limits } = this.#guards;
    service?.fail(req, res, tooManyWaiting(limits.parkedRequests, this.#token?.id));
  }

  #awaitAnswer(): void {
    const answer = this.#answer;
    if (this.#isAwaited || answer === undefined) return;
    this.#isAwaited = true;
    answer.once('close', () => {
      if (answer !== this.#answer) return;
      this.#releaseUnread();
      this.goOn();
    });
  }

  #holdUnread(bytes: number): void {
    this.#unread += bytes;
    this.#share.hold(bytes);
    this.#awaitAnswer();
  }

  #releaseUnread(): void {
    const bytes = this.#unread;
    this.#unread = 0;
    if (bytes > 0) this.#share.release(bytes);
  }

  #ofSource(): HttpShare {
    return this.#shareOf(this.#guards.shares.of(`source ${this.#source}`));
  }

  #ofToken({ id, role }: Token): HttpShare {
    const key = `token ${id}`;
    return this.#shareOf(role === 'owner' ? this.#guards.shares.reserved(key) : this.#guards.shares.of(key));
  }

  #moveTo(share: HttpShare): void {
    if (share === this.#share) return;
    // What came behind this request was read in a turn of the share that it leaves.
    if (!this.#isProxied) this.#share.work.endTurn();
    this.#leaveShare();
    this.#token = undefined;
    this.#secret = undefined;
    this.#isPaused = false;
    this.#share = share;
    share.parked += this.#parked.length;
    share.work.join(this);
    this.#readOn();
  }

  #leaveShare(): void {
    this.#share.work.leave(this);
    this.#share.waiting.delete(this);
    this.#share.parked -= this.#parked.length;
    this.#releaseUnread();
  }

  #stopReading(): void {
    if (!this.#isProxied) this.#reading.stop();
  }

  #readOn(): void {
    if (!this.#isPaused && this.#parked.length === 0) this.#reading.goOn();
  }

  /**
   * Judges the head of a request.
   * @throws HttpError when it has more headers than allowed, or fails a check
   */
  receive(req: IncomingMessage, checks: Checks): void {
    const { policy, limits } = this.#guards;
    if (req.rawHeaders.length > 2 * limits.headers) {
      throw headersTooLarge(`more than ${limits.headers} headers`);
    }
    const hosts = hostsIn(req);
    if (hosts > 1) throw TWO_HOSTS;
    if (hosts === 0 && req.httpVersion !== '1.0') throw NO_HOST;
    const { host, origin } = req.headers;
    if (host !== undefined && host === this.#host && origin === undefined) return;
    if (!policy.knowsHost(req)) {
      if (checks.host) throw originRefusal('host_refused');
      return;
    }
    if (checks.origin && !policy.allowsOrigin(req)) throw originRefusal('origin_refused');
    this.#host = host;
  }

  #comeFrom(source: string): void {
    if (source === this.#source) return;
    this.#source = source;
    this.#shown = undefined;
    this.#moveTo(this.#ofSource());
  }

  /**
   * The token of a request.
   * @throws AuthenticationDenied, HttpError when the source is blocked
   */
  authenticate(req: IncomingMessage): Token {
    const secret = req.headers['x-auth-token'] as string | undefined;
    let token: Token;
    if (secret !== this.#secret) this.#mayTry();
    try {
      token = this.#guards.tokens.authenticate(secret);
    } catch (error) {
      throw error instanceof AuthenticationDenied ? this.#denied(error, secret) : error;
    }
    if (token !== this.#token) this.#remember(token, secret);
    return token;
  }

  /** While the source is blocked, the answer does not tell a wrong token from a right one. */
  #denied(error: AuthenticationDenied, secret: string | undefined): Error {
    this.#shown = undefined;
    this.#moveTo(this.#ofSource());
    const { failures } = this.#guards;
    const blockedMs = failures.blockedMs(this.#source);
    if (blockedMs > 0) return this.#blocked(blockedMs);
    // A client without a token, or with one that was right once, is not guessing.
    if (secret !== undefined && error.reason !== 'expired') failures.failed(this.#source);
    return error;
  }

  /** No secret is looked at while its source is blocked, unless one could be served from there. */
  #mayTry(): void {
    const { failures } = this.#guards;
    const blockedMs = failures.blockedMs(this.#source);
    if (blockedMs === 0 || failures.knowsAny(this.#source) || isOwnMachine(this.#source)) return;
    throw this.#blocked(blockedMs);
  }

  /** While the source is blocked, only a token that was right from there before is served, and an owner of this machine. */
  #remember(token: Token, secret: string | undefined): void {
    const { failures } = this.#guards;
    const blockedMs = failures.blockedMs(this.#source);
    const isOwner = token.role === 'owner' && isOwnMachine(this.#source);
    if (blockedMs > 0 && !isOwner && !failures.knows(this.#source, token.id)) throw this.#blocked(blockedMs);
    failures.succeeded(this.#source, token.id);
    this.#guards.tokens.used(token);
    this.#moveTo(this.#ofToken(token));
    this.#token = token;
    this.#secret = secret;
  }

  #blocked(ms: number): Error {
    return tooManyWrong(this.#guards.failures.limits.authFailuresPerMinute, ms);
  }

  /** Whether this is the first refusal of the connection as a whole. Each further piece of it is an error again. */
  refuseOnce(): boolean {
    const isFirst = !this.#isRefused;
    this.#isRefused = true;
    return isFirst;
  }
}

/** The bytes of a request's target and headers. */
function headBytes({ url = '', rawHeaders }: IncomingMessage): number {
  let length = url.length;
  for (const text of rawHeaders) length += text.length;
  return length;
}
