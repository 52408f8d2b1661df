import { pathOf } from '../../programs.js';

/** What the playground runs, each with its Debian package. */
const PACKAGES: Record<string, string> = {
  postgres: 'postgresql',
  psql: 'postgresql-client',
  patroni: 'patroni',
  etcd: 'etcd-server',
  haproxy: 'haproxy',
  openssl: 'openssl',
};

export const PROGRAMS = Object.keys(PACKAGES);

/** @returns the Debian packages of the programs that are not installed */
export const missingPackages = (): string[] =>
  PROGRAMS.filter((program) => pathOf(program) === undefined).map((program) => PACKAGES[program] ?? program);
