/** `npm run twin -- backup` under REST and MQTT writers: the copy lacks nothing, and starts beside the original. */

import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startProgram } from './process.js';
import { authorityOf, type Server, startServer } from './server.js';
import { findLosses, makeWriters, type Writer, writeUntilGone } from './writers.js';

const ROUNDS = 3;
const WRITERS = 16;
const WRITES_BEFORE = 200;

const test = suite<{ directory: string }>('backup');

test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'twin-backup-'));
});
test.after.each(({ directory }) => rmSync(directory, { recursive: true, force: true }));

async function backup(data: string, target: string): Promise<string[]> {
  const program = startProgram([process.execPath, '--import', 'tsx', 'server/cli.ts', 'backup', target], {
    TWIN_DATA: data,
  });
  assert.equal(await program.ended, { code: 0, signal: null }, program.lines.join('\n'));
  return program.lines;
}

/** What a copy may hold: nothing below what was acknowledged before it, nothing above what was written after it. */
const between = (before: Writer[], after: Writer[]): Writer[] =>
  before.map((writer, index) => ({ ...writer, attempted: after[index]?.attempted ?? 0 }));

const clone = (writers: Writer[]): Writer[] => writers.map((writer) => ({ ...writer }));

test(`a copy that is made under ${WRITERS} writers starts beside the original, with all that was acknowledged before`, async ({
  directory,
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
    const target = join(directory, `copy-${round}`);
    const before = clone(writers);
    const said = await backup(server.data, target);
    assert.match(said.join('\n'), `The copy is in ${target}.`);
    const allowed = between(before, clone(writers));
    const copy: Server = await startServer({ data: target, token });
    assert.equal(await findLosses(copy, allowed), []);
    assert.is(await authorityOf(copy), authority);
    assert.equal(await copy.stop(), { code: 0, signal: null });
  }
  await server.stop('SIGKILL');
  await writing;
});

test('a copy in the place of the directory is the server again', async ({ directory }) => {
  const options = { data: join(directory, 'data'), token: randomUUID() };
  const first = await startServer(options);
  const path = `/twins/${(await makeWriters(first, 1))[0]?.device.id}/documents/d`;
  const put = (server: Server, n: number) =>
    server.api(path, { method: 'PUT', body: JSON.stringify({ data: { n } }) });
  for (const n of [1, 2]) assert.is((await put(first, n)).status, 200);
  await backup(first.data, join(directory, 'copy'));
  assert.is((await put(first, 3)).status, 200);
  await first.stop();
  const restored = await startServer({ ...options, data: join(directory, 'copy') });
  assert.is((await put(restored, 4)).status, 200);
  const { history } = (await (await restored.api(`${path}/history`)).json()) as {
    history: { version: number; data: { n: number } }[];
  };
  assert.equal(
    history.map(({ version, data }) => [version, data.n]),
    [
      [3, 4],
      [2, 2],
      [1, 1],
    ],
  );
  await restored.stop();
});

test.run();
