/** The real server as a process of its own, on free ports, with an owner token known to the test. */

import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Limits } from '../../server/server.js';
import { databaseFor } from '../database-under-test.js';
import { type Ended, type Program, startProgram } from './process.js';

const REGION = 'fr-par';

const ON_NODE = [process.execPath, '--import', 'tsx'];
/** The command line of the server. */
export const SERVER = [...ON_NODE, 'server/main.ts'];
/** The same with limits of its own, in `TEST_LIMITS`. */
const LIMITED_SERVER = [...ON_NODE, 'test/limited-server.ts'];

export interface ServerOptions {
  /** A data directory to use again, which stays; by default a new one, which goes when the server is stopped. */
  data?: string;
  /** The owner token; a new one by default. */
  token?: string;
  env?: Record<string, string>;
  /** Limits other than the server's own. */
  limits?: Limits;
  /** A command that runs the server: it takes the server's command line as its last arguments. */
  wrapper?: string[];
}

export interface Server {
  /** `http://127.0.0.1:…`, without a path. */
  readonly http: string;
  /** `mqtt://127.0.0.1:…` */
  readonly mqtt: string;
  /** `https://127.0.0.1:…` */
  readonly https: string;
  /** `mqtts://127.0.0.1:…` */
  readonly mqtts: string;
  /** What the documentation's curl lines call `$IOT_API`. */
  readonly iotApi: string;
  readonly token: string;
  readonly data: string;
  readonly pid: number;
  readonly program: Program;
  /** A request with the owner token to a path below the region: `api('/devices')`. */
  api(path: string, init?: RequestInit): Promise<Response>;
  /** SIGTERM by default; resolves when the process has ended. */
  stop(signal?: NodeJS.Signals): Promise<Ended>;
}

export async function startServer(options: ServerOptions = {}): Promise<Server> {
  const data = options.data ?? mkdtempSync(join(tmpdir(), 'twin-'));
  const token = options.token ?? randomUUID();
  const database = await databaseFor(data);
  const command = options.limits === undefined ? SERVER : LIMITED_SERVER;
  const program = startProgram([...(options.wrapper ?? []), ...command], {
    TWIN_DATA: data,
    TWIN_HTTP: '127.0.0.1:0',
    TWIN_MQTT: '127.0.0.1:0',
    TWIN_TOKEN: token,
    TWIN_REGION: REGION,
    TWIN_LOG: 'info',
    ...(database !== undefined && { TWIN_DATABASE: database }),
    ...(options.limits !== undefined && { TEST_LIMITS: JSON.stringify(options.limits) }),
    ...options.env,
  });
  const listening = await program.line(parseListening);
  const http = `http://${listening.http}`;
  const iotApi = `${http}/iot/v1/regions/${REGION}`;
  return {
    http,
    mqtt: `mqtt://${listening.mqtt}`,
    https: `https://${listening.https}`,
    mqtts: `mqtts://${listening.mqtts}`,
    iotApi,
    token,
    data,
    pid: listening.pid,
    program,
    api: (path, init) =>
      fetch(`${iotApi}${path}`, { ...init, headers: { 'X-Auth-Token': token, ...init?.headers } }),
    async stop(signal) {
      // Not the wrapper, where there is one: it may keep signals to itself.
      const ended = await program.stop(signal, listening.pid);
      if (options.data === undefined) rmSync(data, { recursive: true, force: true });
      return ended;
    },
  };
}

interface Listening {
  pid: number;
  http: string;
  mqtt: string;
  https?: string;
  mqtts?: string;
}

function parseListening(line: string): Listening | undefined {
  if (!line.startsWith('{')) return undefined;
  const entry = JSON.parse(line) as Partial<Listening> & { msg?: string };
  const { msg, pid, http, mqtt } = entry;
  if (msg !== 'listening' || pid === undefined || http === undefined || mqtt === undefined) return undefined;
  return { ...entry, pid, http, mqtt };
}

export interface Credentials {
  id: string;
  password: string;
  certificate: { crt: string; key: string };
}

/** A new device, which may connect without TLS unless that is forbidden. */
export async function createDevice(
  server: Server,
  name: string,
  options: { allow_multiple_connections?: boolean; allow_insecure?: boolean } = {},
): Promise<Credentials> {
  const response = await server.api('/devices', {
    method: 'POST',
    body: JSON.stringify({ name, allow_insecure: true, ...options }),
  });
  if (!response.ok) throw new Error(`device not created: ${response.status} ${await response.text()}`);
  return credentialsIn(await response.json());
}

/** Replaces what the device proves itself with. */
export async function renewDevice(server: Server, id: string): Promise<Credentials> {
  const response = await server.api(`/devices/${id}/renew-certificate`, { method: 'POST' });
  return credentialsIn(await response.json());
}

function credentialsIn(body: unknown): Credentials {
  const { device, ...proofs } = body as { device: { id: string } } & Omit<Credentials, 'id'>;
  return { id: device.id, ...proofs };
}

/** The authority's certificate, in PEM. */
export async function authorityOf(server: Server): Promise<string> {
  const { hubs } = (await (await server.api('/hubs')).json()) as { hubs: { id: string }[] };
  const answer = await server.api(`/hubs/${hubs[0]?.id}/ca`);
  return ((await answer.json()) as { ca_cert_pem: string }).ca_cert_pem;
}
