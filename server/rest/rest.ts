import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { Tokens } from '../access/tokens.js';
import type { Address, Settings } from '../config.js';
import type { Devices } from '../devices/devices.js';
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
  readonly settings: Pick<Settings, 'region' | 'bodyBytes' | 'httpStopMs'> & { readonly http: Address };
  readonly log: Logger;
}

export interface Rest {
  /** Where it listens. */
  readonly address: AddressInfo;
  /** Accepts no one, answers what was asked, ends every connection; takes at most `httpStopMs`. */
  close(): Promise<void>;
}

/**
 * The REST interface.
 * @throws the system's error when it cannot listen, such as EADDRINUSE
 */
export async function startRest({
  twins,
  devices,
  tokens,
  hub,
  isHealthy,
  settings,
  log,
}: RestParts): Promise<Rest> {
  const router = new Router({ region: settings.region, bodyBytes: settings.bodyBytes, tokens, log });
  routeTwins(router, twins, devices);
  routeDevices(router, devices, twins, hub.id);
  routeHubs(router, hub, devices);
  routeTokens(router, tokens);
  router.open('/healthz', (res) => {
    const healthy = isHealthy();
    sendJson(res, healthy ? 200 : 503, JSON.stringify({ status: healthy ? 'ok' : 'storage unavailable' }));
  });

  const server = createServer(router.app.handler as RequestListener);
  server.listen(settings.http.port, settings.http.host);
  await once(server, 'listening');
  server.on('error', (error) => log.error({ err: error }, 'http listener'));
  return {
    address: server.address() as AddressInfo,
    async close() {
      const closed = once(server, 'close');
      server.close();
      // One that waits for an answer ends when it has it.
      server.keepAliveTimeout = 1;
      server.closeIdleConnections();
      const limit = setTimeout(() => server.closeAllConnections(), settings.httpStopMs);
      await closed;
      clearTimeout(limit);
    },
  };
}
