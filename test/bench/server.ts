import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Address } from '../../server/config.js';
import { REST_LIMITS } from '../../server/rest/limits.js';
import type { Limits } from '../../server/server.js';
import type { Bench } from './bench.js';
import type { Credentials } from './load/mqtt.js';
import type { Program, Target } from './program.js';

export interface Server {
  program: Program;
  http: Target;
  mqtt: Target;
  https: Target;
  mqtts: Target;
  token: string;
  directory: string;
}

export interface ServerOptions {
  /** With data in it; an empty one when absent. */
  directory?: string;
  /** The program that runs it, when it is not the one that runs the bench. */
  node?: string;
  /** Another command line than that of the sources. */
  command?: readonly string[];
  /** Loads `probe.ts` into the process, to be asked through `program.ask`. */
  probe?: boolean;
  /** With the limits that every server has. Without it one client may ask as much as it can. */
  limited?: boolean;
  /** The largest heap of the process, in MiB. */
  heapMebibytes?: number;
  /** The certificate of a push service on this machine. */
  pushAuthority?: string;
  /** Settings other than these. */
  environment?: Record<string, string>;
  /** How long a changed file waits before it is written, where that is not to be as in earnest. */
  writeBehindMs?: number;
  /** It is one of several servers on this database, which all have the same owner token. */
  shared?: { database: string; token: string };
}

export const BASE = '/iot/v1/regions/fr-par';
const CREATED_AT_ONCE = 16;

/** The load comes from one machine, with one token. */
const noLimits = ({ pushAuthority, writeBehindMs }: ServerOptions) => ({
  TWIN_CONNECTIONS_PER_SOURCE: '16384',
  TEST_LIMITS: JSON.stringify({
    shares: { workPerSecond: 1e12 },
    rest: { eventsPerToken: REST_LIMITS.events },
    ...(pushAuthority !== undefined && { alerts: { pushAuthority } }),
    ...(writeBehindMs !== undefined && { storage: { writeBehindMs } }),
  } satisfies Limits),
});

/** The server as it is run in earnest, but for what one client may ask, on free ports. */
export async function startServer(bench: Bench, options: ServerOptions = {}): Promise<Server> {
  const { directory, node = process.execPath, command, probe = false, limited = false } = options;
  const { heapMebibytes, environment = {}, shared } = options;
  const data = directory ?? (await bench.directory());
  const token = shared?.token ?? randomUUID();
  const { cpuProfiles } = bench.options;
  const profile = cpuProfiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${cpuProfiles}`];
  const heap = heapMebibytes === undefined ? [] : [`--max-old-space-size=${heapMebibytes}`];
  const inside = probe ? ['--import', './test/bench/probe.ts'] : [];
  const program = bench.start(
    command ?? [node, ...profile, ...heap, '--import', 'tsx', ...inside, 'test/limited-server.ts'],
    {
      role: shared === undefined ? 'subject' : 'anywhere',
      channel: probe,
      environment: {
        TWIN_DATA: data,
        TWIN_HTTP: '127.0.0.1:0',
        TWIN_MQTT: '127.0.0.1:0',
        TWIN_TOKEN: token,
        TWIN_LOG: 'info',
        ...(shared !== undefined && { TWIN_DATABASE: shared.database }),
        ...(limited ? {} : noLimits(options)),
        ...environment,
      },
    },
  );
  const { http, mqtt, https, mqtts } = await program.line(listening);
  return {
    program,
    http: { program, address: http },
    mqtt: { program, address: mqtt },
    https: { program, address: https, byTls: true },
    mqtts: { program, address: mqtts, byTls: true },
    token,
    directory: data,
  };
}

type Listener = 'http' | 'mqtt' | 'https' | 'mqtts';

function listening(line: string): Record<Listener, Address> | undefined {
  if (!line.includes('"msg":"listening"')) return undefined;
  const { http, mqtt, https, mqtts } = JSON.parse(line);
  return { http: address(http), mqtt: address(mqtt), https: address(https), mqtts: address(mqtts) };
}

function address(text: string): Address {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
}

export const documentPath = (twinId: string, name: string): string =>
  `${BASE}/twins/${twinId}/documents/${name}`;

/** What a REST call needs of a server. */
export interface Reached {
  http: Pick<Target, 'address'>;
  token: string;
}

const agent = new Agent({ keepAlive: true });

/** One REST call, by a client that takes little time itself; gives the body. @throws Error for an answer that is not a 2xx */
export async function call(server: Reached, method: string, path: string, body?: unknown): Promise<string> {
  const { host, port } = server.http.address;
  const headers = { 'X-Auth-Token': server.token, 'Content-Type': 'application/json' };
  const asked = request({ host, port, method, path, headers, agent });
  asked.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const answer = await text(response);
  const status = response.statusCode ?? 0;
  if (status < 200 || status >= 300) throw new Error(`${method} ${path}: ${status} ${answer}`);
  return answer;
}

/** Makes devices over REST. */
export async function createDevices(
  server: Server,
  count: number,
  more: Record<string, unknown> = {},
): Promise<Credentials[]> {
  const made: Credentials[] = [];
  const numbers = Array.from({ length: count }, (_, index) => index).values();
  const worker = async () => {
    for (const number of numbers) {
      const input = { name: `bench-${number}`, allow_insecure: true, ...more };
      const { device, ...credentials } = JSON.parse(await call(server, 'POST', `${BASE}/devices`, input));
      made.push({ id: device.id, ...credentials });
    }
  };
  await Promise.all(Array.from({ length: CREATED_AT_ONCE }, worker));
  return made;
}
