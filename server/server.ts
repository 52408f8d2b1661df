import { randomUUID } from 'node:crypto';
import { type AddressInfo, isIPv6, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { ConnectionLimit } from './access/connection-limit.js';
import { FailedAttempts, type FailureLimits } from './access/failures.js';
import { KnownClients } from './access/known-clients.js';
import { OriginPolicy } from './access/origin-policy.js';
import { Pins } from './access/pins.js';
import { Proxies } from './access/proxies.js';
import { type ShareLimits, Shares } from './access/shares.js';
import { NotFirst, type Role, Tokens } from './access/tokens.js';
import { startHeartbeat } from './alerts/heartbeat.js';
import { alertMetrics } from './alerts/metrics.js';
import { type AlertLimits, openAlerts } from './alerts/open.js';
import { openSettingsDocument } from './alerts/settings-document.js';
import { openSettingsFile } from './alerts/settings-file.js';
import { type Audit, auditTo } from './audit.js';
import { SETTINGS, type Settings } from './config.js';
import { Devices } from './devices/devices.js';
import { removeLeftovers } from './devices/leftovers.js';
import { bridgeMetrics } from './homeassistant/metrics.js';
import type { HomeAssistantLimits } from './homeassistant/open.js';
import { nodeMetrics } from './metrics.js';
import { type MqttLimits, mqttMetrics } from './mqtt/endpoint.js';
import { startMqtt } from './mqtt/listener.js';
import { acceptWebSockets } from './mqtt/websocket.js';
import { serverNames } from './names.js';
import { openStorageOf } from './open-storage.js';
import { Readiness, type ReadinessLimits, readinessMetrics } from './readiness.js';
import type { RestLimits } from './rest/limits.js';
import { startRest } from './rest/rest.js';
import {
  changeFile,
  readDocuments,
  type Storage,
  type StorageLimits,
  type StoredDocument,
} from './storage/storage.js';
import { answerTime } from './time-responder.js';
import { openCertificates } from './tls/certificates.js';
import { tlsMetrics } from './tls/metrics.js';
import type { TlsLimits } from './tls/tls.js';
import { Twins } from './twins/twins.js';

export interface FirstTokens {
  readonly owner: string;
  /** Of role app, for the phone that is paired first. */
  readonly phone: string;
}

export interface Server {
  /** Its id among the servers of a database. One that is alone has none. */
  readonly node: string | undefined;
  /** The addresses that it listens on, as host:port. */
  readonly addresses: {
    readonly http: string;
    readonly mqtt: string;
    readonly https: string | undefined;
    readonly mqtts: string | undefined;
  };
  /** SHA-256 of the authority's certificate, for people to compare. */
  readonly authority: string;
  /** The addresses of the phone app. A phone should use the first. */
  readonly appUrls: readonly string[];
  /** The secrets of the tokens that were made because there was none. They can be shown only now. */
  readonly firstTokens: FirstTokens | undefined;
  /** Resolves when the alerts and the storage have done something. An HTTP server that still answers is no proof of that. */
  prove(): Promise<void>;
  /** Accepts no more requests, answers those under way and writes everything to stable storage. */
  close(): Promise<void>;
}

/** The server cannot listen on an address. */
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

/** The limits of the server's parts. Only tests change them. */
export interface Limits {
  readonly access?: Partial<FailureLimits>;
  readonly alerts?: Partial<AlertLimits>;
  readonly devices?: { readonly heardEveryMs?: number };
  readonly homeassistant?: Partial<HomeAssistantLimits>;
  readonly mqtt?: Partial<MqttLimits>;
  readonly readiness?: Partial<ReadinessLimits>;
  readonly rest?: Partial<RestLimits>;
  readonly shares?: Partial<ShareLimits>;
  readonly storage?: Partial<StorageLimits>;
  readonly tls?: Partial<TlsLimits>;
}

/**
 * Opens all parts in order. If one fails, those that are open are closed again.
 * @param onRestore the data directory has new contents, which are taken up when the server is closed and opened again
 */
export async function startServer(
  settings: Settings,
  mainLog: Logger,
  limits: Limits = {},
  onRestore = () => {},
): Promise<Server> {
  const closers: (() => Promise<void>)[] = [];
  const endpoints: (() => Promise<void>)[] = [];
  const readiness = new Readiness(limits.readiness);
  const close = async () => {
    await readiness.drain();
    await Promise.all(endpoints.splice(0).map((end) => end()));
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  const proxies = new Proxies(settings.proxies);
  const connections = new ConnectionLimit({
    proxies,
    perSource: settings.connectionsPerSource,
    total: settings.connections,
  });
  const policy = new OriginPolicy({ names: serverNames(settings.names), origins: settings.origins });
  try {
    const opened = await openStorageOf({ ...settings, ...limits.storage, onRestore }, mainLog);
    const { storage, cluster } = opened;
    const { id: node } = cluster;
    const log = node === undefined ? mainLog : mainLog.child({ node });
    const audit = auditTo(log);
    const liveNodes = node === undefined ? undefined : cluster.others.liveNodes;
    const shares = new Shares(limits.shares, undefined, liveNodes);
    closers.push(() => storage.close());
    closers.push(() => cluster.close());
    for (const check of opened.checks) readiness.add(check);
    const tokens = await Tokens.open(storage, settings.token, (error) =>
      log.error({ err: error }, 'it could not be kept when the tokens were used'),
    );
    closers.push(() => tokens.close());
    const pins = await Pins.open(storage);
    tokens.watch((id) => {
      pins
        .forget(id)
        .catch((error) => log.error({ err: error }, 'the PIN of a revoked token could not be removed'));
    });
    const firstTokens = await makeFirstTokens(tokens, audit);
    const known = await KnownClients.open(storage, (error) =>
      log.error({ err: error }, 'the known clients could not be kept'),
    );
    closers.push(() => known.close());
    tokens.watch((id) => known.forget(id));
    const failures = new FailedAttempts(limits.access, undefined, known, cluster.others);
    const hub = await openHub(storage);
    const shared = settings.database === undefined ? undefined : storage;
    const certificates = await openCertificates({ settings, shared, limits: limits.tls, log });
    const { authority, tls, certify } = certificates;
    closers.push(() => certificates.close());
    const twins = new Twins(storage);
    const devices = new Devices(storage, twins, {
      region: settings.region,
      hubId: hub.id,
      certify,
      ...limits.devices,
      elsewhere: cluster.elsewhere,
      node,
      onError: (error) => log.error({ err: error }, "a device's last activity could not be kept"),
    });
    closers.push(() => devices.presence.close());
    devices.watch((id, why) => {
      if (why === 'deleted') known.forget(id);
    });
    await devices.resumeRemovals((error) => log.error({ err: error }, 'a device could not be removed'));
    const mqtt = startMqtt({
      twins,
      devices,
      sessions: cluster.sessions,
      failures,
      connections,
      shares,
      limits: limits.mqtt,
      audit,
      log,
    });
    endpoints.push(() => mqtt.close());
    const mqttAt = await listening('mqtt', mqtt.listen(settings.mqtt));
    const mqttsAt = settings.mqtts && (await listening('mqtts', mqtt.listen(settings.mqtts, tls)));
    // A board asks the address that it connects to for the time, because TLS needs it.
    const mqttTime = await listening('mqtt', answerTime(mqttAt));
    endpoints.push(() => mqttTime.close());
    const mqttsTime = mqttsAt && (await listening('mqtts', answerTime(mqttsAt)));
    if (mqttsTime !== undefined) endpoints.push(() => mqttsTime.close());
    const { leadership } = cluster;
    const { alerts, subscriptions } = await openAlerts({
      storage,
      settings: await (leadership.isShared
        ? openSettingsDocument(storage, log)
        : openSettingsFile(settings.data)),
      leadership,
      twins,
      devices,
      tokens,
      linkOf: (panelId) => linkTo(rest.appUrls[0], panelId),
      log,
      limits: limits.alerts,
    });
    closers.push(() => alerts.close());
    const bridges =
      settings.homeassistant &&
      (await (
        await import('./homeassistant/open.js')
      ).openBridge(
        {
          settings,
          storage,
          twins,
          devices,
          leadership,
          linkOf: (panelId) => linkTo(rest.appUrls[0], panelId),
          log,
          limits: limits.homeassistant,
        },
        settings.homeassistant,
      ));
    if (bridges !== undefined) closers.push(() => bridges.close());
    const rest = startRest({
      twins,
      devices,
      tokens,
      pins,
      failures,
      connections,
      shares,
      policy,
      proxies,
      hub: {
        ...hub,
        region: settings.region,
        endpoint: publicAddress(mqttsAt ?? mqttAt, settings.names),
        authority: authority.certificate,
      },
      isHealthy: () => storage.healthy,
      readiness,
      alerts,
      subscriptions,
      metrics: [
        ...opened.metrics,
        ...mqttMetrics(mqtt.counters),
        ...alertMetrics(alerts),
        ...bridgeMetrics(bridges),
        ...tlsMetrics(tls, authority),
        ...readinessMetrics(readiness),
        ...nodeMetrics(node),
      ],
      settings,
      limits: limits.rest,
      audit,
      log,
    });
    endpoints.push(() => rest.close());
    cluster.onEnd(() => rest.endOpenAnswers());
    const http = await listening('http', rest.listen(settings.http));
    http.server.on('upgrade', (_, socket) => http.release(socket as Socket));
    acceptWebSockets(http.server, { mqtt, policy, proxies, audit });
    const https = settings.https && (await listening('https', rest.listen(settings.https, tls)));
    if (https !== undefined) {
      https.server.on('upgrade', (_, socket) => https.release(socket as Socket));
      acceptWebSockets(https.server, { mqtt, policy, proxies, audit, tls });
    }
    alerts.begin();
    const endOfLog = readiness.log(log);
    endpoints.push(async () => endOfLog());
    bridges?.begin();
    if (settings.heartbeatUrl !== '') {
      const end = startHeartbeat({
        url: settings.heartbeatUrl,
        prove: () => alerts.prove(),
        leadership,
        log,
      });
      endpoints.push(async () => end());
    }
    const addresses = {
      http: show(http.address),
      mqtt: show(mqttAt),
      https: https && show(https.address),
      mqtts: mqttsAt && show(mqttsAt),
    };
    closers.push(inBackground((pause) => removeLeftovers({ storage, twins, devices, log }, pause), log));
    return {
      node,
      addresses,
      authority: authority.fingerprint,
      appUrls: rest.appUrls,
      firstTokens,
      prove: () => alerts.prove(),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Between two steps of work in the background, in milliseconds. All clients may come back in the first seconds. */
const FIRST_PAUSE_MS = 10_000;
const PAUSE_MS = 50;

/** Runs work that may wait for its turn. Returns a function that ends it. */
function inBackground(work: (pause: () => Promise<void>) => Promise<void>, log: Logger): () => Promise<void> {
  const end = new AbortController();
  let ms = FIRST_PAUSE_MS;
  const pause = async () => {
    await delay(ms, undefined, { signal: end.signal, ref: false });
    ms = PAUSE_MS;
  };
  const ended = work(pause).catch((error) => {
    if (!end.signal.aborted) log.error({ err: error }, 'work in the background failed');
  });
  return () => {
    end.abort();
    return ended;
  };
}

const linkTo = (appUrl = '', panelId: string | null): string =>
  panelId === null || appUrl === '' ? appUrl : `${appUrl}/#panel=${panelId}`;

/** Makes the first tokens when there is none. */
async function makeFirstTokens(tokens: Tokens, audit: Audit): Promise<FirstTokens | undefined> {
  if (tokens.list().length > 0) return undefined;
  const make = async (role: Role, description: string, isFirst: boolean): Promise<string> => {
    const { token, secret } = await tokens.create({ role, description }, undefined, isFirst);
    audit('token_created', { token_id: token.id, reason: 'the first start' });
    return secret;
  };
  try {
    return { owner: await make('owner', '', true), phone: await make('app', 'the first phone', false) };
  } catch (error) {
    if (error instanceof NotFirst) return undefined;
    throw error;
  }
}

/** @throws ListenFailed */
async function listening<T>(setting: 'http' | 'https' | 'mqtt' | 'mqtts', begun: Promise<T>): Promise<T> {
  try {
    return await begun;
  } catch (error) {
    throw new ListenFailed(SETTINGS[setting].variable, error as NodeJS.ErrnoException);
  }
}

const show = ({ address, port }: Pick<AddressInfo, 'address' | 'port'>): string =>
  isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;

const EVERY_ADDRESS = ['0.0.0.0', '::'];

/** The address for clients on other machines, as host:port. */
function publicAddress({ address, port }: AddressInfo, names: readonly string[]): string {
  const [name = EVERY_ADDRESS.includes(address) ? hostname() : address] = names;
  return show({ address: name, port });
}

const HUB = { file: 'server', key: 'hub' };

/** The hub's identity. It is made at the first start. */
async function openHub(storage: Storage): Promise<{ id: string; createdAt: string }> {
  const known = (await readDocuments(storage, HUB.file)).get(HUB.key);
  if (known !== undefined) return hubIn(known);
  const id = randomUUID();
  await changeFile(storage, HUB.file, (latest, updatedAt) =>
    latest.has(HUB.key)
      ? undefined
      : { key: HUB.key, document: { version: 1, updatedAt, data: JSON.stringify({ id }) } },
  );
  return openHub(storage);
}

const hubIn = ({ data, updatedAt }: StoredDocument): { id: string; createdAt: string } => ({
  ...(JSON.parse(data) as { id: string }),
  createdAt: updatedAt,
});
