/** A PostgreSQL of a test: in a directory of its own, on a free port of 127.0.0.1, with fsync and a password. */

import { execFile, execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../free-port.js';
import { pathOf } from '../programs.js';
import { type Program, startProgram } from '../system/process.js';

const USER = 'twin';
const STARTED = /database system is ready to accept (read-only )?connections/;

/** The settings of `postgresql.conf`, by name. */
export type Settings = Record<string, string>;

export interface PostgresProcess {
  readonly pid: number;
  readonly program: Program;
  /** SIGSTOP for all its processes: it holds its connections and answers nothing. */
  pause(): void;
  resume(): void;
  /** SIGKILL for all its processes at once. */
  kill(): Promise<void>;
  /** An orderly end, which breaks the connections of its clients. */
  stop(): Promise<void>;
}

export interface Postgres extends PostgresProcess {
  /** `postgres://…`, of an empty database whose owner is the superuser. */
  readonly url: string;
  /** Runs a statement and gives the answer: a line for each row, with `|` between its columns. */
  sql(statement: string): Promise<string>;
  /** Another empty database in the same PostgreSQL, as an address. */
  createDatabase(): Promise<string>;
}

/** Starts one that is removed when it is stopped. */
export async function startPostgres(settings: Settings = {}): Promise<Postgres> {
  const directory = makeDirectory('twin-postgres-');
  const password = randomUUID();
  const data = join(directory, 'data');
  initialize(data, password);
  const port = await freePort();
  const running = await runPostgres(data, { port: `${port}`, ...settings });
  const address = (name: string): string => `postgres://${USER}:${password}@127.0.0.1:${port}/${name}`;
  const createDatabase = async (): Promise<string> => {
    const name = `twin_${randomUUID().replaceAll('-', '')}`;
    await ask(address('postgres'), `CREATE DATABASE ${name}`);
    return address(name);
  };
  const url = await createDatabase();
  return {
    ...running,
    url,
    sql: (statement) => ask(url, statement),
    createDatabase,
    async stop() {
      await running.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A directory that the user of PostgreSQL may write to: PostgreSQL refuses to run as root. */
export function makeDirectory(prefix: string): string {
  const directory = mkdtempSync(join(tmpdir(), prefix));
  handOver(directory);
  return directory;
}

/** Makes a directory that of the user of PostgreSQL. */
export function handOver(directory: string): void {
  if (isRoot) execFileSync('chown', ['postgres:', directory]);
}

/**
 * Makes the data directory. Its superuser comes from this machine, with the password.
 * @param host an address of this machine, whose net may come, too
 */
export function initialize(data: string, password: string, host?: string): void {
  const file = `${data}.password`;
  writeFileSync(file, password);
  const options = ['--no-sync', '--no-locale', '--encoding=UTF8', `--username=${USER}`, `--pwfile=${file}`];
  execFileSync(...unprivileged('initdb', ['-D', data, '--auth=scram-sha-256', ...options]), {
    stdio: 'pipe',
  });
  rmSync(file);
  if (host !== undefined) appendFileSync(join(data, 'pg_hba.conf'), 'host all all samenet scram-sha-256\n');
}

/** Makes a certificate of its own authority, in files of the user of PostgreSQL: `certificate.pem` and `key.pem`. */
export function certify(directory: string, subjectAltName: string): void {
  const options = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const names = ['-subj', '/CN=database', '-addext', `subjectAltName=${subjectAltName}`];
  const files = ['-keyout', join(directory, 'key.pem'), '-out', join(directory, 'certificate.pem')];
  execFileSync(...unprivileged('openssl', ['req', ...options, ...names, ...files]), { stdio: 'pipe' });
}

/** With these it takes connections with TLS, too, by the certificate in the directory. */
export const tlsSettings = (directory: string): Settings => ({
  ssl: 'on',
  ssl_cert_file: join(directory, 'certificate.pem'),
  ssl_key_file: join(directory, 'key.pem'),
});

/** Runs PostgreSQL on the data directory, and resolves when it takes connections. */
export async function runPostgres(data: string, settings: Settings): Promise<PostgresProcess> {
  const all = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    shared_buffers: '32MB',
    ...settings,
  };
  const options = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const [file, args] = unprivileged('postgres', ['-D', data, ...options]);
  const program = startProgram([file, ...args]);
  await program.line((line) => STARTED.test(line) || undefined);
  const { pid } = program;
  return {
    pid,
    program,
    pause: () => signalAll(pid, 'SIGSTOP'),
    resume: () => signalAll(pid, 'SIGCONT'),
    async kill() {
      signalAll(pid, 'SIGKILL');
      await program.ended;
    },
    async stop() {
      await program.stop('SIGINT');
    },
  };
}

/** The first process is stopped before it is asked for the others, so that it starts no more of them. */
export function signalAll(pid: number, signal: NodeJS.Signals): void {
  process.kill(pid, 'SIGSTOP');
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  for (const each of [...children.map(Number), pid]) {
    try {
      process.kill(each, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

const isRoot = process.getuid?.() === 0;

/** A program of PostgreSQL, and its arguments, for a user who is not root: `setpriv` becomes the program. */
export function unprivileged(program: string, args: string[]): [string, string[]] {
  const path = pathOf(program) ?? program;
  if (!isRoot) return [path, args];
  return ['setpriv', ['--reuid=postgres', '--regid=postgres', '--clear-groups', path, ...args]];
}

/** Asks with `psql`, which needs nothing of what is tested. */
export async function ask(url: string, statement: string): Promise<string> {
  const { stdout } = await promisify(execFile)('psql', [
    '-XAtq',
    '-v',
    'ON_ERROR_STOP=1',
    '-c',
    statement,
    url,
  ]);
  return stdout.trimEnd();
}
