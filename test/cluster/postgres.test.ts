/** The PostgreSQL that the other tests run is a safe one, and obeys them. */

import { existsSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { needsIn, pathOf } from '../programs.js';
import { ask, type Postgres, startPostgres } from './postgres.js';

const tests = suite<{ postgres: Postgres }>('a PostgreSQL of a test');
const test = needsIn(tests, 'postgres');

tests.before(async (context) => {
  if (pathOf('postgres') !== undefined) context.postgres = await startPostgres();
});
tests.after(async ({ postgres }) => {
  await postgres?.stop();
});

test('it keeps what it acknowledged, by fsync', async ({ postgres }) => {
  assert.is(await postgres.sql('SHOW fsync'), 'on');
  assert.is(await postgres.sql('SHOW synchronous_commit'), 'on');
});

test('it asks for a password', async ({ postgres }) => {
  const url = new URL(postgres.url);
  url.password = 'wrong';
  const refusal = await ask(url.href, 'SELECT 1').catch(String);
  assert.match(refusal, 'password authentication failed');
});

test('its databases know nothing of each other', async ({ postgres }) => {
  await postgres.sql('CREATE TABLE door (open boolean)');
  assert.is(await postgres.sql('SELECT count(*) FROM door'), '0');
  const refusal = await ask(await postgres.createDatabase(), 'SELECT count(*) FROM door').catch(String);
  assert.match(refusal, 'relation "door" does not exist');
});

test('it is paused, and answers when it goes on', async ({ postgres }) => {
  postgres.pause();
  const refusal = await ask(`${postgres.url}?connect_timeout=2`, 'SELECT 1').catch(String);
  assert.match(refusal, 'timeout expired');
  postgres.resume();
  assert.is(await postgres.sql('SELECT 1'), '1');
});

test('killed, it takes all its processes with it', async ({ postgres }) => {
  const waiting = postgres.sql('SELECT pg_sleep(3600)').catch(String);
  await postgres.kill();
  assert.match(await waiting, 'connection');
  assert.not(existsSync(`/proc/${postgres.pid}`));
});

tests.run();
