/** The transports of the endpoint. Every suite that uses a socket runs once over each of them. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { suite, type Test } from 'uvu';
import { createWebSocketStream, WebSocket } from 'ws';
import type { ConnectionLimit } from '../../../server/access/connection-limit.js';
import { OriginPolicy } from '../../../server/access/origin-policy.js';
import { Proxies } from '../../../server/access/proxies.js';
import type { Audit } from '../../../server/audit.js';
import { listen } from '../../../server/listen.js';
import type { Mqtt } from '../../../server/mqtt/listener.js';
import { acceptWebSockets } from '../../../server/mqtt/websocket.js';
import { issue } from '../../../server/tls/issue.js';
import type { Tls } from '../../../server/tls/tls.js';

const LOOPBACK = { host: '127.0.0.1', port: 0 };
const DAY_MS = 86_400_000;

/** Where an endpoint is reached, each a port of 127.0.0.1. */
export interface Ports {
  readonly tcp: number;
  readonly tls: number;
  readonly http: number;
}

export interface Listening {
  readonly ports: Ports;
  close(): Promise<void>;
}

/** A server certificate that the clients do not check. They show none themselves. */
const { certificate: cert, key } = await issue({
  usage: 'server',
  commonName: 'localhost',
  names: [{ type: 'ip', value: '127.0.0.1' }],
  notBefore: new Date(Date.now() - DAY_MS),
  notAfter: new Date(Date.now() + DAY_MS),
  issuer: undefined,
});
export const OWN_TLS: Tls = { options: { cert, key }, attend: () => undefined, shown: () => undefined };

export const OWN_POLICY = new OriginPolicy({ names: ['127.0.0.1'], origins: [] });
export const NO_PROXIES = new Proxies([]);

interface Parts {
  connections: ConnectionLimit;
  audit: Audit;
}

/** Listens for every transport. */
export async function listenEverywhere(mqtt: Mqtt, { connections, audit }: Parts): Promise<Listening> {
  const http = createServer();
  connections.watch(http, (source) => audit('connection_refused', { source, via: 'rest' }));
  acceptWebSockets(http, { mqtt, policy: OWN_POLICY, proxies: NO_PROXIES, audit });
  const [tcp, tls, web] = [
    await mqtt.listen(LOOPBACK),
    await mqtt.listen(LOOPBACK, OWN_TLS),
    await listen(http, LOOPBACK),
  ];
  return {
    ports: { tcp: tcp.port, tls: tls.port, http: web.port },
    async close() {
      const closed = once(http, 'close');
      http.close();
      await Promise.all([mqtt.close(), closed]);
    },
  };
}

export interface Transport {
  readonly name: string;
  /** As clients write it. */
  url(ports: Ports): string;
  /** A client's end of a new connection, from an address of this machine. */
  connect(ports: Ports, from?: string): Promise<Duplex>;
}

export const TCP: Transport = {
  name: 'TCP',
  url: ({ tcp }) => `mqtt://127.0.0.1:${tcp}`,
  async connect({ tcp: port }, localAddress = '127.0.0.1') {
    const socket = connect({ host: '127.0.0.1', port, localAddress, noDelay: true });
    await once(socket, 'connect');
    return socket;
  },
};

export const TLS: Transport = {
  name: 'TLS',
  url: ({ tls }) => `mqtts://127.0.0.1:${tls}`,
  async connect({ tls: port }, localAddress = '127.0.0.1') {
    const socket = connectTls({
      socket: connect({ host: '127.0.0.1', port, localAddress, noDelay: true }),
      rejectUnauthorized: false,
    });
    await once(socket, 'secureConnect');
    return socket;
  },
};

export const WEBSOCKET: Transport = {
  name: 'WebSocket',
  url: ({ http }) => `ws://127.0.0.1:${http}/mqtt`,
  async connect(ports, localAddress = '127.0.0.1') {
    const webSocket = new WebSocket(WEBSOCKET.url(ports), 'mqtt', { localAddress });
    await once(webSocket, 'open');
    const stream = createWebSocketStream(webSocket, { allowHalfOpen: false });
    // It would wait for ever for its last writes where the connection broke.
    webSocket.on('close', () => stream.destroy());
    return stream;
  },
};

export const TRANSPORTS: readonly Transport[] = [TCP, TLS, WEBSOCKET];

/** A suite for each transport, defined alike. */
export function overEach(name: string, define: (test: Test, transport: Transport) => void): { run(): void } {
  const suites = TRANSPORTS.map((transport) => {
    const test = suite(`${name} over ${transport.name}`);
    define(test, transport);
    return test;
  });
  return {
    run() {
      for (const test of suites) test.run();
    },
  };
}
