/** What the server knows of each HTTP connection. Checks of a request that is like the one before cost comparisons only. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FailedAttempts } from '../access/failures.js';
import { hostsIn, type OriginPolicy } from '../access/origin-policy.js';
import type { Proxies } from '../access/proxies.js';
import { type Allowance, Allowances } from '../access/rate.js';
import { isOwnMachine, sourceOf } from '../access/source.js';
import { AuthenticationDenied, type Token, type Tokens } from '../access/tokens.js';
import { headersTooLarge, NO_HOST, originRefusal, TWO_HOSTS, tooManyRequests } from './errors.js';
import type { RestLimits } from './limits.js';

/** Tokens whose rate is remembered. */
const TOKENS = 1000;

/** What each request is judged by. */
interface Guards {
  readonly tokens: Pick<Tokens, 'authenticate'>;
  readonly failures: FailedAttempts;
  readonly policy: OriginPolicy;
  readonly proxies: Proxies;
  readonly limits: Pick<RestLimits, 'headers' | 'tokenRequestsPerSecond'>;
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
  readonly #guards: Guards;
  readonly #allowances: Allowances;

  constructor(guards: Guards) {
    this.#guards = guards;
    const { tokenRequestsPerSecond } = guards.limits;
    this.#allowances = new Allowances(tokenRequestsPerSecond, tokenRequestsPerSecond, TOKENS);
  }

  of(socket: Socket): HttpConnection {
    const known = this.#known.get(socket);
    if (known !== undefined) return known;
    const connection = new HttpConnection(socket.remoteAddress, this.#guards, this.#allowances);
    this.#known.set(socket, connection);
    return connection;
  }
}

class HttpConnection {
  readonly #guards: Guards;
  readonly #allowances: Allowances;
  readonly #isProxied: boolean;
  #source: string;
  /** The Host header of the last request that was good. */
  #host: string | undefined;
  /** The token of the last request, its secret, and what it may still ask for. */
  #token: Token | undefined;
  #secret: string | undefined;
  #allowance: Allowance | undefined;
  #answer: ServerResponse | undefined;
  #isRefused = false;

  constructor(address: string | undefined, guards: Guards, allowances: Allowances) {
    this.#source = address === undefined ? 'unknown' : sourceOf(address);
    this.#isProxied = address !== undefined && guards.proxies.has(address);
    this.#guards = guards;
    this.#allowances = allowances;
  }

  /** Where the last request came from: an IP address, or the /64 of one. */
  get source(): string {
    return this.#source;
  }

  /** The answer to the last request. */
  get answer(): ServerResponse | undefined {
    return this.#answer;
  }

  /**
   * Takes a request.
   * @throws HttpError when it has more headers than allowed, or fails a check
   */
  receive(req: IncomingMessage, res: ServerResponse, checks: Checks): void {
    this.#answer = res;
    const { policy, limits } = this.#guards;
    if (this.#isProxied) this.#comeFrom(sourceOf(this.#guards.proxies.clientOf(req)));
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

  /** A proxy sends the requests of many clients on one connection. */
  #comeFrom(source: string): void {
    if (source === this.#source) return;
    this.#source = source;
    this.#token = undefined;
    this.#secret = undefined;
  }

  /**
   * The token of a request.
   * @throws AuthenticationDenied, HttpError when the source or the token asks too often
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
    const waitMs = this.#allowance?.take(performance.now()) ?? 0;
    if (waitMs > 0) {
      const { tokenRequestsPerSecond: quota } = this.#guards.limits;
      throw tooManyRequests('too many requests by this token', {
        quota,
        windowSeconds: 1,
        resetSeconds: Math.ceil(waitMs / 1000),
        tokenId: token.id,
      });
    }
    return token;
  }

  /** While the source is blocked, the answer does not tell a wrong token from a right one. */
  #denied(error: AuthenticationDenied, secret: string | undefined): Error {
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
    this.#token = token;
    this.#secret = secret;
    this.#allowance = this.#allowances.of(token.id);
  }

  #blocked(ms: number): Error {
    return tooManyRequests('too many wrong credentials from your address', {
      quota: this.#guards.failures.limits.authFailuresPerMinute,
      windowSeconds: 60,
      resetSeconds: Math.ceil(ms / 1000),
    });
  }

  /** Whether this is the first refusal of the connection as a whole. Each further piece of it is an error again. */
  refuseOnce(): boolean {
    const isFirst = !this.#isRefused;
    this.#isRefused = true;
    return isFirst;
  }
}
