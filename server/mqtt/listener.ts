/** The in-band endpoint: it listens, and makes a connection for each client. */

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { LRUCache } from 'lru-cache';
import { readProxyHeaders } from '../access/balanced.js';
import type { ConnectionLimit } from '../access/connection-limit.js';
import { paceHandshakes } from '../access/handshakes.js';
import type { Shares } from '../access/shares.js';
import type { Address } from '../config.js';
import { LineLimit } from '../line-limit.js';
import { dropperOf, listen } from '../listen.js';
import { memo } from '../memo.js';
import type { Tls } from '../tls/tls.js';
import { type Peer, peerOf } from './admission.js';
import { type ClientStream, Connection } from './connection.js';
import { Connections } from './connections.js';
import { type Endpoint, MQTT_LIMITS, type MqttCounters, type MqttLimits } from './endpoint.js';
import { readIntoOneBuffer } from './one-buffer.js';
import { Backlog } from './output.js';
import { Revocations } from './session.js';

/** How many backlogs are remembered. One of a device with connections is remembered by them. */
const BACKLOGS = 10_000;

export interface Mqtt {
  readonly limits: MqttLimits;
  readonly counters: Readonly<MqttCounters>;
  /**
   * Serves clients at an address, by TLS when that is given. It can be called for several addresses.
   * @throws the system's error when it cannot listen, such as EADDRINUSE
   */
  listen(address: Address, tls?: Tls): Promise<AddressInfo>;
  /** Serves a client that did not come by one of these listeners. */
  serve(stream: ClientStream, peer: Peer): void;
  /** Accepts no more clients, answers all requests and ends every connection, within `stopMs`. */
  close(): Promise<void>;
}

/** Starts the endpoint. It listens nowhere until {@link Mqtt.listen} is called. */
export function startMqtt(
  parts: Omit<Endpoint, 'backlogOf' | 'counters' | 'limits' | 'revocations' | 'warnings'> & {
    /** Shared with REST. */
    readonly connections: ConnectionLimit;
    /** Limits other than those of MQTT_LIMITS. */
    readonly limits?: Partial<MqttLimits> | undefined;
  },
): Mqtt {
  const { devices, audit, log } = parts;
  const limits = { ...MQTT_LIMITS, ...parts.limits };
  const backlogOf = memo<string, Backlog>(() => new Backlog(limits), new LRUCache({ max: BACKLOGS }));
  const counters: MqttCounters = { connections: 0, accepted: 0, refused: 0, dropped: 0, droppedPublishes: 0 };
  const revocations = new Revocations();
  const endpoint: Endpoint = {
    ...parts,
    limits,
    backlogOf,
    counters,
    revocations,
    warnings: new LineLimit(),
  };
  const connections = new Connections(endpoint);
  const servers: Server[] = [];
  const droppers: (() => void)[] = [];
  const unwatch = devices.watch((deviceId, why) => {
    revocations.add(deviceId);
    connections.revoke(deviceId, why);
  });
  let isStopping = false;

  const serve = (stream: ClientStream, peer: Peer) => {
    if (isStopping) stream.destroy();
    else new Connection(stream, peer, endpoint, connections);
  };

  return {
    limits,
    counters,
    serve,
    async listen(address, tls) {
      const server = serverFor(tls, parts.shares);
      const refused = (source: string, reason: string) =>
        audit('connection_refused', { source, via: 'mqtt', reason });
      parts.connections.watch(server, refused);
      server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
        if (socket.destroyed) return;
        if (tls === undefined) readIntoOneBuffer(socket);
        serve(socket, peerOf(socket, tls));
      });
      if (tls !== undefined) droppers.push(dropperOf(server));
      const { connections: limit } = parts;
      droppers.push(
        readProxyHeaders(server, { connections: limit, firstBytesMs: limits.connectMs, refused }),
      );
      const found = await listen(server, address);
      servers.push(server);
      server.on('error', (error) => log.error({ err: error }, 'mqtt listener'));
      return found;
    },
    async close() {
      isStopping = true;
      const closed = servers.map((server) => once(server, 'close'));
      for (const server of servers) server.close();
      await connections.stop(limits.stopMs);
      for (const drop of droppers) drop();
      await Promise.all(closed);
      unwatch();
    },
  };
}

function serverFor(tls: Tls | undefined, shares: Shares): Server {
  if (tls === undefined) return createServer({ noDelay: true });
  const server = createTlsServer({ ...tls.options, noDelay: true });
  paceHandshakes(server, shares);
  tls.attend(server);
  return server;
}
