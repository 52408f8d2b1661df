/** The backup of the database, as its page describes it: going back to a moment disarms no panel. */

import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startPanel } from '../../firmware/desktop/desktop-panel.js';
import { ask, initialize, makeDirectory, runPostgres, unprivileged } from '../cluster/postgres.js';
import { freePort } from '../free-port.js';
import { needsIn } from '../programs.js';
import { until } from '../until.js';
import { type Credentials, createDevice, type Server, startServer } from './server.js';

const PAGE = readFileSync('server/deploy/database.md', 'utf8');

/** The settings of a block of the page, whose lines have the form `name = value`. */
const settingsAfter = (heading: string, backup: string): Record<string, string> => {
  const lines = PAGE.slice(PAGE.indexOf(heading)).matchAll(/^ *([a-z_]+) = '?(.*?)'?$/gm);
  return Object.fromEntries(
    [...lines].map(([, name, value = '']) => [name, value.replaceAll('/backup', backup)]),
  );
};

const tests = suite('database backup');
const test = needsIn(tests, 'postgres');

const directories: string[] = [];
tests.after(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

const desired = ({ id }: Credentials) => `/twins/${id}/documents/desired`;

async function order(server: Server, device: Credentials, alarm_armed: boolean): Promise<void> {
  const answer = await server.api(`${desired(device)}?wait=20`, {
    method: 'PUT',
    body: JSON.stringify({ data: { alarm_armed } }),
  });
  assert.is(((await answer.json()) as { applied: boolean }).applied, true);
}

async function dataOf(server: Server, path: string): Promise<Record<string, unknown>> {
  const answer = (await (await server.api(path)).json()) as { data: Record<string, unknown> };
  return answer.data;
}

test('a database that goes back to a moment disarms no armed panel, and the next order counts', async () => {
  const directory = makeDirectory('twin-recovery-');
  const own = mkdtempSync(join(tmpdir(), 'twin-recovery-'));
  directories.push(directory, own);
  const [data, backup, base, password] = [
    join(directory, 'data'),
    join(directory, 'backup'),
    join(directory, 'base'),
    randomUUID(),
  ];
  execFileSync(...unprivileged('mkdir', ['-p', join(backup, 'wal')]));
  initialize(data, password);
  const port = await freePort();
  const url = `postgres://twin:${password}@127.0.0.1:${port}/postgres`;
  const archive = settingsAfter('Once, in `postgresql.conf`', backup);
  const { archive_mode = '', archive_command = '' } = archive;
  const first = await runPostgres(data, { port: `${port}`, archive_mode, archive_command });
  const env = { TWIN_DATABASE: url, TWIN_HTTPS: '', TWIN_MQTTS: '' };
  const server = await startServer({ data: join(own, 'data'), env });
  const device = await createDevice(server, 'front-door');
  const panel = await startPanel({
    server: server.mqtt,
    device: device.id,
    password: device.password,
    flash: join(own, 'flash.json'),
    config: { backOffMin: 100, backOffMax: 200 } as never,
  });
  let database = first;
  let again: Server | undefined;
  try {
    await panel.until(({ online }) => online);
    await order(server, device, true);
    execFileSync(...unprivileged('pg_basebackup', ['--dbname', url, '--pgdata', base, '--checkpoint=fast']));
    execFileSync(...unprivileged('pg_verifybackup', ['--quiet', base]));
    await order(server, device, false);
    const moment = await ask(url, 'SELECT clock_timestamp()');
    await order(server, device, true);
    await ask(url, 'SELECT pg_switch_wal()');
    await until(
      async () => (await ask(url, 'SELECT last_archived_wal IS NOT NULL FROM pg_stat_archiver')) === 't',
    );
    const ports = { TWIN_HTTP: new URL(server.http).host, TWIN_MQTT: new URL(server.mqtt).host };
    await server.stop();
    await database.stop();
    execFileSync(...unprivileged('touch', [join(base, 'recovery.signal')]));
    const { restore_command = '', recovery_target_action = '' } = settingsAfter(
      'Go back to a moment',
      backup,
    );
    const recovery = { restore_command, recovery_target_action, recovery_target_time: moment };
    database = await runPostgres(base, { port: `${port}`, ...recovery });
    await until(async () => (await ask(url, 'SELECT pg_is_in_recovery()')) === 'f');
    again = await startServer({ data: join(own, 'data'), token: server.token, env: { ...env, ...ports } });
    const opened = again;
    assert.equal(await dataOf(opened, desired(device)), { alarm_armed: false }, 'the database has gone back');
    const current = () => dataOf(opened, `/twins/${device.id}/documents/current`);
    await until(async () => (await current()).refused !== undefined);
    assert.is((await current()).alarm_armed, true, 'what the app shows');
    assert.ok(panel.state.armed);
    await order(opened, device, false);
    assert.not(panel.state.armed);
    await order(opened, device, true);
    assert.ok(panel.state.armed);
  } finally {
    await panel.stop();
    await (again ?? server).stop();
    await database.stop();
  }
});

tests.run();
