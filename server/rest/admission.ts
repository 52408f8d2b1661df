import type { IncomingMessage } from 'node:http';
import type { FailedAttempts } from '../access/failures.js';
import { Allowances } from '../access/rate.js';
import { AuthenticationDenied, type Token, type Tokens } from '../access/tokens.js';
import { TooManyRequests } from './errors.js';
import type { RestLimits } from './limits.js';
import { type Visitor, visitorOf } from './visitor.js';

export interface AdmissionParts {
  readonly tokens: Tokens;
  readonly failures: FailedAttempts;
  readonly limits: RestLimits;
}

// Of tokens in use.
const TOKENS = 1000;

/** Whether a request is let in, and as whom. */
export class Admission {
  readonly #parts: AdmissionParts;
  readonly #allowances: Allowances;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
    const { tokenRequestsPerSecond } = parts.limits;
    this.#allowances = new Allowances(tokenRequestsPerSecond, tokenRequestsPerSecond, TOKENS);
  }

  /** @throws AuthenticationDenied, TooManyRequests */
  admit(req: IncomingMessage): Token {
    const visitor = visitorOf(req);
    const blockedMs = this.#parts.failures.blockedMs(visitor.source);
    const token = this.#authenticate(req.headers['x-auth-token'] as string | undefined, visitor, blockedMs);
    if (visitor.entry?.token !== token) this.#enter(visitor, token, blockedMs);
    const wait = visitor.entry?.allowance.take(performance.now()) ?? 0;
    if (wait > 0) throw this.#tooFast(wait, token);
    return token;
  }

  /** While the source is blocked, nothing tells a wrong token from a right one. */
  #authenticate(secret: string | undefined, { source }: Visitor, blockedMs: number): Token {
    const { tokens, failures } = this.#parts;
    try {
      return tokens.authenticate(secret);
    } catch (error) {
      if (!(error instanceof AuthenticationDenied)) throw error;
      if (blockedMs > 0) throw this.#blocked(blockedMs);
      // Who shows nothing, or what was right once, guesses nothing.
      if (secret !== undefined && error.reason !== 'expired') failures.failed(source);
      throw error;
    }
  }

  #enter(visitor: Visitor, token: Token, blockedMs: number): void {
    const { failures } = this.#parts;
    if (blockedMs > 0 && !failures.knows(visitor.source, token.id)) throw this.#blocked(blockedMs);
    failures.succeeded(visitor.source, token.id);
    visitor.entry = { token, allowance: this.#allowances.of(token.id) };
  }

  #blocked(ms: number): TooManyRequests {
    const { authFailuresPerMinute } = this.#parts.failures.limits;
    const reason = 'too many wrong credentials from your address';
    return new TooManyRequests(reason, authFailuresPerMinute, 60, Math.ceil(ms / 1000));
  }

  #tooFast(ms: number, { id }: Token): TooManyRequests {
    const { tokenRequestsPerSecond } = this.#parts.limits;
    const reason = 'too many requests by this token';
    return new TooManyRequests(reason, tokenRequestsPerSecond, 1, Math.ceil(ms / 1000), id);
  }
}
