/** `kill -9` while devices are being deleted: each is there as before, or gone with all that belonged to it. */

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createDevice, type Server, startServer } from './server.js';

const DEVICES = 12;
/** The server is killed after so many answers. */
const ANSWERS = [1, 5, 9];

const test = suite<{ data: string }>('deletion');

test.before.each((context) => {
  context.data = mkdtempSync(join(tmpdir(), 'twin-deletion-'));
});
test.after.each(({ data }) => rmSync(data, { recursive: true, force: true }));

async function newDevice(server: Server): Promise<string> {
  const { id } = await createDevice(server, 'house');
  for (const n of [1, 2]) {
    const body = JSON.stringify({ data: { n } });
    await server.api(`/twins/${id}/documents/current`, { method: 'PUT', body });
  }
  return id;
}

/** Deletes the devices at the same time. Returns those whose deletion was acknowledged. */
async function deleteUntilKilled(server: Server, ids: readonly string[], answers: number): Promise<string[]> {
  const deleted: string[] = [];
  await Promise.allSettled(
    ids.map(async (id) => {
      const { status } = await server.api(`/devices/${id}`, { method: 'DELETE' });
      if (status === 204) deleted.push(id);
      if (deleted.length === answers) process.kill(server.pid, 'SIGKILL');
    }),
  );
  return deleted;
}

/** The files that are of the device or name it. */
function tracesOf(data: string, id: string): string[] {
  const paths = readdirSync(data, { recursive: true, withFileTypes: true });
  return paths
    .map((entry) => ({ entry, path: join(entry.parentPath, entry.name) }))
    .filter(({ entry, path }) => path.includes(id) || (entry.isFile() && readFileSync(path).includes(id)))
    .map(({ path }) => path.slice(data.length + 1));
}

for (const answers of ANSWERS) {
  test(`after a kill at the deletion of ${answers} of ${DEVICES} devices the next start removes the rest of each`, async ({
    data,
  }) => {
    const first = await startServer({ data });
    const { token } = first;
    const ids: string[] = [];
    while (ids.length < DEVICES) ids.push(await newDevice(first));
    const deleted = await deleteUntilKilled(first, ids, answers);
    await first.stop('SIGKILL');

    const second = await startServer({ data, token });
    const { devices } = (await (await second.api('/devices')).json()) as {
      devices: { id: string; status: string }[];
    };
    for (const { id, status } of devices) {
      assert.is(status, 'enabled');
      assert.is((await second.api(`/twins/${id}/documents/current`)).status, 200);
    }
    const left = devices.map(({ id }) => id);
    for (const id of deleted) assert.not.ok(left.includes(id));
    await second.stop();
    for (const id of ids.filter((each) => !left.includes(each))) assert.equal(tracesOf(data, id), []);
    for (const id of left) assert.ok(existsSync(join(data, 'twins', id.slice(0, 2), `${id}.json`)));
  });
}

test.run();
