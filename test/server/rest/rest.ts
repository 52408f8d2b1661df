/** The REST interface in this process on a storage in memory, and the ways to ask it. */

import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { pino } from 'pino';
import { ConnectionLimit } from '../../../server/access/connection-limit.js';
import { FailedAttempts, type FailureLimits } from '../../../server/access/failures.js';
import { OriginPolicy } from '../../../server/access/origin-policy.js';
import { type PinLimits, Pins } from '../../../server/access/pins.js';
import { Proxies } from '../../../server/access/proxies.js';
import { Shares } from '../../../server/access/shares.js';
import { type Role, Tokens } from '../../../server/access/tokens.js';
import type { Alerts } from '../../../server/alerts/alerts.js';
import { type AlertLimits, openAlerts } from '../../../server/alerts/open.js';
import { openSettingsDocument } from '../../../server/alerts/settings-document.js';
import type { Subscriptions } from '../../../server/alerts/subscriptions.js';
import { type AuditEvent, auditTo } from '../../../server/audit.js';
import { readSettings, type Settings } from '../../../server/config.js';
import type { Device } from '../../../server/devices/device.js';
import { Devices } from '../../../server/devices/devices.js';
import { alone } from '../../../server/leadership.js';
import { Readiness } from '../../../server/readiness.js';
import type { RestLimits } from '../../../server/rest/limits.js';
import { startRest } from '../../../server/rest/rest.js';
import { type MemoryStorage, memoryStorage } from '../../../server/storage/memory.js';
import { Twins } from '../../../server/twins/twins.js';
import { certify } from '../devices/certify.js';

export const REGION = 'fr-par';
/** Stands for the authority's certificate. */
export const AUTHORITY = '-----BEGIN CERTIFICATE-----\n';
export const BASE = `/iot/v1/regions/${REGION}`;

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what an answer holds is what the tests look at
  body: any;
}

export interface Ask {
  token?: string | null;
  headers?: Record<string, string>;
  /** As JSON, but a string as it is. */
  body?: unknown;
}

export interface LogLine {
  level: number;
  msg: string;
  status?: number;
  reason?: string;
  err?: { message: string };
  audit?: AuditEvent;
  source?: string;
  by_token?: string;
  device_id?: string;
  token_id?: string;
}

export interface TestRest {
  readonly url: string;
  readonly port: number;
  readonly token: string;
  readonly hubId: string;
  readonly storage: MemoryStorage;
  readonly twins: Twins;
  readonly devices: Devices;
  readonly tokens: Tokens;
  readonly alerts: Alerts;
  readonly readiness: Readiness;
  readonly subscriptions: Subscriptions;
  readonly log: LogLine[];
  /** A request to a path below the region, by the owner unless another token, or none (null), is given. */
  ask(method: string, path: string, ask?: Ask): Promise<Answer>;
  /** Bytes as they are on a connection of their own; resolves with all that came back when the server closes it. */
  raw(request: string | Buffer): Promise<string>;
  newDevice(): Promise<Device>;
  newToken(role: Role): Promise<string>;
  close(): Promise<void>;
}

/** What a test may choose: settings, and limits that are constants of the server. */
export type TestLimits = Settings &
  RestLimits &
  FailureLimits & { pins: Partial<PinLimits>; alerts: Partial<AlertLimits>; shares: Shares };

/** @param now the clock of the storage */
export async function startTestRest(changes: Partial<TestLimits> = {}, now?: () => Date): Promise<TestRest> {
  const token = randomUUID();
  const hubId = randomUUID();
  const storage = memoryStorage(now && (() => now().getTime()));
  const twins = new Twins(storage);
  const devices = new Devices(storage, twins, { region: REGION, hubId, certify });
  const tokens = await Tokens.open(storage, token);
  const pins = await Pins.open(storage, changes.pins);
  const log: LogLine[] = [];
  const sink = { write: (line: string) => log.push(JSON.parse(line)) };
  const logger = pino({ level: 'debug' }, sink);
  const settings = { ...readSettings({ TWIN_NAMES: 'localhost' }), ...changes };
  const proxies = new Proxies(settings.proxies);
  const readiness = new Readiness();
  readiness.add(() => ({ name: 'writable', ok: storage.healthy }));
  const { alerts, subscriptions } = await openAlerts({
    storage,
    settings: await openSettingsDocument(storage, logger),
    leadership: alone,
    twins,
    devices,
    tokens,
    linkOf: (panelId) => `${panelId}`,
    log: logger,
    limits: changes.alerts,
  });
  alerts.begin();
  const rest = startRest({
    twins,
    devices,
    tokens,
    pins,
    failures: new FailedAttempts(settings),
    connections: new ConnectionLimit({
      perSource: settings.connectionsPerSource,
      total: settings.connections,
      proxies,
    }),
    shares: changes.shares ?? new Shares(),
    policy: new OriginPolicy(settings),
    proxies,
    hub: {
      id: hubId,
      region: REGION,
      createdAt: '2026-03-01T10:00:00.000Z',
      endpoint: '127.0.0.1:1883',
      authority: AUTHORITY,
    },
    isHealthy: () => storage.healthy,
    readiness,
    alerts,
    subscriptions,
    metrics: [],
    settings,
    limits: changes,
    audit: auditTo(logger),
    log: logger,
  });
  const { port } = (await rest.listen({ host: '127.0.0.1', port: 0 })).address;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    token,
    hubId,
    storage,
    twins,
    devices,
    tokens,
    alerts,
    readiness,
    subscriptions,
    log,
    async ask(method, path, { token: other = token, headers = {}, body } = {}) {
      const response = await fetch(url + BASE + path, {
        method,
        headers: { ...(other !== null && { 'X-Auth-Token': other }), ...headers },
        body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
      });
      const text = await response.text();
      const { status, headers: answered } = response;
      return { status, headers: answered, text, body: text === '' ? undefined : JSON.parse(text) };
    },
    raw: (request) => exchange(port, request),
    newDevice: async () => (await devices.create({ name: 'test' })).device,
    newToken: async (role) => (await tokens.create({ role })).secret,
    async close() {
      await rest.close();
      await alerts.close();
    },
  };
}

function exchange(port: number, request: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
  });
}

/** The status line's number of a raw answer. */
export const statusOf = (answer: string): number => Number(/^HTTP\/1.1 (\d+)/.exec(answer)?.[1]);

/** The body of a raw answer, parsed. */
// biome-ignore lint/suspicious/noExplicitAny: as in Answer
export const bodyOf = (answer: string): any => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));
