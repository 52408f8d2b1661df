/** Three PostgreSQL under Patroni and etcd, by the files of `server/deploy/cluster` with other paths and ports. */

import { execFileSync, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { freePort } from '../../free-port.js';
import { pathOf } from '../../programs.js';
import { type Program, startProgram } from '../../system/process.js';
import { signalAll, unprivileged } from '../postgres.js';
import { nameOf } from './processes.js';
import { waitFor } from './wait-for.js';

export interface Database {
  /** From 1. */
  readonly number: number;
  readonly port: number;
  readonly isRunning: boolean;
  /** Starts Patroni, which starts PostgreSQL. */
  start(): void;
  /** SIGKILL for Patroni and all of PostgreSQL. It leaves nothing in the shared memory of the system. */
  kill(): void;
}

export interface Databases {
  readonly each: readonly Database[];
  /** The address of the database, with the ports in the place of those of its members. */
  url(ports?: readonly number[]): string;
  /** The one that takes writes, as Patroni says. */
  primary(): Promise<Database | undefined>;
  /** Resolves when one is the primary and all others follow it. @throws Error when a program has ended instead */
  complete(): Promise<void>;
}

const HOST = '127.0.0.1';
const COUNT = 3;
const FOLDER = 'server/deploy/cluster';
const FILES = ['patroni.yaml', 'start-database', 'make-database'];
/** What Patroni calls a standby that has every acknowledged commit. */
const SYNCHRONOUS = ['sync_standby', 'quorum_standby'];
/** How long Patroni may take to answer, in milliseconds. */
const ANSWER_MS = 1000;

interface PatroniMember {
  role: string;
  state: string;
}

interface Member extends Database {
  readonly patroni: string;
  readonly program: Program | undefined;
}

/** @param directory the databases are made in it, and PostgreSQL's user may write to it */
export async function startDatabases(directory: string): Promise<Databases> {
  const etcd = await startEtcd(directory);
  const password = randomUUID();
  const members: Member[] = [];
  for (let number = 1; number <= COUNT; number += 1)
    members.push(await makeMember(number, join(directory, `database${number}`), etcd.address, password));
  for (const member of members) member.start();

  const allPorts = members.map(({ port }) => port);
  return {
    each: members,
    url(ports = allPorts) {
      const hosts = ports.map((port) => `${HOST}:${port}`).join(',');
      return `postgres://twin:${password}@${hosts}/twin?sslmode=require`;
    },
    primary: () => primaryOf(members),
    async complete() {
      await waitFor(async () => {
        for (const program of [etcd.program, ...members.map(({ program }) => program)])
          if (program !== undefined && hasEnded(program.pid))
            throw new Error(program.lines.slice(-20).join('\n'));
        return isComplete(await primaryOf(members));
      });
    },
  };
}

async function startEtcd(directory: string): Promise<{ address: string; program: Program }> {
  const [client, peer] = [`${HOST}:${await freePort()}`, `${HOST}:${await freePort()}`];
  const options = {
    name: 'etcd',
    'data-dir': join(directory, 'etcd'),
    'listen-client-urls': `http://${client}`,
    'advertise-client-urls': `http://${client}`,
    'listen-peer-urls': `http://${peer}`,
    'initial-advertise-peer-urls': `http://${peer}`,
    'initial-cluster': `etcd=http://${peer}`,
  };
  const words = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  // Version 3.4 runs on this kind of machine only when it is asked to.
  const env: Record<string, string> = process.arch === 'arm64' ? { ETCD_UNSUPPORTED_ARCH: 'arm64' } : {};
  return { address: client, program: startProgram([pathOf('etcd') ?? '', ...words], env) };
}

async function makeMember(number: number, place: string, etcd: string, password: string): Promise<Member> {
  const [port, rest] = [await freePort(), await freePort()];
  const name = `database${number}`;
  mkdirSync(place);
  for (const file of FILES)
    writeFileSync(join(place, file), adapted(readFileSync(join(FOLDER, file), 'utf8'), place, port, rest), {
      mode: 0o755,
    });
  if (process.getuid?.() === 0) execFileSync('chown', ['-R', 'postgres:', place]);
  const env = {
    // That of root is closed to PostgreSQL's user, who looks for certificates there.
    HOME: place,
    PATRONI_NAME: name,
    PATRONI_ETCD3_HOSTS: etcd,
    PATRONI_RESTAPI_CONNECT_ADDRESS: `${HOST}:${rest}`,
    PATRONI_POSTGRESQL_CONNECT_ADDRESS: `${HOST}:${port}`,
    PATRONI_SUPERUSER_USERNAME: 'postgres',
    PATRONI_SUPERUSER_PASSWORD: password,
    PATRONI_SUPERUSER_SSLMODE: 'require',
    PATRONI_REPLICATION_USERNAME: 'replicator',
    PATRONI_REPLICATION_PASSWORD: password,
    PATRONI_REPLICATION_SSLMODE: 'require',
    TWIN_DATABASE_PASSWORD: password,
  };
  let program: Program | undefined;
  return {
    number,
    port,
    patroni: `http://${HOST}:${rest}`,
    get isRunning() {
      return program !== undefined;
    },
    get program() {
      return program;
    },
    start() {
      const [file, args] = unprivileged('sh', [join(place, 'start-database')]);
      program = startProgram([file, ...args], env);
    },
    kill() {
      if (program !== undefined) killPatroni(program.pid, join(place, 'postgresql/postmaster.pid'));
      program = undefined;
    },
  };
}

/** The file of the deployment, for one of several members on a computer. */
function adapted(text: string, place: string, port: number, rest: number): string {
  const changes: [string, string][] = [
    ['0.0.0.0:8008', `${HOST}:${rest}`],
    ['0.0.0.0:5432', `${HOST}:${port}`],
    ['/opt/patroni/bin/patroni', pathOf('patroni') ?? ''],
    ['/opt/patroni/', `${place}/`],
    ['/usr/lib/postgresql/15/bin', dirname(realpathSync(pathOf('postgres') ?? ''))],
    ['/tmp/pgpass', `${place}/pgpass`],
    // Shared memory in files goes with the directory.
    ['directories: /tmp', `directories: ${place}\n    dynamic_shared_memory_type: mmap`],
    ['/data/', `${place}/`],
    ...(knowsQuorum() ? [] : [['mode: quorum', 'mode: true'] as [string, string]]),
  ];
  return changes.reduce((changed, [from, to]) => changed.replaceAll(from, to), text);
}

/** Patroni 4 lets either of two standbys answer. Before that it names one of them, and names the other when that one fails. */
function knowsQuorum(): boolean {
  const version = execFileSync(pathOf('patroni') ?? '', ['--version'], { encoding: 'utf8' });
  return Number(/\d+/.exec(version)?.[0]) >= 4;
}

function killPatroni(patroni: number, file: string): void {
  if (!hasEnded(patroni)) signalAll(patroni, 'SIGKILL');
  const [pid, , , , , , memory = ''] = linesOf(file);
  if (pid === undefined || nameOf(Number(pid)) !== 'postgres') return;
  signalAll(Number(pid), 'SIGKILL');
  const [, id = ''] = memory.trim().split(/ +/);
  spawnSync('ipcrm', ['-m', id]);
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return [];
  }
}

/** A process that is gone, or of which only the number is left. */
const hasEnded = (pid: number): boolean =>
  !linesOf(`/proc/${pid}/status`).some((line) => /^State:\t[^ZX]/.test(line));

async function primaryOf(members: readonly Member[]): Promise<Member | undefined> {
  const answers = await Promise.all(
    members.map(async (member) => ((await asked(member, '/primary'))?.ok ? member : undefined)),
  );
  return answers.find((member) => member !== undefined);
}

const asked = (member: Member, path: string): Promise<Response | undefined> =>
  fetch(member.patroni + path, { signal: AbortSignal.timeout(ANSWER_MS) }).catch(() => undefined);

async function isComplete(primary: Member | undefined): Promise<boolean> {
  if (primary === undefined) return false;
  const answer = await asked(primary, '/cluster');
  if (answer === undefined) return false;
  const { members } = (await answer.json()) as { members: PatroniMember[] };
  return (
    members.length === COUNT &&
    members.every(({ state }) => ['running', 'streaming'].includes(state)) &&
    members.some(({ role }) => SYNCHRONOUS.includes(role))
  );
}
