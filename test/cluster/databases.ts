/** Three PostgreSQL: a primary and two standbys. A commit waits for one of the standbys. */

import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../free-port.js';
import { until } from '../until.js';
import { type Link, startLink } from './link.js';
import {
  ask,
  initialize,
  makeDirectory,
  type PostgresProcess,
  runPostgres,
  type Settings,
  unprivileged,
} from './postgres.js';

const NAMES = ['a', 'b', 'c'] as const;
type Name = (typeof NAMES)[number];

interface Member {
  readonly name: Name;
  readonly port: number;
  readonly data: string;
  /** Undefined while it does not run. */
  process: PostgresProcess | undefined;
}

export interface Databases {
  /** The address of all three, for `TWIN_DATABASE`. */
  readonly url: string;
  /** Asks the primary, as `ask` does. */
  sql(statement: string): Promise<string>;
  /** The first process of each that runs. */
  readonly pids: number[];
  /** Kills the primary. No member takes writes until one is promoted. */
  killPrimary(): Promise<void>;
  /**
   * Makes the standby that has the most the primary, and the other one its standby. Resolves with the time at which it had
   * become the primary, by `performance.now()`.
   */
  promote(): Promise<number>;
  /** @param index 0 or 1, in the order of their names */
  killStandby(index: 0 | 1): Promise<void>;
  /** Cuts the link between a standby and the primary, which must be made with links. */
  cutStandby(index: 0 | 1): void;
  /** All links between databases are whole again. */
  heal(): void;
  /** Members that were killed are standbys again, each from a new copy of the primary. */
  rejoin(): Promise<void>;
  killAll(): Promise<void>;
  /** Starts all as they were when they were killed. */
  startAll(): Promise<void>;
  stop(): Promise<void>;
}

interface DatabasesOptions {
  /** The directory of a member, which its data directory is made in; by default a new one. */
  readonly placeOf?: (name: Name) => string;
  /** The standbys reach the others by links, which can be cut. */
  readonly hasLinks?: boolean;
  /** An address of this machine by which they are reached, besides 127.0.0.1. */
  readonly host?: string | undefined;
  readonly settings?: Settings;
  /** Gets the first process of a member just before that member is killed. */
  readonly beforeKill?: (pid: number) => void;
}

export async function startDatabases(options: DatabasesOptions = {}): Promise<Databases> {
  const { placeOf, hasLinks = false, host, settings, beforeKill } = options;
  const directory = makeDirectory('twin-databases-');
  const password = randomUUID();
  const addressOf = ({ port }: Member, database = 'postgres'): string =>
    `postgres://twin:${password}@127.0.0.1:${port}/${database}`;
  const members: Member[] = [];
  for (const name of NAMES) {
    const place = placeOf?.(name) ?? directory;
    members.push({ name, port: await freePort(), data: join(place, name), process: undefined });
  }
  const [first] = members as [Member, Member, Member];
  let primary = first;
  /** By the names of the standby and the one that it follows. */
  const links = new Map<string, Link>();
  if (hasLinks) {
    for (const one of members)
      for (const other of members)
        if (one !== other) links.set(`${one.name} ${other.name}`, await startLink(other.port));
  }
  /** Where a standby reaches the primary. */
  const portFor = ({ name }: Member): number => links.get(`${name} ${primary.name}`)?.port ?? primary.port;

  const start = async (member: Member): Promise<void> => {
    member.process = await runPostgres(member.data, {
      port: `${member.port}`,
      // A standby calls itself by the name of its cluster.
      cluster_name: member.name,
      synchronous_standby_names: `ANY 1 (${NAMES.join(', ')})`,
      wal_keep_size: '256MB',
      // No commit is answered before a standby follows the new primary.
      wal_retrieve_retry_interval: '500ms',
      ...(host !== undefined && { listen_addresses: `127.0.0.1,${host}` }),
      ...settings,
    });
  };
  const standbys = (): Member[] => members.filter((member) => member !== primary && member.process);
  const standbyAt = (index: number): Member => {
    const standby = standbys()[index];
    if (standby === undefined) throw new Error(`there is no standby ${index}`);
    return standby;
  };
  const kill = async (member: Member): Promise<void> => {
    if (member.process === undefined) return;
    beforeKill?.(member.process.pid);
    await member.process.kill();
    member.process = undefined;
  };
  const follow = async (): Promise<void> => {
    const streaming = `SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'`;
    await until(async () => Number(await ask(addressOf(primary), streaming)) === standbys().length);
  };
  const copyPrimary = async (member: Member): Promise<void> => {
    rmSync(member.data, { recursive: true, force: true });
    const how = ['--write-recovery-conf', '--checkpoint=fast', '--wal-method=stream'];
    const source = ['-d', addressOf({ ...primary, port: portFor(member) }), '-D', member.data];
    await promisify(execFile)(...unprivileged('pg_basebackup', [...source, ...how]));
  };
  const rejoin = async (): Promise<void> => {
    for (const member of members) {
      if (member.process !== undefined) continue;
      await copyPrimary(member);
      await start(member);
    }
    await follow();
  };

  initialize(primary.data, password, host);
  await start(primary);
  await rejoin();
  await ask(addressOf(primary), 'CREATE DATABASE twin');

  return {
    url: `postgres://twin:${password}@${members.map(({ port }) => `127.0.0.1:${port}`).join(',')}/twin`,
    sql: (statement) => ask(addressOf(primary), statement),
    get pids() {
      return members.flatMap(({ process }) => process?.pid ?? []);
    },
    killPrimary: () => kill(primary),
    async promote() {
      const received = "SELECT coalesce(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) - '0/0'::pg_lsn";
      const candidates = await Promise.all(
        standbys().map(async (member) => ({ member, bytes: BigInt(await ask(addressOf(member), received)) })),
      );
      const [best] = candidates.sort((a, b) => (a.bytes > b.bytes ? -1 : 1));
      if (best === undefined) throw new Error('no standby runs');
      primary = best.member;
      await ask(addressOf(primary), 'SELECT pg_promote()');
      const promoted = performance.now();
      for (const member of standbys()) {
        const source = `host=127.0.0.1 port=${portFor(member)} user=twin password=${password}`;
        await ask(addressOf(member), `ALTER SYSTEM SET primary_conninfo = '${source}'`);
        await ask(addressOf(member), 'SELECT pg_reload_conf()');
      }
      return promoted;
    },
    async killStandby(index) {
      await kill(standbyAt(index));
    },
    cutStandby(index) {
      links.get(`${standbyAt(index).name} ${primary.name}`)?.cut();
    },
    heal() {
      for (const link of links.values()) link.heal();
    },
    rejoin,
    async killAll() {
      await Promise.all(members.map(kill));
    },
    async startAll() {
      await Promise.all(members.map(start));
      await follow();
    },
    async stop() {
      await Promise.all(members.map(kill));
      await Promise.all([...links.values()].map((link) => link.close()));
      for (const { data } of members) rmSync(data, { recursive: true, force: true });
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
