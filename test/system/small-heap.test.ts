/** A server whose heap is far smaller than what one device writes, and than the journal that it leaves. */

import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { keepInDirectory } from '../database-under-test.js';
import { type Credentials, createDevice, type Server, startServer } from './server.js';

keepInDirectory();

const test = suite<{ data: string }>('small heap');

test.before.each((context) => {
  context.data = mkdtempSync(join(tmpdir(), 'twin-heap-'));
});
test.after.each(({ data }) => rmSync(data, { recursive: true, force: true }));

const HEAP = { NODE_OPTIONS: '--max-old-space-size=64' };
const TEXT = 'x'.repeat(60 * 1024);
/** They are 72 MiB together. */
const PUTS = 1200;
const AT_ONCE = 40;
const TOPIC = '$SCW/twins/me/current/put';

const connect = (server: Server, { id, password }: Credentials): Promise<MqttClient> =>
  connectAsync(server.mqtt, { username: id, password, reconnectPeriod: 0 });

const put = (client: MqttClient, data: object): Promise<unknown> =>
  client.publishAsync(TOPIC, JSON.stringify({ data }), { qos: 1 });

async function versionOf(server: Server, { id }: Credentials): Promise<number> {
  const response = await server.api(`/twins/${id}/documents/current`);
  return ((await response.json()) as { version: number }).version;
}

/** Write-behind is as slow as it can be, so that the journal keeps everything that memory does not force out. */
const LIMITS = { storage: { writeBehindMs: 600_000 } };

test('with a heap of 64 MiB the server outlives large puts and a crash, and loses nothing', async ({
  data,
}) => {
  const options = { data, token: randomUUID(), env: HEAP, limits: LIMITS };
  let server = await startServer(options);
  const greedy = await createDevice(server, 'greedy');
  const honest = await createDevice(server, 'honest');
  const [flood, calm] = await Promise.all([connect(server, greedy), connect(server, honest)]);
  let asked = 0;
  let honestPuts = 0;
  let isOver = false;
  const beside = async () => {
    while (!isOver) {
      await put(calm, { n: honestPuts });
      honestPuts += 1;
    }
  };
  const flooding = async () => {
    while (asked < PUTS) {
      asked += 1;
      await put(flood, { n: asked, text: TEXT });
    }
  };
  const calmly = beside();
  await Promise.all(Array.from({ length: AT_ONCE }, flooding));
  isOver = true;
  await calmly;
  await Promise.all([flood.endAsync(true), calm.endAsync(true)]);
  await server.stop('SIGKILL');
  for (const end of ['SIGKILL', 'SIGTERM'] as const) {
    server = await startServer(options);
    assert.is(await versionOf(server, greedy), PUTS);
    assert.is(await versionOf(server, honest), honestPuts);
    await server.stop(end);
  }
});

test.run();
