import { randomUUID } from 'node:crypto';
import { type AddressInfo, isIPv6 } from 'node:net';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { ConnectionLimit } from './access/connection-limit.js';
import { FailedAttempts, type FailureLimits } from './access/failures.js';
import { OriginPolicy } from './access/origin-policy.js';
import { Proxies } from './access/proxies.js';
import { Tokens } from './access/tokens.js';
import { type Audit, auditTo } from './audit.js';
import { SETTINGS, type Settings } from './config.js';
import { Devices } from './devices/devices.js';
import { type MqttLimits, mqttMetrics } from './mqtt/endpoint.js';
import { startMqtt } from './mqtt/listener.js';
import { acceptWebSockets } from './mqtt/websocket.js';
import { serverNames } from './names.js';
import type { RestLimits } from './rest/limits.js';
import { startRest } from './rest/rest.js';
import { openStorage } from './storage/journaled.js';
import { storageMetrics } from './storage/metrics.js';
import { putDocument, type Storage, type StorageLimits } from './storage/storage.js';
import { answerTime } from './time-responder.js';
import { openCertificates } from './tls/certificates.js';
import { tlsMetrics } from './tls/metrics.js';
import type { TlsLimits } from './tls/tls.js';
import { isTwinFile, Twins } from './twins/twins.js';

/** Where the server listens, each as host:port; without TLS and with it. */
export interface Addresses {
  readonly http: string;
  readonly mqtt: string;
  readonly https: string | undefined;
  readonly mqtts: string | undefined;
}

export interface Server {
  readonly addresses: Addresses;
  /** SHA-256 of the authority's certificate, as people compare it. */
  readonly authority: string;
  /** Where the phone app is, the address first that a phone should use. */
  readonly appUrls: readonly string[];
  /** The owner token that was made because there was none: it can be shown this once. */
  readonly newToken: string | undefined;
  /** No new work, answers out, journal flushed. */
  close(): Promise<void>;
}

/** There is an address at which nothing can listen. */
export class ListenFailed extends Error {
  override name = 'ListenFailed';
  constructor(
    /** The environment variable that chooses the address. */
    readonly variable: string,
    override readonly cause: NodeJS.ErrnoException,
  ) {
    super(cause.message, { cause });
  }
}

/** Limits that are constants of the server, by part. Only tests change them. */
export interface Limits {
  readonly access?: Partial<FailureLimits>;
  readonly devices?: { readonly heardEveryMs?: number };
  readonly mqtt?: Partial<MqttLimits>;
  readonly rest?: Partial<RestLimits>;
  readonly storage?: Partial<StorageLimits>;
  readonly tls?: Partial<TlsLimits>;
}

/** Opens all parts, each upon the one before. What opens before a part that fails is closed again. */
export async function startServer(settings: Settings, log: Logger, limits: Limits = {}): Promise<Server> {
  const closers: (() => Promise<void>)[] = [];
  const endpoints: (() => Promise<void>)[] = [];
  const close = async () => {
    await Promise.all(endpoints.splice(0).map((end) => end()));
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  const audit = auditTo(log);
  const failures = new FailedAttempts(limits.access);
  const proxies = new Proxies(settings.proxies);
  const connections = new ConnectionLimit({
    proxies,
    perSource: settings.connectionsPerSource,
    total: settings.connections,
  });
  const policy = new OriginPolicy({ names: serverNames(settings.names), origins: settings.origins });
  try {
    const storage = await openStorage({ ...settings, ...limits.storage }, log, isTwinFile);
    closers.push(() => storage.close());
    const tokens = await Tokens.open(storage, settings.token);
    const newToken = await firstToken(tokens, audit);
    const hub = await openHub(storage);
    const certificates = await openCertificates({ settings, limits: limits.tls, log });
    const { authority, tls, certify } = certificates;
    closers.push(() => certificates.close());
    const twins = new Twins(storage);
    const devices = new Devices(storage, twins, {
      region: settings.region,
      hubId: hub.id,
      certify,
      ...limits.devices,
      onError: (error) => log.error({ err: error }, "a device's last activity could not be kept"),
    });
    closers.push(() => devices.presence.close());
    const mqtt = startMqtt({ twins, devices, failures, connections, limits: limits.mqtt, audit, log });
    endpoints.push(() => mqtt.close());
    const mqttAt = await at('mqtt', mqtt.listen(settings.mqtt));
    const mqttsAt = settings.mqtts && (await at('mqtts', mqtt.listen(settings.mqtts, tls)));
    // A board asks for the time where it connects to, before there is TLS.
    const mqttTime = await at('mqtt', answerTime(mqttAt));
    endpoints.push(() => mqttTime.close());
    const mqttsTime = mqttsAt && (await at('mqtts', answerTime(mqttsAt)));
    if (mqttsTime !== undefined) endpoints.push(() => mqttsTime.close());
    const rest = startRest({
      twins,
      devices,
      tokens,
      failures,
      connections,
      policy,
      proxies,
      hub: {
        ...hub,
        region: settings.region,
        endpoint: publicAddress(mqttsAt ?? mqttAt, settings.names),
        authority: authority.certificate,
      },
      isHealthy: () => storage.healthy,
      metrics: [...storageMetrics(storage), ...mqttMetrics(mqtt.counters), ...tlsMetrics(tls, authority)],
      settings,
      limits: limits.rest,
      audit,
      log,
    });
    endpoints.push(() => rest.close());
    const http = await at('http', rest.listen(settings.http));
    acceptWebSockets(http.server, { mqtt, policy, proxies, audit });
    const https = settings.https && (await at('https', rest.listen(settings.https, tls)));
    if (https !== undefined) acceptWebSockets(https.server, { mqtt, policy, proxies, audit, tls });
    const addresses = {
      http: show(http.address),
      mqtt: show(mqttAt),
      https: https && show(https.address),
      mqtts: mqttsAt && show(mqttsAt),
    };
    return { addresses, authority: authority.fingerprint, appUrls: rest.appUrls, newToken, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** An owner's, where there is no token at all. */
async function firstToken(tokens: Tokens, audit: Audit): Promise<string | undefined> {
  if (tokens.list().length > 0) return undefined;
  const { token, secret } = await tokens.create({ role: 'owner' });
  audit('token_created', { token_id: token.id, reason: 'the first start' });
  return secret;
}

/** @throws ListenFailed */
async function at<T>(setting: 'http' | 'https' | 'mqtt' | 'mqtts', listening: Promise<T>): Promise<T> {
  try {
    return await listening;
  } catch (error) {
    throw new ListenFailed(SETTINGS[setting].variable, error as NodeJS.ErrnoException);
  }
}

const show = ({ address, port }: Pick<AddressInfo, 'address' | 'port'>): string =>
  isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;

const EVERY_ADDRESS = ['0.0.0.0', '::'];

/** What others are told, as host:port. */
function publicAddress({ address, port }: AddressInfo, names: readonly string[]): string {
  const [name = EVERY_ADDRESS.includes(address) ? hostname() : address] = names;
  return show({ address: name, port });
}

const HUB = { file: 'server', key: 'hub' };

/** The hub's identity, made at the first start. */
async function openHub(storage: Storage): Promise<{ id: string; createdAt: string }> {
  const file = await storage.open(HUB.file);
  const known = file.documents.get(HUB.key);
  if (known !== undefined)
    return { ...(JSON.parse(known.data) as { id: string }), createdAt: known.updatedAt };
  const [id, createdAt] = [randomUUID(), new Date().toISOString()];
  const document = { version: 1, updatedAt: createdAt, data: JSON.stringify({ id }) };
  await putDocument(storage, file, HUB.key, document);
  return { id, createdAt };
}
