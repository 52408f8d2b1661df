/** `kill -9` under REST and MQTT writers: nothing acknowledged is lost, and the server starts again every time. */

import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { keepInDirectory } from '../database-under-test.js';
import { startServer } from './server.js';
import { findLosses, type Loss, makeWriters, writeUntilGone } from './writers.js';

keepInDirectory();

const ROUNDS = Number(process.env.CRASH_ROUNDS ?? 20);
const WRITERS = 16;
const MOST_WRITES = 600;

const test = suite<{ data: string }>('crash');

test.before.each((context) => {
  context.data = mkdtempSync(join(tmpdir(), 'twin-crash-'));
});
test.after.each(({ data }) => rmSync(data, { recursive: true, force: true }));

/** Kills the server again and again in the midst of writes, until a write is lost or the rounds are over. */
async function crashRounds(
  data: string,
  env: Record<string, string>,
): Promise<{ losses: Loss[]; written: number }> {
  const options = { data, token: randomUUID(), env };
  let server = await startServer(options);
  const writers = await makeWriters(server, WRITERS);
  let written = 0;
  let losses: Loss[] = [];
  for (let round = 0; round < ROUNDS && losses.length === 0; round += 1) {
    let left = 1 + Math.floor(Math.random() * MOST_WRITES);
    await writeUntilGone(server, writers, () => {
      written += 1;
      left -= 1;
      if (left === 0) process.kill(server.pid, 'SIGKILL');
    });
    await server.stop('SIGKILL');
    server = await startServer(options);
    losses = await findLosses(server, writers);
  }
  await server.stop();
  return { losses, written };
}

test(`of ${ROUNDS} crashes under ${WRITERS} writers none loses an acknowledged write`, async ({ data }) => {
  const { losses, written } = await crashRounds(data, {});
  assert.equal(losses, []);
  assert.ok(written >= ROUNDS);
});

test('a server that acknowledges early is found out', async ({ data }) => {
  const preload = join(import.meta.dirname, 'early-acknowledge.mjs');
  const { losses } = await crashRounds(data, { NODE_OPTIONS: `--import ${preload}` });
  assert.ok(losses.length > 0, 'no loss was found');
});

test.run();
