import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Logger } from 'pino';
import { readProxyHeaders } from '../access/balanced.js';
import type { ConnectionLimit } from '../access/connection-limit.js';
import type { FailedAttempts } from '../access/failures.js';
import type { OriginPolicy } from '../access/origin-policy.js';
import type { Pins } from '../access/pins.js';
import type { Proxies } from '../access/proxies.js';
import type { Shares } from '../access/shares.js';
import type { Tokens } from '../access/tokens.js';
import type { Alerts } from '../alerts/alerts.js';
import type { Subscriptions } from '../alerts/subscriptions.js';
import { appUrls } from '../app/pairing.js';
import { appFiles } from '../app/serve.js';
import type { Audit } from '../audit.js';
import type { Address, Settings } from '../config.js';
import type { Devices } from '../devices/devices.js';
import { dropperOf, listen } from '../listen.js';
import type { Metric } from '../metrics.js';
import { serverNames } from '../names.js';
import type { Readiness } from '../readiness.js';
import type { Tls } from '../tls/tls.js';
import type { Twins } from '../twins/twins.js';
import { routeAlerts } from './alerts.js';
import { HttpConnections } from './connection.js';
import { routeDevices } from './devices.js';
import { UNKNOWN_RESOURCE } from './errors.js';
import { routeEvents } from './events.js';
import { routeHealth } from './health.js';
import { routeHistory } from './history.js';
import { createHttpServer, refusedBy } from './http-server.js';
import { type Hub, routeHubs } from './hubs.js';
import { REST_LIMITS, type RestLimits } from './limits.js';
import { routeMetrics } from './metrics.js';
import { routeMissingFeatures } from './missing-features.js';
import { OpenAnswers } from './open-answers.js';
import { routeOverview } from './overview.js';
import { routePins } from './pins.js';
import { Router } from './router.js';
import { routeTokens } from './tokens.js';
import { routeTwins } from './twins.js';
import { UnreadAnswers } from './unread.js';

interface RestContext {
  readonly twins: Twins;
  readonly devices: Devices;
  readonly tokens: Tokens;
  readonly pins: Pins;
  /** Shared with MQTT, as the connections are. */
  readonly failures: FailedAttempts;
  readonly connections: ConnectionLimit;
  readonly shares: Shares;
  readonly policy: OriginPolicy;
  readonly proxies: Proxies;
  readonly hub: Omit<Hub, 'appUrls' | 'warnings'>;
  /** Whether the storage takes writes. */
  readonly isHealthy: () => boolean;
  readonly readiness: Readiness;
  readonly alerts: Alerts;
  readonly subscriptions: Subscriptions;
  /** What the other parts of the server count. */
  readonly metrics: readonly Metric[];
  readonly settings: Pick<Settings, 'region' | 'names' | 'hstsSeconds' | 'historyVersions' | 'historyBytes'>;
  /** Limits other than those of REST_LIMITS. */
  readonly limits?: Partial<RestLimits> | undefined;
  readonly audit: Audit;
  readonly log: Logger;
}

interface Listener {
  readonly address: AddressInfo;
  readonly server: HttpServer | HttpsServer;
}

interface HttpListener extends Listener {
  /** A socket goes on with another protocol than HTTP. It is closed when requests before that still wait. */
  release(socket: Socket): void;
}

interface Rest {
  /**
   * Listens on an address, with TLS where that is given. May be called for several addresses.
   * @throws the system's error when it cannot listen, such as EADDRINUSE
   */
  listen(address: Address, tls?: Tls): Promise<HttpListener>;
  /** Where the app is, the address first that a phone should use. */
  readonly appUrls: readonly string[];
  /** Ends every stream of events and every write that waits. Their clients come back, here or to another server. */
  endOpenAnswers(): void;
  /** Takes no more connections, answers what was asked, and ends every connection; takes at most `stopMs`. */
  close(): Promise<void>;
}

/** The REST interface. It listens on no address before `listen` is called. */
export function startRest(context: RestContext): Rest {
  const { twins, devices, tokens, pins, hub, readiness, settings, log } = context;
  const limits = { ...REST_LIMITS, ...context.limits };
  const { region, hstsSeconds } = settings;
  const { bodyBytes } = limits;
  const connections = new HttpConnections({ ...context, limits });
  const router = new Router({ ...context, region, bodyBytes, connections });
  const unread = new UnreadAnswers();
  const streams = new OpenAnswers(tokens, devices, {
    what: 'streams of events',
    perToken: limits.eventsPerToken,
    total: limits.events,
  });
  const waits = new OpenAnswers(tokens, devices, {
    what: 'writes that wait',
    perToken: limits.waitsPerToken,
    total: limits.waits,
  });
  const histories = new OpenAnswers(tokens, devices, {
    what: 'histories',
    perToken: limits.historiesPerToken,
    total: limits.histories,
  });
  routeTwins(router, { twins, devices, pins, waits, limits });
  routeHistory(router, { twins, devices, histories, limits, settings });
  routeEvents(router, { twins, devices, streams, limits });
  routeDevices(router, devices, hub.id);
  const listeners: (Listener & { readonly secure: boolean; drop(): void; dropWaiting(): void })[] = [];
  const urls = () => appUrls(listeners, serverNames(settings.names), settings.names.length > 0);
  routeHubs(router, { ...hub, appUrls: urls, warnings: () => readiness.warnings }, devices);
  routeMetrics(router, { streams, waits, devices, twins, metrics: context.metrics });
  routeTokens(router, { tokens, devices, pins });
  routePins(router, tokens, pins);
  routeOverview(router, { twins, devices, tokens, pins });
  routeAlerts(router, context);
  routeMissingFeatures(router);
  for (const { route, answer } of appFiles(region)) {
    router.onPublic(route, { host: true, origin: false }, async (req, res) => {
      const bytes = await answer(req, res);
      if (bytes === undefined) throw UNKNOWN_RESOURCE;
      return bytes;
    });
  }
  routeHealth(router, context);

  const release = (socket: Socket): void => {
    unread.release(socket);
    if (!connections.release(socket)) socket.destroy();
  };
  const handler = connections.serve(router);
  return {
    get appUrls() {
      return urls();
    },
    async listen(where, tls) {
      const server = createHttpServer(
        {
          handler,
          limits,
          hstsSeconds,
          connections,
          unread,
          connectionLimit: context.connections,
          shares: context.shares,
          audit: context.audit,
          log,
        },
        tls,
      );
      const drop = tls === undefined ? () => server.closeAllConnections() : dropperOf(server);
      const dropWaiting = readProxyHeaders(server, {
        connections: context.connections,
        firstBytesMs: limits.headersMs,
        refused: refusedBy(context.audit),
      });
      const address = await listen(server, where);
      listeners.push({ address, server, drop, dropWaiting, secure: tls !== undefined });
      server.on('error', (error) => log.error({ err: error }, 'http listener'));
      return { address, server, release };
    },
    endOpenAnswers() {
      streams.endAll();
      waits.endAll();
    },
    async close() {
      unread.close();
      streams.close();
      waits.close();
      for (const { dropWaiting } of listeners) dropWaiting();
      await Promise.all(listeners.map(({ server, drop }) => closeServer(server, drop, limits.stopMs)));
    },
  };
}

async function closeServer(server: Listener['server'], drop: () => void, limitMs: number): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  // A connection that waits for an answer ends when it has it.
  server.keepAliveTimeout = 1;
  server.closeIdleConnections();
  const limit = setTimeout(drop, limitMs);
  await closed;
  clearTimeout(limit);
}
