/** Equal servers on one database, behind HAProxy, which passes TCP on to those that are ready. */

import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../free-port.js';
import { pathOf } from '../programs.js';
import { type Program, startProgram } from '../system/process.js';
import { type Server, type ServerOptions, startServer } from '../system/server.js';
import { until } from '../until.js';

export interface Servers {
  /** Through the balancer: `http://127.0.0.1:…` */
  readonly http: string;
  /** Through the balancer: `mqtt://127.0.0.1:…` */
  readonly mqtt: string;
  readonly token: string;
  readonly each: readonly Server[];
  /** A request with the owner token through the balancer. */
  api(path: string, init?: RequestInit): Promise<Response>;
  /** Kills one and resolves when it is gone. */
  kill(index: number): Promise<void>;
  /** Starts one that was killed, at its old address and with its old data directory. */
  restart(index: number, special?: Special): Promise<void>;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';

type Special = Pick<ServerOptions, 'wrapper' | 'env'>;

/** @param specialOf what a server has that the others have not */
export async function startServers(
  database: string,
  count: number,
  specialOf: (index: number) => Special = () => ({}),
): Promise<Servers> {
  const directory = mkdtempSync(join(tmpdir(), 'twin-servers-'));
  const token = randomUUID();
  const each: Server[] = [];
  const start = (index: number, options: Special): Promise<Server> =>
    startServer({
      ...specialOf(index),
      ...options,
      data: join(directory, `${index}`),
      token,
      env: {
        ...{ TWIN_DATABASE: database, TWIN_PROXIES: HOST },
        ...{ TWIN_HTTPS: `${HOST}:0`, TWIN_MQTTS: `${HOST}:0` },
        ...specialOf(index).env,
        ...options.env,
      },
    });
  for (let index = 0; index < count; index += 1) each.push(await start(index, {}));

  const [httpPort, mqttPort] = [await freePort(), await freePort()];
  const file = join(directory, 'haproxy.cfg');
  writeFileSync(file, configuration(each, httpPort, mqttPort));
  const balancer: Program = startProgram([pathOf('haproxy') ?? '', '-db', '-f', file]);
  const [http, mqtt] = [`http://${HOST}:${httpPort}`, `mqtt://${HOST}:${mqttPort}`];
  await until(() => isReady(http));

  return {
    http,
    mqtt,
    token,
    each,
    api: (path, init) =>
      fetch(`${http}/iot/v1/regions/fr-par${path}`, {
        ...init,
        headers: { 'X-Auth-Token': token, ...init?.headers },
      }),
    async kill(index) {
      await each[index]?.stop('SIGKILL');
    },
    async restart(index, special = {}) {
      const old = each[index];
      if (old === undefined) return;
      const addresses = { TWIN_HTTP: new URL(old.http).host, TWIN_MQTT: new URL(old.mqtt).host };
      each[index] = await start(index, { ...special, env: { ...addresses, ...special.env } });
      await until(() => isReady(each[index]?.http ?? ''));
    },
    async stop() {
      await balancer.stop();
      await Promise.all(each.map((server) => server.stop()));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const isReady = (http: string): Promise<boolean> =>
  fetch(`${http}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );

/** As the page of the server says it, for listeners without TLS. */
function configuration(servers: Server[], http: number, mqtt: number): string {
  const lines = (protocol: 'http' | 'mqtt') =>
    servers.map((server, index) => {
      const check = new URL(server.http).port;
      return `  server s${index} ${new URL(server[protocol]).host} port ${check}`;
    });
  return `defaults
  mode tcp
  balance roundrobin
  timeout connect 2s
  timeout client 1h
  timeout server 1h
  timeout check 1s
  option redispatch
  option httpchk GET /readyz
  default-server send-proxy-v2 check check-send-proxy inter 300 fall 1 rise 1 on-marked-down shutdown-sessions

listen http
  bind ${HOST}:${http}
${lines('http').join('\n')}

listen mqtt
  bind ${HOST}:${mqtt}
${lines('mqtt').join('\n')}
`;
}
