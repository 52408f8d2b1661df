/** One of the servers that share a database: what it says of itself. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Postgres, startPostgres } from '../cluster/postgres.js';
import { needsIn, pathOf } from '../programs.js';
import { until } from '../until.js';
import { createDevice, type Server, startServer } from './server.js';

interface Context {
  postgres: Postgres;
  server: Server;
}

const tests = suite<Context>('a server on a database');
const test = needsIn(tests, 'postgres', 'psql');

tests.before(async (context) => {
  if (pathOf('postgres') === undefined) return;
  context.postgres = await startPostgres();
  context.server = await startServer({ env: { TWIN_DATABASE: context.postgres.url } });
});
tests.after(async ({ server, postgres }) => {
  await server?.stop();
  await postgres?.stop();
});

interface Line {
  readonly msg: string;
  readonly audit?: string;
  readonly node?: string;
  readonly warning?: string;
}

const linesOf = ({ program }: Server): Line[] =>
  program.lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Line);

test('it is ready, and warns that only one disk has what it acknowledges', async ({ server }) => {
  const answer = await fetch(`${server.http}/readyz`);
  assert.is(answer.status, 200);
  const { checks } = (await answer.json()) as { checks: object[] };
  assert.equal(checks, [
    { name: 'running', ok: true },
    { name: 'writable', ok: true },
    { name: 'lease', ok: true },
    { name: 'beat', ok: true },
    { name: 'schema', ok: true },
    { name: 'clock', ok: true },
    { name: 'standby', ok: true, warning: 'one_disk' },
  ]);
  await until(() => linesOf(server).some(({ warning }) => warning === 'one_disk'));
  const { hubs } = (await (await server.api('/hubs')).json()) as { hubs: [{ warnings: string[] }] };
  assert.equal(hubs[0].warnings, ['one_disk']);
});

test('its audit log and its metrics carry its own id', async ({ server }) => {
  await createDevice(server, 'audited');
  const created = () => linesOf(server).find(({ audit }) => audit === 'device_created');
  await until(() => created() !== undefined);
  const metrics = await fetch(`${server.http}/metrics`, { headers: { 'X-Auth-Token': server.token } });
  const [, node] = /^twin_node_info\{node="([^"]+)"\} 1$/m.exec(await metrics.text()) ?? [];
  assert.ok(node);
  assert.is(created()?.node, node);
  assert.is(linesOf(server).find(({ msg }) => msg === 'listening')?.node, node);
});

test('it is not ready while the database is away, and its process goes on', async ({ server, postgres }) => {
  postgres.pause();
  const ready = async () => (await fetch(`${server.http}/readyz`)).status === 200;
  await until(async () => !(await ready()));
  postgres.resume();
  await until(ready);
});

test('it is not ready while the tables are of a version that it does not know', async ({
  server,
  postgres,
}) => {
  const ready = async () => (await fetch(`${server.http}/readyz`)).status === 200;
  const [before] = (await postgres.sql("SELECT value FROM setting WHERE key = 'schema'")).split('\n');
  await postgres.sql("UPDATE setting SET value = '99' WHERE key = 'schema'");
  await until(async () => !(await ready()));
  await postgres.sql(`UPDATE setting SET value = '${before}' WHERE key = 'schema'`);
  await until(ready);
});

needsIn(
  tests,
  'postgres',
  'psql',
  'faketime',
)('it warns when the clock of its machine is not that of the database', async ({ postgres }) => {
  const server = await startServer({
    wrapper: ['faketime', '-f', '+1h'],
    env: { TWIN_DATABASE: postgres.url, FAKETIME_DONT_FAKE_MONOTONIC: '1' },
  });
  await until(() => linesOf(server).some(({ warning }) => warning === 'clock_off'));
  await server.stop();
});

tests.run();
