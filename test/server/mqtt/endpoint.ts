/** The endpoint on a storage in memory, with devices that a test makes. */

import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { type Logger, pino } from 'pino';
import { ConnectionLimit } from '../../../server/access/connection-limit.js';
import { FailedAttempts, type FailureLimits } from '../../../server/access/failures.js';
import { Shares } from '../../../server/access/shares.js';
import { type Audit, type AuditEvent, type AuditFields, auditTo } from '../../../server/audit.js';
import { readSettings, type Settings } from '../../../server/config.js';
import type { Device } from '../../../server/devices/device.js';
import type { KnownDevices, MqttLimits } from '../../../server/mqtt/endpoint.js';
import { type Mqtt, startMqtt } from '../../../server/mqtt/listener.js';
import { type MemoryStorage, memoryStorage } from '../../../server/storage/memory.js';
import type { ShownCertificate } from '../../../server/tls/shown-certificate.js';
import { Twins } from '../../../server/twins/twins.js';
import { listenEverywhere, type Ports } from './transports.js';

export interface Credentials {
  id: string;
  password: string;
}

/** A registry in memory. What happens to a device's presence is an event: `connected`, `disconnected`, `active`. */
export class TestDevices extends EventEmitter implements KnownDevices {
  readonly #devices = new Map<string, Device & { secret: Buffer }>();

  add(changes: Partial<Device> = {}): Credentials {
    const id = randomUUID();
    const password = randomBytes(16).toString('base64url');
    const now = new Date().toISOString();
    this.#devices.set(id, {
      id,
      name: id,
      description: '',
      status: 'enabled',
      hub_id: randomUUID(),
      last_activity_at: null,
      is_connected: false,
      allow_insecure: true,
      allow_multiple_connections: false,
      has_custom_certificate: false,
      created_at: now,
      updated_at: now,
      region: 'fr-par',
      ...changes,
      secret: digest(password),
    });
    return { id, password };
  }

  async authenticate(id: string, password: Uint8Array): Promise<Device | undefined> {
    const device = this.#devices.get(id);
    return device !== undefined && timingSafeEqual(device.secret, digest(password)) ? device : undefined;
  }

  async certified(id: string, sha256: string): Promise<Device | undefined> {
    return sha256 === this.certificateOf(id).sha256 ? this.#devices.get(id) : undefined;
  }

  /** What the device shows in a TLS handshake. */
  certificateOf(id: string): ShownCertificate {
    return { deviceId: id, sha256: digest(id).toString('hex') };
  }

  readonly presence = {
    connected: (id: string) => void this.emit('connected', id),
    disconnected: async (id: string) => void this.emit('disconnected', id),
    active: (id: string) => void this.emit('active', id),
  };

  watch(watcher: (id: string, why: 'disabled' | 'deleted' | 'credentials') => void): () => void {
    this.on('revoked', watcher);
    return () => this.off('revoked', watcher);
  }

  revoke(id: string, why: 'disabled' | 'deleted' | 'credentials'): void {
    this.#devices.delete(id);
    this.emit('revoked', id, why);
  }
}

const digest = (password: string | Uint8Array): Buffer => createHash('sha256').update(password).digest();

/** What an endpoint needs beside its twins and devices. */
export const partsFor = (
  settings: Settings & Partial<FailureLimits>,
  log: Logger,
  audit: Audit = auditTo(log),
  shares = new Shares(),
) => ({
  failures: new FailedAttempts(settings),
  connections: new ConnectionLimit({
    perSource: settings.connectionsPerSource,
    total: settings.connections,
  }),
  shares,
  audit,
  log,
});

export interface LogLine {
  level: number;
  reason?: string;
  device?: string;
}

export type Audited = AuditFields & { event: AuditEvent };

/** The audit line of a device of this machine that exceeded a limit. */
export const limitReached = (deviceId: string, reason: string): Audited => ({
  event: 'limit_reached',
  source: '127.0.0.1',
  via: 'mqtt',
  device_id: deviceId,
  reason,
});

export interface TestEndpoint {
  ports: Ports;
  mqtt: Mqtt;
  twins: Twins;
  storage: MemoryStorage;
  devices: TestDevices;
  /** From level `debug` on. */
  log: LogLine[];
  /** The audit's lines. */
  audited: Audited[];
  /** The next line whose reason matches. */
  logged(reason: RegExp): Promise<LogLine>;
  close(): Promise<void>;
}

/** An endpoint with the server's limits and settings, except for those given. */
export async function startEndpoint(
  limits: Partial<MqttLimits> = {},
  changes: Partial<Settings & FailureLimits> = {},
  shares = new Shares(),
): Promise<TestEndpoint> {
  const storage = memoryStorage();
  const twins = new Twins(storage);
  const devices = new TestDevices();
  const log: LogLine[] = [];
  const lines = new EventEmitter();
  const settings = { ...readSettings(), ...changes };
  const sink = {
    write(text: string) {
      const line = JSON.parse(text) as LogLine;
      log.push(line);
      lines.emit('line', line);
    },
  };
  const logged = (reason: RegExp) =>
    new Promise<LogLine>((resolve) => {
      const look = (line: LogLine) => {
        if (!reason.test(line.reason ?? '')) return;
        lines.off('line', look);
        resolve(line);
      };
      lines.on('line', look);
    });
  const audited: Audited[] = [];
  const audit: Audit = (event, fields) => audited.push({ event, ...fields });
  const parts = partsFor(settings, pino({ level: 'debug' }, sink), audit, shares);
  const mqtt = startMqtt({ twins, devices, limits, ...parts });
  const { ports, close } = await listenEverywhere(mqtt, parts);
  return { ports, mqtt, twins, storage, devices, log, audited, logged, close };
}
