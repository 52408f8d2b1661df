/** `migrate` with real processes: a server goes into a database and back, and keeps everything. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startPostgres } from '../cluster/postgres.js';
import { keepInDirectory } from '../database-under-test.js';
import { needsIn } from '../programs.js';
import { startProgram } from './process.js';
import { authorityOf, createDevice, SERVER, type Server, startServer } from './server.js';
import { twin } from './twin.js';

keepInDirectory();

const tests = suite('migrate by the command line');
const test = needsIn(tests, 'postgres');
const VERSIONS = 40;

async function versionsOf(server: Server, device: string): Promise<unknown> {
  const answer = await server.api(`/twins/${device}/documents/current/history?limit=100`);
  return ((await answer.json()) as { history: unknown }).history;
}

test('a server is moved into a database and back, with its authority, its tokens and its past', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'twin-migrate-'));
  const postgres = await startPostgres();
  const data = join(directory, 'data');
  const env = { TWIN_DATABASE: postgres.url, TWIN_AUTHORITY_SECRET: 'sixteen characters' };
  const type = (words: string[], given: Record<string, string> = env) =>
    twin(words, { TWIN_DATA: data, ...given });
  const to = ['migrate', '--to', postgres.url];
  try {
    const alone = await startServer({ data });
    const { token } = alone;
    const { id } = await createDevice(alone, 'front-door');
    for (let n = 1; n <= VERSIONS; n += 1)
      await alone.api(`/twins/${id}/documents/current`, {
        method: 'PUT',
        body: JSON.stringify({ data: { n } }),
      });
    const [versions, authority] = [await versionsOf(alone, id), await authorityOf(alone)];
    assert.match((await type(to)).said, 'is in use by another server');
    await alone.stop();
    const early = startProgram(SERVER, {
      TWIN_DATA: data,
      TWIN_HTTP: '127.0.0.1:0',
      TWIN_MQTT: '127.0.0.1:0',
      ...env,
    });
    assert.is((await early.ended).code, 1);
    assert.match(early.lines.join(), 'holds the data of a server without a database: move them with');

    const moved = await type(to);
    assert.is(moved.code, 0, moved.said);
    assert.not.match(moved.said, new URL(postgres.url).password);
    assert.match(
      (await type(['backup', join(directory, 'house')], {})).said,
      'has a backup of its own: see server/deploy/database.md',
    );
    const late = startProgram(SERVER, {
      TWIN_DATA: data,
      TWIN_HTTP: '127.0.0.1:0',
      TWIN_MQTT: '127.0.0.1:0',
    });
    assert.is((await late.ended).code, 1);
    assert.match(late.lines.join(), 'is no longer in use: its data were moved to postgres://twin@');
    const shared = await startServer({ data: join(directory, 'elsewhere'), token, env });
    assert.equal(await versionsOf(shared, id), versions);
    assert.is(await authorityOf(shared), authority);
    assert.match((await type(['migrate', '--back'])).said, 'stop all servers first');
    await shared.stop();

    const back = await type(['migrate', '--back']);
    assert.is(back.code, 0, back.said);
    const again = await startServer({ data, token });
    assert.equal(await versionsOf(again, id), versions);
    assert.is(await authorityOf(again), authority);
    await again.stop();
  } finally {
    await postgres.stop();
    rmSync(directory, { recursive: true, force: true });
  }
});

test('a wrong command line says what is missing, and shows no password', async () => {
  const said = async (...words: string[]) => (await twin(['migrate', ...words], { TWIN_DATABASE: '' })).said;
  assert.match(await said(), 'migrate takes either --to or --back');
  assert.match(await said('--back'), '--back needs the address of the database in TWIN_DATABASE');
  assert.match(await said('--to', 'postgres://twin:hidden@db.example/twin'), 'sslmode is one of');
  assert.not.match(await said('--to', 'postgres://twin:hidden@db.example/twin'), 'hidden');
});

tests.run();
