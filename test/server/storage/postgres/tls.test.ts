/** The connection to a database with TLS. */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Postgres } from '../../../cluster/postgres.js';
import { certify, makeDirectory, startPostgres, tlsSettings } from '../../../cluster/postgres.js';
import { needsIn, pathOf } from '../../../programs.js';
import { put, stored } from '../contract.js';
import { type Context, withPostgres } from './open.js';

const tests = suite<Context & { directory: string; secure: Postgres }>('TLS to a database');
withPostgres(tests);
const test = needsIn(tests, 'postgres', 'openssl');

tests.before(async (context) => {
  if (pathOf('postgres') === undefined || pathOf('openssl') === undefined) return;
  context.directory = makeDirectory('twin-tls-');
  certify(context.directory, 'IP:127.0.0.1');
  context.secure = await startPostgres(tlsSettings(context.directory));
});
tests.after(async ({ secure, directory }) => {
  await secure?.stop();
  if (directory !== undefined) rmSync(directory, { recursive: true });
});

test('the certificate is believed when it is of the given authority and for this address', async ({
  open,
  secure,
  directory,
}) => {
  const root = join(directory, 'certificate.pem');
  const storage = await open(`${secure.url}?sslmode=verify-full&sslrootcert=${root}`);
  await put(storage, 'twins/aa/a', 'd', stored(1));
  const plain =
    "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'alarm-twin' AND NOT ssl";
  assert.is(await secure.sql(plain), '0');
});

test('a certificate of another authority is refused, unless nothing is to be verified', async ({
  open,
  secure,
}) => {
  const refusal = await open(`${secure.url}?sslmode=verify-full`).then(String, String);
  assert.match(refusal, 'self-signed certificate');
  await open(`${secure.url}?sslmode=require`);
});

test('a certificate for another address is refused, unless only the authority is to be verified', async ({
  open,
  secure,
  directory,
}) => {
  certify(directory, 'DNS:db.example');
  await secure.sql('SELECT pg_reload_conf()');
  const root = join(directory, 'certificate.pem');
  const refusal = await open(`${secure.url}?sslmode=verify-full&sslrootcert=${root}`).then(String, String);
  assert.match(refusal, 'not in the cert');
  await open(`${secure.url}?sslmode=verify-ca&sslrootcert=${root}`);
});

tests.run();
