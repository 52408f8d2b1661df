/** Several servers on one database, as the rows `cluster-…` measure them. */

import { randomUUID } from 'node:crypto';
import { type Databases, startDatabases } from '../../cluster/databases.js';
import { ask } from '../../cluster/postgres.js';
import type { Bench } from '../bench.js';
import { type Server, startServer } from '../server.js';

/** Programs without which there is no database. */
export const NEEDS = ['postgres', 'psql'];

export interface Scene {
  readonly databases: Databases;
  /** Asks the primary with `psql`. */
  ask(statement: string): Promise<string>;
  /** Another empty database of the same PostgreSQL, as an address. */
  createDatabase(): Promise<string>;
  startServer(): Promise<Server>;
}

/**
 * Starts PostgreSQL.
 * @param standbys how many there are; a commit waits for one of them
 */
export async function startScene(bench: Bench, standbys: 1 | 2): Promise<Scene> {
  const starting = startDatabases({ beforeKill: (pid) => bench.countChildren(pid) });
  bench.atClose(() => starting.then((started) => started.stop()).catch(() => undefined));
  const databases = await starting;
  if (standbys === 1) await databases.killStandby(0);
  const token = randomUUID();
  const primary = (database: string): string =>
    `${databases.url.replace(/\/twin$/, `/${database}`)}?target_session_attrs=read-write`;
  return {
    databases,
    ask: (statement) => ask(primary('twin'), statement),
    async createDatabase() {
      const name = `peer_${randomUUID().replaceAll('-', '')}`;
      await ask(primary('postgres'), `CREATE DATABASE ${name}`);
      return primary(name);
    },
    startServer: () => startServer(bench, { shared: { database: databases.url, token } }),
  };
}

export const startServers = async (scene: Scene, count: number): Promise<Server[]> => {
  const servers: Server[] = [];
  while (servers.length < count) servers.push(await scene.startServer());
  return servers;
};

/** What `GET /metrics` says. */
export interface Counted {
  /** The id of the server, as the database knows it. */
  readonly node: string;
  readonly groups: number;
  readonly changes: number;
  /** Decisions that were made again because another server was faster. */
  readonly conflicts: number;
}

export async function countedBy({ http: { address }, token }: Server): Promise<Counted> {
  const response = await fetch(`http://${address.host}:${address.port}/metrics`, {
    headers: { 'X-Auth-Token': token },
  });
  const text = await response.text();
  const numberOf = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  return {
    node: /^twin_node_info\{node="([^"]+)"\}/m.exec(text)?.[1] ?? '',
    groups: numberOf('twin_database_groups_total'),
    changes: numberOf('twin_database_changes_total'),
    conflicts: numberOf('twin_database_conflicts_total'),
  };
}

export const SHARING =
  'a primary, and one synchronous standby that each commit waits for; all programs share the cores';
