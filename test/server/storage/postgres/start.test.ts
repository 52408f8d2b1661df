/** A database that cannot be used is refused at the start, in one line that says why. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DatabaseUnusable, faultIn, SCHEMA_VERSION } from '../../../../server/storage/postgres/schema.js';
import { ask, startPostgres } from '../../../cluster/postgres.js';
import { put, stored } from '../contract.js';
import { type Context, withPostgres } from './open.js';

const tests = suite<Context>('the start on a database');
const test = withPostgres(tests);

/** What the start says, after the address. */
async function refusal({ open }: Context, url: URL | string): Promise<string> {
  const error = await open(`${url}`).then(
    () => assert.unreachable('it was taken'),
    (thrown) => thrown,
  );
  assert.instance(error, DatabaseUnusable);
  const { message } = error as Error;
  const { username, password, host, pathname } = new URL(url);
  const begin = `the database postgres://${username}@${host}${pathname} cannot be used: `;
  assert.is(message.slice(0, begin.length), begin);
  assert.not.match(message, '\n');
  assert.not(message.includes(password), 'the password is in the message');
  return message.slice(begin.length);
}

const changed = (url: string, parts: Partial<URL>): URL => Object.assign(new URL(url), parts);

test('there is no such server', async (context) => {
  // No server takes this port without rights.
  const port = '1';
  assert.match(await refusal(context, changed(context.database, { port })), 'ECONNREFUSED 127.0.0.1:1');
});

test('the password is wrong', async (context) => {
  const password = 'another-one';
  assert.is(
    await refusal(context, changed(context.database, { password })),
    'password authentication failed for user "twin"',
  );
});

test('there is no such database', async (context) => {
  const pathname = '/nothing';
  assert.is(
    await refusal(context, changed(context.database, { pathname })),
    'database "nothing" does not exist',
  );
});

test('the user may not make tables', async (context) => {
  const name = `guest_${Date.now()}`;
  await ask(
    context.database,
    `CREATE ROLE ${name} LOGIN PASSWORD 'secret-of-it'; REVOKE CREATE ON SCHEMA public FROM PUBLIC`,
  );
  const guest = changed(context.database, { username: name, password: 'secret-of-it' });
  assert.match(
    await refusal(context, guest),
    new RegExp(`^the user ${name} may not create tables in the database twin_`),
  );
});

test('the user may not use the tables that are there', async (context) => {
  await (await context.open()).close();
  const name = `reader_${Date.now()}`;
  await ask(context.database, `CREATE ROLE ${name} LOGIN PASSWORD 'secret-of-it'`);
  const reader = changed(context.database, { username: name, password: 'secret-of-it' });
  assert.is(await refusal(context, reader), 'permission denied for table setting');
});

test('the server takes no writes', async (context) => {
  const name = new URL(context.database).pathname.slice(1);
  await ask(context.database, `ALTER DATABASE ${name} SET default_transaction_read_only = on`);
  const { host } = new URL(context.database);
  assert.is(await refusal(context, context.database), `${host} takes no writes`);
});

test('the tables are of a later version than the next', async (context) => {
  await (await context.open()).close();
  await ask(context.database, `UPDATE setting SET value = '${SCHEMA_VERSION + 2}' WHERE key = 'schema'`);
  assert.is(
    await refusal(context, context.database),
    `its tables are of version ${SCHEMA_VERSION + 2}, and this program knows ${SCHEMA_VERSION}`,
  );
});

test('tables of the next version are taken, because servers are upgraded one after the other', async (context) => {
  await (await context.open()).close();
  await ask(context.database, `UPDATE setting SET value = '${SCHEMA_VERSION + 1}' WHERE key = 'schema'`);
  const storage = await context.open();
  await put(storage, 'twins/aa/a', 'd', stored(1));
  assert.is(
    await ask(context.database, "SELECT value FROM setting WHERE key = 'schema'"),
    `${SCHEMA_VERSION + 1}`,
  );
});

test('servers that start at the same time make the tables once', async ({ open }) => {
  const storages = await Promise.all([open(), open(), open(), open()]);
  await Promise.all(storages.map((storage, index) => put(storage, `twins/aa/${index}`, 'd', stored(1))));
});

test('a setting of the database under which commits do not wait has no effect', async ({
  open,
  database,
}) => {
  const name = new URL(database).pathname.slice(1);
  await ask(database, `ALTER DATABASE ${name} SET synchronous_commit = off`);
  const storage = await open();
  await put(storage, 'twins/aa/a', 'd', stored(1));
  const sets =
    "SELECT string_agg(DISTINCT setting, ',') FROM pg_stat_activity, pg_settings WHERE name = 'synchronous_commit'";
  assert.is(await ask(database, sets), 'off');
  assert.is(storage.healthy, true);
});

for (const [name, says] of [
  ['fsync', 'its fsync is off: it would lose acknowledged writes'],
  ['full_page_writes', 'its full_page_writes is off: a power cut could damage it'],
] as const) {
  test(`${name} is off`, async (context) => {
    const unsafe = await startPostgres({ [name]: 'off' });
    try {
      assert.is(await refusal(context, unsafe.url), says);
    } finally {
      await unsafe.stop();
    }
  });
}

test('PostgreSQL is older than 14', () => {
  const good = {
    major: 14,
    version: '14.0',
    fsync: 'on',
    full_page_writes: 'on',
    may_create: true,
    user: 'twin',
    database: 'twin',
  };
  assert.is(faultIn(good), undefined);
  assert.is(faultIn({ ...good, major: 13, version: '13.9' }), 'it is PostgreSQL 13.9: 14 or later is needed');
});

tests.run();
