import { once } from 'node:events';
import { createServer, type Server as HttpServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer, type Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { Tokens } from '../access/tokens.js';
import type { Address, Settings } from '../config.js';
import type { Devices } from '../devices/devices.js';
import { listen } from '../listen.js';
import type { Tls } from '../tls/tls.js';
import type { Twins } from '../twins/twins.js';
import { routeDevices } from './devices.js';
import { type HubOptions, routeHubs } from './hubs.js';
import { Router, sendJson } from './router.js';
import { routeTokens } from './tokens.js';
import { routeTwins } from './twins.js';

export interface RestParts {
  readonly twins: Twins;
  readonly devices: Devices;
  readonly tokens: Tokens;
  readonly hub: HubOptions;
  /** Whether the storage takes writes. */
  readonly isHealthy: () => boolean;
  readonly settings: Pick<Settings, 'region' | 'bodyBytes' | 'httpStopMs'>;
  readonly log: Logger;
}

export interface Listener {
  readonly address: AddressInfo;
  readonly server: HttpServer | HttpsServer;
}

export interface Rest {
  /**
   * Serves whoever comes to an address, by TLS where that is given. May be called for several addresses.
   * @throws the system's error when it cannot listen, such as EADDRINUSE
   */
  listen(address: Address, tls?: Tls): Promise<Listener>;
  /** Accepts no one, answers what was asked, ends every connection; takes at most `httpStopMs`. */
  close(): Promise<void>;
}

/** The REST interface; it listens nowhere until it is told to. */
export function startRest({ twins, devices, tokens, hub, isHealthy, settings, log }: RestParts): Rest {
  const router = new Router({ region: settings.region, bodyBytes: settings.bodyBytes, tokens, log });
  routeTwins(router, twins, devices);
  routeDevices(router, devices, twins, hub.id);
  routeHubs(router, hub, devices);
  routeTokens(router, tokens, devices);
  router.open('/healthz', (res) => {
    const healthy = isHealthy();
    sendJson(res, healthy ? 200 : 503, JSON.stringify({ status: healthy ? 'ok' : 'storage unavailable' }));
  });

  const handler = router.app.handler as RequestListener;
  const servers: Listener['server'][] = [];
  return {
    async listen(where, tls) {
      const server = tls === undefined ? createServer(handler) : createTlsServer(tls.options, handler);
      if (tls !== undefined) tls.attend(server as HttpsServer);
      const address = await listen(server, where);
      servers.push(server);
      server.on('error', (error) => log.error({ err: error }, 'http listener'));
      return { address, server };
    },
    async close() {
      await Promise.all(servers.map((server) => closeServer(server, settings.httpStopMs)));
    },
  };
}

async function closeServer(server: Listener['server'], limitMs: number): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  // One that waits for an answer ends when it has it.
  server.keepAliveTimeout = 1;
  server.closeIdleConnections();
  const limit = setTimeout(() => server.closeAllConnections(), limitMs);
  await closed;
  clearTimeout(limit);
}
