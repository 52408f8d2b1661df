import type { Logger } from 'pino';

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

/** Every refusal, and every change of who may do what, as one structured line of level info, with `audit: <event>`. */
export const auditTo =
  (log: Logger): Audit =>
  (event, fields) =>
    log.info({ audit: event, ...fields }, 'audit');
