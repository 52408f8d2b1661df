/** Servers on one database, each with links of its own to it, behind HAProxy as `server/deploy/cluster` sets it. */

import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../free-port.js';
import { pathOf } from '../../programs.js';
import { nodeOf } from '../../system/node-of.js';
import { startProgram } from '../../system/process.js';
import { type Server, startServer } from '../../system/server.js';
import { type Link, startLink } from '../link.js';
import type { Databases } from './databases.js';

export interface PlaygroundServer {
  /** From 1. */
  readonly number: number;
  readonly isRunning: boolean;
  readonly isCut: boolean;
  /** Its id among the servers, new at each start. Undefined while it does not answer. */
  node(token: string): Promise<string | undefined>;
  /** Whether the balancer may send clients to it. */
  isReady(): Promise<boolean>;
  /** Starts it again, at its old addresses. */
  start(): Promise<void>;
  /** SIGKILL. */
  kill(): void;
  /** Between it and all databases. */
  cut(): void;
  mend(): void;
}

export interface Balanced {
  readonly each: readonly PlaygroundServer[];
  /** The owner token, as the first server printed it. */
  readonly token: string;
  /** Through HAProxy: `http://127.0.0.1:…`, `mqtt://127.0.0.1:…` and so on. */
  readonly addresses: Readonly<Record<Protocol, string>>;
  /** Rejects when HAProxy ends, with what it said. */
  readonly lost: Promise<never>;
}

const HOST = '127.0.0.1';
const COUNT = 3;
const BALANCER = 'server/deploy/cluster/haproxy.cfg';
const PROTOCOLS = ['http', 'https', 'mqtt', 'mqtts'] as const;
type Protocol = (typeof PROTOCOLS)[number];
const TOKEN = /^Owner token, shown this once: (\S+)$/;
/** How long a server may take to say whether it is ready, in milliseconds. */
const ANSWER_MS = 1000;

/** Starts them one after the other. The first one makes the tables and the owner token. */
export async function startServers(databases: Databases, directory: string): Promise<Balanced> {
  const authority = { TWIN_AUTHORITY_SECRET: randomBytes(16).toString('hex') };
  const started = [];
  for (let number = 1; number <= COUNT; number += 1)
    started.push(await startOne(number, databases, directory, authority));
  const servers = started.map(({ server }) => server);
  const [token] = servers.flatMap(({ program }) =>
    program.lines.flatMap((line) => TOKEN.exec(line)?.[1] ?? []),
  );
  if (token === undefined) throw new Error('no server has printed an owner token');

  const ports: [Protocol, number][] = [];
  for (const protocol of PROTOCOLS) ports.push([protocol, await freePort()]);
  const file = join(directory, 'haproxy.cfg');
  const portOf = Object.fromEntries(ports) as Record<Protocol, number>;
  writeFileSync(file, configuration(servers, portOf));
  const balancer = startProgram([pathOf('haproxy') ?? '', '-db', '-f', file]);
  return {
    each: started.map(({ one }) => one),
    token,
    addresses: Object.fromEntries(
      ports.map(([protocol, port]) => [protocol, `${protocol}://${HOST}:${port}`]),
    ) as Record<Protocol, string>,
    lost: balancer.line<never>(() => undefined),
  };
}

async function startOne(
  number: number,
  databases: Databases,
  directory: string,
  authority: Record<string, string>,
): Promise<{ one: PlaygroundServer; server: Server }> {
  const links: Link[] = [];
  for (const { port } of databases.each) links.push(await startLink(port));
  const env = {
    ...authority,
    // The first server makes one.
    TWIN_TOKEN: '',
    TWIN_DATABASE: databases.url(links.map(({ port }) => port)),
    TWIN_PROXIES: HOST,
  };
  const start = (listen: Record<string, string>): Promise<Server> =>
    startServer({ data: join(directory, `server${number}`), env: { ...env, ...listen } });
  const server = await start({ TWIN_HTTPS: `${HOST}:0`, TWIN_MQTTS: `${HOST}:0` });
  const listen = Object.fromEntries(
    PROTOCOLS.map((protocol) => [`TWIN_${protocol.toUpperCase()}`, new URL(server[protocol]).host]),
  );
  let running: Server | undefined = server;
  let isCut = false;
  const one: PlaygroundServer = {
    number,
    get isRunning() {
      return running !== undefined;
    },
    get isCut() {
      return isCut;
    },
    node: (token) => nodeOf(server.http, token),
    isReady: () =>
      fetch(`${server.http}/readyz`, { signal: AbortSignal.timeout(ANSWER_MS) }).then(
        ({ ok }) => ok,
        () => false,
      ),
    async start() {
      running = await start(listen);
    },
    kill() {
      if (running !== undefined) process.kill(running.pid, 'SIGKILL');
      running = undefined;
    },
    cut() {
      isCut = true;
      for (const link of links) link.cut();
    },
    mend() {
      isCut = false;
      for (const link of links) link.heal();
    },
  };
  return { one, server };
}

/** That of the deployment, and two listeners without TLS, because all of it is on one computer. */
function configuration(servers: Server[], ports: Record<Protocol, number>): string {
  const hostOf = (server: Server, protocol: Protocol): string => new URL(server[protocol]).host;
  const changes: [string, string][] = [
    ['maxconn 40000', 'maxconn 1000'],
    ['bind :8443', `bind ${HOST}:${ports.https}`],
    ['bind :8883', `bind ${HOST}:${ports.mqtts}`],
    ...servers.flatMap((server, index): [string, string][] => {
      const check = new URL(server.https).port;
      return [
        [`server${index + 1}:8443`, hostOf(server, 'https')],
        [`server${index + 1}:8883 port 8443`, `${hostOf(server, 'mqtts')} port ${check}`],
      ];
    }),
  ];
  const deployed = changes.reduce(
    (text, [from, to]) => text.replaceAll(from, to),
    readFileSync(BALANCER, 'utf8'),
  );
  const plain = (['http', 'mqtt'] as const).map((protocol) => {
    const lines = servers.map((server, index) => {
      const check = new URL(server.http).port;
      return `  server server${index + 1} ${hostOf(server, protocol)} port ${check} no-check-ssl\n`;
    });
    return `\nlisten ${protocol}\n  bind ${HOST}:${ports[protocol]}\n${lines.join('')}`;
  });
  return deployed + plain.join('');
}
