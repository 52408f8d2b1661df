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
  | 'token_created'
  | 'token_revoked';

/** Who, from where and why. Nothing here may hold a secret, nor a text that a client may choose freely. */
export interface AuditFields {
  /** An IP address, or the /64 of one, as `sourceOf` tells it. */
  source?: string;
  via?: 'rest' | 'mqtt';
  device_id?: string;
  /** The token that was made or revoked. */
  token_id?: string;
  /** The token that asked. */
  by_token?: string;
  reason?: string;
}

export type Audit = (event: AuditEvent, fields: AuditFields) => void;

/**
 * Every refusal, and every change of who may do what, as one structured line of level info, with `audit: <event>`. A source
 * that is refused without end does not fill the disk: above a rate its refusals are only counted, and the next line of
 * the same event tells how many they were, as `unlogged`.
 */
export function auditTo(log: Logger, now?: () => number): Audit {
  const limit = new LineLimit(now);
  return (event, fields) => {
    const more = isRefusal(event) ? limit.take(`${event} ${fields.source}`) : {};
    if (more !== undefined) log.info({ audit: event, ...fields, ...more }, 'audit');
  };
}

/** The other events are an owner's doing. */
const isRefusal = (event: AuditEvent): boolean => event === 'limit_reached' || event.endsWith('_refused');
