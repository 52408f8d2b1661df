/** `backup` and `restore` with real processes: nothing that was acknowledged is lost, and no panel is disarmed. */

import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type DesktopPanel, startPanel } from '../../firmware/desktop/desktop-panel.js';
import { keepInDirectory } from '../database-under-test.js';
import { until } from '../until.js';
import { authorityOf, type Credentials, createDevice, type Server, startServer } from './server.js';
import { twin } from './twin.js';
import { findLosses, makeWriters, type Writer, writeUntilGone } from './writers.js';

keepInDirectory();

const ROUNDS = 3;
const WRITERS = 16;
const WRITES_BEFORE = 200;

interface Context {
  directory: string;
  /** The file with the passphrase. */
  passphrase: string;
}

const test = suite<Context>('backup');

test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'twin-backup-'));
  context.passphrase = join(context.directory, 'passphrase');
  writeFileSync(context.passphrase, 'four words of test\n');
});
test.after.each(({ directory }) => rmSync(directory, { recursive: true, force: true }));

/** Types a command that succeeds. @returns what it printed */
async function succeed(data: string, ...words: string[]): Promise<string> {
  const { code, said } = await twin(words, { TWIN_DATA: data });
  assert.is(code, 0, said);
  return said;
}

/** What a backup may hold: nothing below what was acknowledged before it, nothing above what was written after it. */
const between = (before: Writer[], after: Writer[]): Writer[] =>
  before.map((writer, index) => ({ ...writer, attempted: after[index]?.attempted ?? 0 }));

const clone = (writers: Writer[]): Writer[] => writers.map((writer) => ({ ...writer }));

test(`a backup that is made under ${WRITERS} writers holds all that was acknowledged before, with the keys`, async ({
  directory,
  passphrase,
}) => {
  // Files are written, and the journal is cut, as often as can be.
  const limits = { storage: { writeBehindMs: 1, journalSegmentBytes: 8192 } };
  const token = randomUUID();
  const server = await startServer({ data: join(directory, 'data'), token, limits });
  const writers = await makeWriters(server, WRITERS);
  let written = 0;
  let enough = () => {};
  const begun = new Promise<void>((resolve) => {
    enough = resolve;
  });
  const writing = writeUntilGone(server, writers, () => {
    written += 1;
    if (written === WRITES_BEFORE) enough();
  });
  await begun;
  const authority = await authorityOf(server);
  for (let round = 0; round < ROUNDS; round += 1) {
    const file = join(directory, `house-${round}`);
    const before = clone(writers);
    const secret = ['--passphrase-file', passphrase];
    assert.match(await succeed(server.data, 'backup', file, ...secret), `The backup is in ${file}.`);
    const allowed = between(before, clone(writers));
    const data = join(directory, `data-${round}`);
    assert.match(await succeed(data, 'restore', file, ...secret), 'The next start of the server uses them.');
    const copy = await startServer({ data, token });
    assert.equal(await findLosses(copy, allowed), []);
    assert.is(await authorityOf(copy), authority);
    assert.equal(await copy.stop(), { code: 0, signal: null });
  }
  await server.stop('SIGKILL');
  await writing;
});

const portsOf = ({ http, mqtt }: Server) => ({
  TWIN_HTTP: new URL(http).host,
  TWIN_MQTT: new URL(mqtt).host,
});

/** A server that has the same ports when it opens again. */
async function startOnKnownPorts(data: string): Promise<Server> {
  const first = await startServer({ data });
  const env = portsOf(first);
  await first.stop();
  return startServer({ data, token: first.token, env: { ...env, TWIN_HTTPS: '', TWIN_MQTTS: '' } });
}

const desired = ({ id }: Credentials) => `/twins/${id}/documents/desired`;

async function order(server: Server, device: Credentials, alarm_armed: boolean): Promise<void> {
  const answer = await server.api(`${desired(device)}?wait=20`, {
    method: 'PUT',
    body: JSON.stringify({ data: { alarm_armed } }),
  });
  assert.is(((await answer.json()) as { applied: boolean }).applied, true);
}

const read = async (server: Server, path: string): Promise<Record<string, unknown>> =>
  (await (await server.api(path)).json()) as Record<string, unknown>;

test('a running server takes a backup up, an armed panel stays armed, and the next order counts', async ({
  directory,
}) => {
  const data = join(directory, 'data');
  const file = join(directory, 'house');
  const server = await startOnKnownPorts(data);
  const device = await createDevice(server, 'front-door');
  const flash = join(directory, 'flash.json');
  const panel: DesktopPanel = await startPanel({
    server: server.mqtt,
    device: device.id,
    password: device.password,
    flash,
    config: { backOffMin: 100, backOffMax: 200 } as never,
  });
  try {
    await panel.until(({ online }) => online);
    await order(server, device, true);
    await order(server, device, false);
    await succeed(data, 'backup', file);
    await order(server, device, true);
    const opened = server.program.lines.length;
    const said = await succeed(data, 'restore', file);
    assert.match(said, 'The server goes on with them.');
    assert.match(said, 'the server uses those that it had');
    const isOpen = () => server.program.lines.slice(opened).some((line) => line.includes('"listening"'));
    await until(isOpen);
    const answer = await read(server, desired(device));
    assert.equal(answer.data, { alarm_armed: false }, 'the server has gone back');
    const current = async () => {
      const { data: reported } = await read(server, `/twins/${device.id}/documents/current`);
      return reported as Record<string, unknown>;
    };
    await until(async () => (await current()).refused !== undefined);
    assert.is((await current()).alarm_armed, true, 'what the app shows');
    assert.ok(panel.state.armed);
    await order(server, device, false);
    assert.not(panel.state.armed);
    await order(server, device, true);
    assert.ok(panel.state.armed);
  } finally {
    await panel.stop();
    await server.stop();
  }
});

test('a restore can be undone, by a backup of what it kept', async ({ directory, passphrase }) => {
  const data = join(directory, 'data');
  const secret = ['--passphrase-file', passphrase];
  const server = await startOnKnownPorts(data);
  const { id } = await createDevice(server, 'front-door');
  const path = `/twins/${id}/documents/d`;
  const put = async (n: number) =>
    assert.is((await server.api(path, { method: 'PUT', body: JSON.stringify({ data: { n } }) })).status, 200);
  const restoreAndRead = async (file: string) => {
    const before = server.program.lines.length;
    await succeed(data, 'restore', file, ...secret);
    await until(() => server.program.lines.slice(before).some((line) => line.includes('"listening"')));
    return (await read(server, path)).data;
  };
  await put(1);
  await succeed(data, 'backup', join(directory, 'first'), ...secret);
  await put(2);
  assert.equal(await restoreAndRead(join(directory, 'first')), { n: 1 });
  const [aside = ''] = readdirSync(data).filter((name) => name.startsWith('before-'));
  await succeed(join(data, aside), 'backup', join(directory, 'undo'), ...secret);
  assert.equal(await restoreAndRead(join(directory, 'undo')), { n: 2 });
  await put(3);
  const { history } = (await read(server, `${path}/history`)) as { history: { version: number }[] };
  assert.equal(
    history.map(({ version }) => version),
    [3, 2, 1],
  );
  await server.stop();
});

test.run();
