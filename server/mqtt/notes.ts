import { isDeviceId } from '../../shared/document.js';
import type { AuditEvent } from '../audit.js';
import type { Peer } from './admission.js';
import type { Endpoint } from './endpoint.js';
import { sourceOfPeer } from './peer.js';

type NotesTo = Pick<Endpoint, 'log' | 'audit' | 'warnings'>;

/** What is written down of one connection: lines for who looks for a fault, and those of the audit. */
export class Notes {
  readonly #peer: Peer;
  readonly #endpoint: NotesTo;
  #device: string | undefined;
  #told: readonly string[] = [];

  constructor(peer: Peer, endpoint: NotesTo) {
    this.#peer = peer;
    this.#endpoint = endpoint;
  }

  /** Who the client says it is. Kept only where it can be a device: some people type their password there. */
  claimed(name: string | undefined): void {
    if (name !== undefined && isDeviceId(name)) this.#device = name;
  }

  add(reason: string): void {
    this.#endpoint.log.debug({ ...this.#who(), reason }, 'mqtt connection');
  }

  /** The client's fault. Of a source that is at fault without end only who debugs is told each time. */
  warn(reason: string): void {
    const more = this.#endpoint.warnings.take(sourceOfPeer(this.#peer));
    const level = more === undefined ? 'debug' : 'warn';
    this.#endpoint.log[level]({ ...this.#who(), reason, ...more }, 'mqtt connection');
  }

  /** The server's own fault. */
  failed(error: unknown): void {
    this.#endpoint.log.error({ ...this.#who(), err: error }, 'mqtt connection failed');
  }

  audit(event: AuditEvent, reason: string): void {
    const named = this.#device === undefined ? {} : { device_id: this.#device };
    this.#endpoint.audit(event, { source: sourceOfPeer(this.#peer), via: 'mqtt', ...named, reason });
  }

  /** What a client repeats makes nothing clearer. */
  auditOnce(event: AuditEvent, reason: string): void {
    if (this.#told.includes(reason)) return;
    this.#told = [...this.#told, reason];
    this.audit(event, reason);
  }

  #who(): { peer: string; device?: string } {
    const peer = this.#peer.address;
    return this.#device === undefined ? { peer } : { peer, device: this.#device };
  }
}
