import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Logger } from 'pino';
import type { Address } from '../config.js';
import { listen } from '../listen.js';
import type { Tls } from '../tls/tls.js';
import type { Twins } from '../twins/twins.js';
import type { Peer } from './admission.js';
import type { ClientStream } from './connection.js';
import { Connections } from './connections.js';
import type { KnownDevices, MqttCounters, MqttSettings } from './endpoint.js';
import { peerOf } from './peer.js';

export interface MqttParts {
  readonly twins: Twins;
  readonly devices: KnownDevices;
  readonly settings: MqttSettings;
  readonly log: Logger;
}

export interface Mqtt {
  /** Grows while it runs. */
  readonly counters: Readonly<MqttCounters>;
  /**
   * Serves whoever comes to an address, by TLS where that is given. May be called for several addresses.
   * @throws the system's error when it cannot listen, such as EADDRINUSE
   */
  listen(address: Address, tls?: Tls): Promise<AddressInfo>;
  /** Serves a client that came another way than by a listener. */
  open(stream: ClientStream, peer: Peer): void;
  /** Accepts no one, answers what was asked, ends every connection; takes at most `mqttStopMs`. */
  close(): Promise<void>;
}

/** The in-band endpoint; it listens nowhere until it is told to. */
export function startMqtt({ twins, devices, settings, log }: MqttParts): Mqtt {
  const counters: MqttCounters = { connections: 0, accepted: 0, refused: 0, dropped: 0, droppedPublishes: 0 };
  const connections = new Connections({ twins, devices, settings, log, counters });
  const servers: Server[] = [];
  const unwatch = devices.watch((deviceId, why) => connections.revoke(deviceId, why));

  return {
    counters,
    async listen(address, tls) {
      const server = serverFor(connections, tls);
      const found = await listen(server, address);
      servers.push(server);
      server.on('error', (error) => log.error({ err: error }, 'mqtt listener'));
      return found;
    },
    open: (stream, peer) => connections.open(stream, peer),
    async close() {
      const closed = servers.map((server) => once(server, 'close'));
      for (const server of servers) server.close();
      await connections.finish(settings.mqttStopMs);
      await Promise.all(closed);
      unwatch();
    },
  };
}

function serverFor(connections: Connections, tls: Tls | undefined): Server {
  const accept = (socket: Socket) => connections.open(socket, peerOf(socket, tls));
  if (tls === undefined) return createServer({ noDelay: true }, accept);
  const server = createTlsServer({ ...tls.options, noDelay: true }, accept);
  tls.attend(server);
  return server;
}
