/** The address of a database, as libpq writes it, with several hosts if there are several. */

import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { isLoopback } from './names.js';

export interface Host {
  readonly host: string;
  readonly port: number;
}

export interface DatabaseAddress {
  /** One of them takes writes. */
  readonly hosts: readonly Host[];
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly tls: ConnectionOptions | false;
  /** For the log: without the password. */
  readonly shown: string;
}

const DEFAULT_PORT = 5432;
const FORM = /^postgres(?:ql)?:\/\/([^:@/]+):([^@/]+)@([^@/?]+)\/([^/?]+)(?:\?(.*))?$/;

const PARAMETERS = ['sslmode', 'sslrootcert', 'target_session_attrs'];
const EXPECTED = 'expected postgres://user:password@host:port,host:port/database?sslmode=verify-full';

const verifyCa = (ca: string | undefined): ConnectionOptions => ({
  ...(ca !== undefined && { ca }),
  checkServerIdentity: () => undefined,
});

/**
 * What `sslmode` means, in the words of libpq. `require` encrypts, and believes every certificate, unless an authority is
 * given.
 */
const TLS_MODES: Record<string, (ca: string | undefined) => ConnectionOptions | false> = {
  disable: () => false,
  require: (ca) => (ca === undefined ? { rejectUnauthorized: false } : verifyCa(ca)),
  'verify-ca': verifyCa,
  'verify-full': (ca) => (ca === undefined ? {} : { ca }),
};

/**
 * Reads `postgres://user:password@host:port,host:port/database`. Of the parameters it knows `sslmode`, `sslrootcert`, and
 * `target_session_attrs=read-write`, which always holds. Hosts on other machines need a `sslmode`, so that no server goes without TLS by mistake.
 * @throws Error that says what is wrong, without the password
 */
export function parseAddress(text: string): DatabaseAddress {
  const [, user, password, hostList, database, query] = FORM.exec(text) ?? [];
  if (user === undefined || password === undefined || hostList === undefined || database === undefined)
    throw new Error(EXPECTED);
  const hosts = hostList.split(',').map(parseHost);
  const parameters = new URLSearchParams(query);
  for (const name of parameters.keys()) {
    if (!PARAMETERS.includes(name)) throw new Error(`the parameter ${name} is not known`);
  }
  if ((parameters.get('target_session_attrs') ?? 'read-write') !== 'read-write')
    throw new Error('target_session_attrs can only be read-write');
  const fallback = hosts.every(({ host }) => isLoopback(host)) ? 'disable' : undefined;
  const mode = parameters.get('sslmode') ?? fallback;
  const tlsOf = mode === undefined ? undefined : TLS_MODES[mode];
  if (tlsOf === undefined) throw new Error(`sslmode is one of ${Object.keys(TLS_MODES).join(', ')}`);
  const root = parameters.get('sslrootcert');
  return {
    hosts,
    user: decoded(user),
    password: decoded(password),
    database: decoded(database),
    tls: tlsOf(root === null ? undefined : authorityIn(root)),
    shown: `postgres://${user}@${hostList}/${database}`,
  };
}

function parseHost(text: string): Host {
  const [, host, port] = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(text) ?? [];
  const number = Number(port ?? DEFAULT_PORT);
  if (host === undefined || number > 65_535) throw new Error(EXPECTED);
  return { host: host.replace(/^\[|\]$/g, ''), port: number };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error(`${EXPECTED}, with %25 for a % in the password`);
  }
}

function authorityIn(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`sslrootcert cannot be read: ${(error as Error).message}`);
  }
}
