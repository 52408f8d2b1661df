/** A connection to a database is made again when it was lost. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAddress } from '../../../../server/database-address.js';
import { Connection } from '../../../../server/storage/postgres/connection.js';
import { ask } from '../../../cluster/postgres.js';
import { until } from '../../../until.js';
import { type Context, withPostgres } from './open.js';

const tests = suite<Context>('a connection to a database');
const test = withPostgres(tests);

const NUMBER = { name: 'number', text: 'SELECT 1 AS number' };
const PATIENCE_MS = 20_000;

test('a connection that ends in the moment in which it is made is made again', async ({ database }) => {
  let opened = 0;
  const connection = new Connection(parseAddress(database), {
    limits: { connectMs: PATIENCE_MS, answerMs: PATIENCE_MS },
    async onOpen(client) {
      opened += 1;
      if (opened > 1) return;
      const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      const ended = new Promise<void>((done) => client.once('end', done));
      await ask(database, `SELECT pg_terminate_backend(${rows[0]?.pid})`);
      await ended;
    },
  });
  const rows = await connection.run(NUMBER, [], performance.now() + PATIENCE_MS);
  assert.equal(rows, [{ number: 1 }]);
  assert.is(opened, 2);
  await connection.close();
});

test('a connection that was lost is made again for the next statement', async ({ database }) => {
  let isLost = false;
  const connection = new Connection(parseAddress(database), {
    onLost() {
      isLost = true;
    },
  });
  await connection.connect(performance.now() + PATIENCE_MS);
  const others = 'datname = current_database() AND pid <> pg_backend_pid()';
  await ask(database, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE ${others}`);
  await until(() => isLost);
  assert.not(connection.isOpen);
  const rows = await connection.run(NUMBER, [], performance.now() + PATIENCE_MS);
  assert.equal(rows, [{ number: 1 }]);
  await connection.close();
});

tests.run();
