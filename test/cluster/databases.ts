/** Three PostgreSQL: a primary and two standbys. A commit waits for one of the standbys. */

import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../free-port.js';
import { until } from '../until.js';
import {
  ask,
  initialize,
  makeDirectory,
  type PostgresProcess,
  runPostgres,
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
  /** Kills the primary. No member takes writes until one is promoted. */
  killPrimary(): Promise<void>;
  /** Makes the standby that has the most the primary, and the other one its standby. */
  promote(): Promise<void>;
  killStandby(): Promise<void>;
  /** Members that were killed are standbys again, each from a new copy of the primary. */
  rejoin(): Promise<void>;
  killAll(): Promise<void>;
  /** Starts all as they were when they were killed. */
  startAll(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts them.
 * @param placeOf the directory of a member, which its data directory is made in; by default a new one
 */
export async function startDatabases(placeOf?: (name: Name) => string): Promise<Databases> {
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

  const start = async (member: Member): Promise<void> => {
    member.process = await runPostgres(member.data, {
      port: `${member.port}`,
      // A standby calls itself by the name of its cluster.
      cluster_name: member.name,
      synchronous_standby_names: `ANY 1 (${NAMES.join(', ')})`,
      wal_keep_size: '256MB',
    });
  };
  const standbys = (): Member[] => members.filter((member) => member !== primary && member.process);
  const kill = async (member: Member): Promise<void> => {
    await member.process?.kill();
    member.process = undefined;
  };
  const follow = async (): Promise<void> => {
    const streaming = `SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'`;
    await until(async () => Number(await ask(addressOf(primary), streaming)) === standbys().length);
  };
  const copyPrimary = (member: Member): void => {
    rmSync(member.data, { recursive: true, force: true });
    const options = ['--write-recovery-conf', '--checkpoint=fast', '--wal-method=stream'];
    const source = ['-d', addressOf(primary), '-D', member.data];
    execFileSync(...unprivileged('pg_basebackup', [...source, ...options]), { stdio: 'pipe' });
  };
  const rejoin = async (): Promise<void> => {
    for (const member of members) {
      if (member.process !== undefined) continue;
      copyPrimary(member);
      await start(member);
    }
    await follow();
  };

  initialize(primary.data, password);
  await start(primary);
  await rejoin();
  await ask(addressOf(primary), 'CREATE DATABASE twin');

  return {
    url: `postgres://twin:${password}@${members.map(({ port }) => `127.0.0.1:${port}`).join(',')}/twin`,
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
      for (const member of standbys()) {
        const source = `host=127.0.0.1 port=${primary.port} user=twin password=${password}`;
        await ask(addressOf(member), `ALTER SYSTEM SET primary_conninfo = '${source}'`);
        await ask(addressOf(member), 'SELECT pg_reload_conf()');
      }
    },
    async killStandby() {
      const [standby] = standbys();
      if (standby !== undefined) await kill(standby);
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
      for (const { data } of members) rmSync(data, { recursive: true, force: true });
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
