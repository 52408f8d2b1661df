import type { Logger } from 'pino';
import { LineLimit } from './line-limit.js';

export type AuditEvent =
  | 'authentication_refused'
  | 'permission_refused'
  | 'limit_reached'
  | 'connection_refused'
  | 'host_refused'
  | 'origin_refused'
  | 'device_created'
  | 'device_changed'
  | 'device_deleted'
  | 'credentials_renewed'
  | 'pin_refused'
  | 'pin_changed'
  | 'token_created'
  | 'token_revoked';

/** No field may hold a secret, or a text that a client may choose freely. */
export interface AuditFields {
  /** An IP address, or the /64 of one, as `sourceOf` returns it. */
  source?: string;
  via?: 'rest' | 'mqtt';
  device_id?: string;
  /** The id of a token that was made or revoked. */
  token_id?: string;
  /** The id of the token that made the request. */
  by_token?: string;
  reason?: string;
}

export type Audit = (event: AuditEvent, fields: AuditFields) => void;

/**
 * Logs every refusal and every change of rights as one line of level info, with `audit: <event>`. Above a rate the
 * refusals of one source are only counted, so that they do not fill the disk. The next line of the same event says how
 * many were not logged, as `unlogged`.
 */
export function auditTo(log: Logger, now?: () => number): Audit {
  const limit = new LineLimit(now);
  return (event, fields) => {
    const more = isRefusal(event) ? limit.take(`${event} ${fields.source}`) : {};
    if (more !== undefined) log.info({ audit: event, ...fields, ...more }, 'audit');
  };
}

/** The other events come from an owner. */
const isRefusal = (event: AuditEvent): boolean => event === 'limit_reached' || event.endsWith('_refused');
