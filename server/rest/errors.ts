/** Every error's answer, in one table. An error without a row is a fault of the server: 500, and its cause is only logged. */

import { TOKEN_HEADER } from '../../shared/rest.js';
import type { OriginRefusal } from '../access/origin-policy.js';
import { PermissionDenied } from '../access/permissions.js';
import { PinRefused } from '../access/pins.js';
import { AuthenticationDenied, LastOwnerToken, TokenNotFound } from '../access/tokens.js';
import { AlertNotFound } from '../alerts/alerts.js';
import { SubscriptionNotFound } from '../alerts/subscriptions.js';
import { ChannelNotFound } from '../alerts/teller.js';
import type { AuditEvent, AuditFields } from '../audit.js';
import { DeviceNotFound } from '../devices/devices.js';
import { OutcomeUnknown, OwnerGone, StorageUnavailable } from '../storage/storage.js';
import {
  DocumentNotFound,
  InvalidRequest,
  PreconditionFailed,
  type Reason,
  VersionMismatch,
} from '../twins/errors.js';

interface ErrorAnswer {
  status: number;
  headers?: Record<string, string>;
  body: { type: string; message: string; [field: string]: unknown };
  /** The line of the audit log; absent where there is none. */
  audit?: { event: AuditEvent } & Pick<AuditFields, 'by_token' | 'reason'>;
}

const invalid = (argument_name: string, reason: Reason, help_message: string, status = 400): ErrorAnswer => ({
  status,
  body: {
    type: 'invalid_arguments',
    message: 'invalid argument(s)',
    details: [{ argument_name, reason, help_message }],
  },
});

const notFound = (resource: string, resource_id: string): ErrorAnswer => ({
  status: 404,
  body: { type: 'not_found', message: 'resource is not found', resource, resource_id },
});

const transient = (message: string, current_state: string): ErrorAnswer => ({
  status: 503,
  body: { type: 'transient_state', message, resource: 'storage', resource_id: 'storage', current_state },
});

const unknownResource = (status: number, message: string): ErrorAnswer => ({
  status,
  body: { type: 'unknown_resource', message },
});

/** An error that only HTTP knows. The message is for the log. */
class HttpError extends Error {
  override name = 'HttpError';
  constructor(
    readonly answer: ErrorAnswer,
    reason: string,
  ) {
    super(reason);
  }
}

const invalidRequest = (argument: string, reason: Reason, help: string, status?: number): HttpError =>
  new HttpError(invalid(argument, reason, help, status), help);

const limitReached = (argument: string, help: string, status: number): HttpError =>
  new HttpError(
    { ...invalid(argument, 'constraint', help, status), audit: { event: 'limit_reached' } },
    help,
  );

/** @param limit in bytes */
export const bodyTooLarge = (limit: number): HttpError =>
  limitReached('body', `the body is longer than ${limit} bytes`, 413);

/** The body is compressed, which no client of this server needs: a small body could unfold to a large one [RFC 9110, 15.5.16]. */
export const CODED_BODY = new HttpError(
  {
    ...invalid('Content-Encoding', 'constraint', 'the body must not be compressed', 415),
    headers: { 'Accept-Encoding': 'identity' },
  },
  'the body is compressed',
);

/** The body comes in a transfer coding that is not understood [RFC 9112, 6.1]. */
export const CODED_TRANSFER = invalidRequest(
  'Transfer-Encoding',
  'constraint',
  'the only transfer coding is chunked',
  501,
);

export const NO_HOST = invalidRequest('Host', 'required', 'no Host header');
export const TWO_HOSTS = invalidRequest('Host', 'format', 'more than one Host header');

/** The request has more headers, or longer ones, than allowed. */
export const headersTooLarge = (help: string): HttpError => limitReached('headers', help, 431);

/** The request, or its headers, did not arrive in time. */
export const REQUEST_TOO_SLOW = limitReached('request', 'the request took too long to arrive', 408);

export const NOT_HTTP = invalidRequest('request', 'format', 'not a request of HTTP/1.1');

/** No such route or region. */
export const UNKNOWN_RESOURCE = new HttpError(unknownResource(404, 'unknown resource'), 'unknown resource');

/** The Scaleway API has this call, and this server does not. */
export const NOT_A_FEATURE = new HttpError(
  unknownResource(404, 'not a feature of this server'),
  'not a feature of this server',
);

/** A known route, but not with this method. */
export const methodNotAllowed = (allowed: readonly string[]): HttpError =>
  new HttpError(
    { ...unknownResource(405, 'method not allowed'), headers: { Allow: allowed.join(', ') } },
    'method not allowed',
  );

export const hubNotFound = (id: string): HttpError => new HttpError(notFound('hub', id), 'hub not found');

const ORIGIN_REFUSALS: Record<OriginRefusal, HttpError> = {
  host_refused: refusedBy('Host', 'not a name of this server: see TWIN_NAMES', 421, 'host_refused'),
  origin_refused: refusedBy('Origin', 'not an origin that may ask: see TWIN_ORIGINS', 403, 'origin_refused'),
};

function refusedBy(header: string, help: string, status: number, event: OriginRefusal): HttpError {
  return new HttpError({ ...invalid(header, 'constraint', help, status), audit: { event } }, help);
}

/** The request came by a name that is not the server's, or from a page that may not ask. */
export const originRefusal = (refusal: OriginRefusal): HttpError => ORIGIN_REFUSALS[refusal];

interface LimitReached {
  /** So many are allowed … */
  readonly quota: number;
  /** … within so many seconds; 0: at the same time. */
  readonly windowSeconds: number;
  /** The client may try again after so many seconds. */
  readonly resetSeconds: number;
  /** The token whose requests they were. */
  readonly tokenId?: string;
}

/** @param help says which limit is reached */
export const tooManyRequests = (help: string, limit: LimitReached): HttpError =>
  new HttpError(
    {
      status: 429,
      headers: { 'Retry-After': String(limit.resetSeconds) },
      body: {
        type: 'too_many_requests',
        message: 'too many requests',
        help_message: help,
        limit: { quota: limit.quota, window_seconds: limit.windowSeconds },
        reset_seconds: limit.resetSeconds,
      },
      audit: {
        event: 'limit_reached',
        ...(limit.tokenId !== undefined && { by_token: limit.tokenId }),
      },
    },
    help,
  );

// It is not known when they are answered. A second keeps the client from asking in a loop.
const RETRY_SECONDS = 1;

/** @param quota how many may wait @param tokenId of the client, where it has shown a token */
export const tooManyWaiting = (quota: number, tokenId: string | undefined): HttpError =>
  tooManyRequests('too many requests wait for their turn', {
    quota,
    windowSeconds: 0,
    resetSeconds: RETRY_SECONDS,
    ...(tokenId !== undefined && { tokenId }),
  });

/** @param quota how many a minute may be wrong @param blockedMs for how long none is looked at */
export const tooManyWrong = (quota: number, blockedMs: number): HttpError =>
  tooManyRequests('too many wrong credentials from your address', {
    quota,
    windowSeconds: 60,
    resetSeconds: Math.ceil(blockedMs / 1000),
  });

// biome-ignore lint/suspicious/noExplicitAny: the constructor's parameters do not matter for instanceof
type ErrorClass<E extends Error> = new (...parameters: any[]) => E;
type Row = [ErrorClass<Error>, (error: Error) => ErrorAnswer];

const row = <E extends Error>(type: ErrorClass<E>, answer: (error: E) => ErrorAnswer): Row => [
  type,
  answer as (error: Error) => ErrorAnswer,
];

const TABLE: Row[] = [
  row(HttpError, ({ answer }) => answer),
  row(InvalidRequest, ({ argument, reason, message }) => invalid(argument, reason, message)),
  row(VersionMismatch, ({ message, expected, actual }) => {
    const { status, body } = invalid('version', 'constraint', message);
    return { status, body: { ...body, expected_version: expected, actual_version: actual } };
  }),
  row(PreconditionFailed, ({ precondition, message }) => ({
    status: 412,
    body: {
      type: 'precondition_failed',
      message: 'precondition failed',
      precondition,
      help_message: message,
    },
  })),
  row(AuthenticationDenied, ({ message, reason }) => ({
    status: 401,
    headers: { 'WWW-Authenticate': TOKEN_HEADER },
    body: { type: 'denied_authentication', message, method: 'api_key', reason },
    audit: { event: 'authentication_refused', reason: `token: ${reason}` },
  })),
  row(PermissionDenied, ({ permission, tokenId }) => ({
    status: 403,
    body: { type: 'permissions_denied', message: 'insufficient permissions', details: [permission] },
    audit: {
      event: 'permission_refused',
      by_token: tokenId,
      reason: `${permission.action} ${permission.resource}`,
    },
  })),
  row(PinRefused, ({ message, reason, tokenId, lockedMs }) => ({
    status: 403,
    ...(lockedMs > 0 && { headers: { 'Retry-After': String(Math.ceil(lockedMs / 1000)) } }),
    body: {
      type: 'pin_refused',
      message,
      reason,
      ...(lockedMs > 0 && { reset_seconds: Math.ceil(lockedMs / 1000) }),
    },
    audit: { event: 'pin_refused', by_token: tokenId, reason },
  })),
  row(AlertNotFound, ({ alertId }) => notFound('alert', alertId)),
  row(SubscriptionNotFound, ({ subscriptionId }) => notFound('alert_subscription', subscriptionId)),
  row(ChannelNotFound, ({ channelId }) => notFound('alert_channel', channelId)),
  row(DocumentNotFound, ({ documentName }) => notFound('twin_document', documentName)),
  row(DeviceNotFound, ({ deviceId }) => notFound('device', deviceId)),
  row(OwnerGone, ({ key }) => notFound('device', key)),
  row(TokenNotFound, ({ tokenId }) => notFound('token', tokenId)),
  row(LastOwnerToken, ({ message }) => invalid('token_id', 'constraint', message)),
  row(StorageUnavailable, ({ message }) => transient(message, 'unavailable')),
  row(OutcomeUnknown, ({ message }) => transient(message, 'unknown')),
];

const INTERNAL: ErrorAnswer = { status: 500, body: { type: 'internal_error', message: 'internal error' } };

/** `reason` is for the log, and absent for an error that is a fault of the server. */
export function answerOf(error: unknown): { answer: ErrorAnswer; reason?: string } {
  const found = TABLE.find(([type]) => error instanceof type);
  if (found === undefined || !(error instanceof Error)) return { answer: INTERNAL };
  return { answer: found[1](error), reason: error.message };
}
