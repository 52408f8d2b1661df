/** Every error's answer, in one place. What is not in the table is a fault of ours: 500, and its cause in the log only. */

import type { Stranger } from '../access/origin-policy.js';
import { PermissionDenied } from '../access/permissions.js';
import { AuthenticationDenied, LastOwnerToken, TokenNotFound } from '../access/tokens.js';
import type { AuditEvent, AuditFields } from '../audit.js';
import { DeviceNotFound } from '../devices/devices.js';
import { StorageUnavailable } from '../storage/storage.js';
import { DocumentNotFound, InvalidRequest, type Reason, VersionMismatch } from '../twins/errors.js';
import { PreconditionFailed } from '../twins/precondition.js';

/** @param limit in bytes */
export class BodyTooLarge extends Error {
  override name = 'BodyTooLarge';
  constructor(readonly limit: number) {
    super(`the body is longer than ${limit} bytes`);
  }
}

/** No such route or region. */
export class UnknownResource extends Error {
  override name = 'UnknownResource';
  constructor() {
    super('unknown resource');
  }
}

/** A known route, but not by this method. */
export class MethodNotAllowed extends Error {
  override name = 'MethodNotAllowed';
  constructor(readonly allowed: readonly string[]) {
    super('method not allowed');
  }
}

export class HubNotFound extends Error {
  override name = 'HubNotFound';
  constructor(readonly hubId: string) {
    super('hub not found');
  }
}

/** A limit is reached; the message says which. */
export class TooManyRequests extends Error {
  override name = 'TooManyRequests';
  constructor(
    message: string,
    /** So many are allowed … */
    readonly quota: number,
    /** … within so many seconds; 0: at the same time. */
    readonly windowSeconds: number,
    /** After so many seconds it may be tried again. */
    readonly resetSeconds: number,
    /** The token whose requests they were. */
    readonly tokenId?: string,
  ) {
    super(message);
  }
}

/** The request came by a name that is not the server's, or from a page that may not ask. */
export class StrangerRefused extends Error {
  override name = 'StrangerRefused';
  constructor(readonly stranger: Stranger) {
    super(STRANGERS[stranger].help);
  }
}

const STRANGERS: Record<Stranger, { header: string; help: string; status: number }> = {
  host_refused: { header: 'Host', help: 'not a name of this server: see TWIN_NAMES', status: 421 },
  origin_refused: { header: 'Origin', help: 'not an origin that may ask: see TWIN_ORIGINS', status: 403 },
};

/** More headers, or longer ones, than there may be. */
export class HeadersTooLarge extends Error {
  override name = 'HeadersTooLarge';
}

/** The request, or its headers, did not arrive in time. */
export class RequestTooSlow extends Error {
  override name = 'RequestTooSlow';
  constructor() {
    super('the request took too long to arrive');
  }
}

export class NotHttp extends Error {
  override name = 'NotHttp';
  constructor() {
    super('not a request of HTTP/1.1');
  }
}

export interface ErrorAnswer {
  status: number;
  headers?: Record<string, string>;
  body: { type: string; message: string; [field: string]: unknown };
  /** What it is for those who watch over the server; absent where it is not their concern. */
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

const limitReached = (argument: string, help: string, status: number): ErrorAnswer => ({
  ...invalid(argument, 'constraint', help, status),
  audit: { event: 'limit_reached' },
});

const notFound = (resource: string, resource_id: string): ErrorAnswer => ({
  status: 404,
  body: { type: 'not_found', message: 'resource is not found', resource, resource_id },
});

const unknownResource = (status: number, message: string): ErrorAnswer => ({
  status,
  body: { type: 'unknown_resource', message },
});

// biome-ignore lint/suspicious/noExplicitAny: the constructor's parameters do not matter for instanceof
type ErrorClass<E extends Error> = new (...parameters: any[]) => E;
type Row = [ErrorClass<Error>, (error: Error) => ErrorAnswer];

const row = <E extends Error>(type: ErrorClass<E>, answer: (error: E) => ErrorAnswer): Row => [
  type,
  answer as (error: Error) => ErrorAnswer,
];

const TABLE: Row[] = [
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
  row(StrangerRefused, ({ stranger }) => {
    const { header, help, status } = STRANGERS[stranger];
    return { ...invalid(header, 'constraint', help, status), audit: { event: stranger } };
  }),
  row(HeadersTooLarge, ({ message }) => limitReached('headers', message, 431)),
  row(RequestTooSlow, ({ message }) => limitReached('request', message, 408)),
  row(NotHttp, ({ message }) => invalid('request', 'format', message)),
  row(DocumentNotFound, ({ documentName }) => notFound('twin_document', documentName)),
  row(DeviceNotFound, ({ deviceId }) => notFound('device', deviceId)),
  row(HubNotFound, ({ hubId }) => notFound('hub', hubId)),
  row(TokenNotFound, ({ tokenId }) => notFound('token', tokenId)),
  row(LastOwnerToken, ({ message }) => invalid('token_id', 'constraint', message)),
  row(UnknownResource, ({ message }) => unknownResource(404, message)),
  row(MethodNotAllowed, ({ message, allowed }) => ({
    ...unknownResource(405, message),
    headers: { Allow: allowed.join(', ') },
  })),
  row(BodyTooLarge, ({ message }) => limitReached('body', message, 413)),
  row(TooManyRequests, ({ message, quota, windowSeconds, resetSeconds, tokenId }) => ({
    status: 429,
    headers: { 'Retry-After': String(resetSeconds) },
    body: {
      type: 'too_many_requests',
      message: 'too many requests',
      help_message: message,
      limit: { quota, window_seconds: windowSeconds },
      reset_seconds: resetSeconds,
    },
    audit: { event: 'limit_reached', ...(tokenId !== undefined && { by_token: tokenId }) },
  })),
  row(StorageUnavailable, ({ message }) => ({
    status: 503,
    body: {
      type: 'transient_state',
      message,
      resource: 'storage',
      resource_id: 'storage',
      current_state: 'unavailable',
    },
  })),
];

const INTERNAL: ErrorAnswer = { status: 500, body: { type: 'internal_error', message: 'internal error' } };

/** `reason` is for the log, and absent for an error that is a fault of the server. */
export function answerOf(error: unknown): { answer: ErrorAnswer; reason?: string } {
  const found = TABLE.find(([type]) => error instanceof type);
  if (found === undefined || !(error instanceof Error)) return { answer: INTERNAL };
  return { answer: found[1](error), reason: error.message };
}
