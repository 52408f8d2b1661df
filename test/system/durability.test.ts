/** What a failing disk, a second server, a damaged file and the order of system calls do to the real server. */

import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { keepInDirectory } from '../database-under-test.js';
import { needsIn, needsNamespaces } from '../programs.js';
import { until } from '../until.js';
import { startProgram } from './process.js';
import { createDevice, SERVER, type Server, startServer } from './server.js';

keepInDirectory();

const test = suite<{ data: string }>('durability');

test.before.each((context) => {
  context.data = mkdtempSync(join(tmpdir(), 'twin-durability-'));
});
test.after.each(({ data }) => rmSync(data, { recursive: true, force: true }));

const put = (server: Server, path: string, data: object): Promise<Response> =>
  server.api(path, { method: 'PUT', body: JSON.stringify({ data }) });

needsIn(test, 'strace')(
  'no answer leaves before an fdatasync that covers its write has ended',
  async ({ data }) => {
    const trace = join(data, 'trace');
    const calls = 'trace=pwrite64,fdatasync,write,writev';
    const server = await startServer({
      data: join(data, 'twin'),
      wrapper: ['strace', '-f', '-qq', '-s', '4000', '-e', calls, '-o', trace],
    });
    const device = await createDevice(server, 'traced');
    const path = `/twins/${device.id}/documents/d`;
    for (let n = 0; n < 20; n += 1) assert.is((await put(server, path, { rest: `rest-${n}-` })).status, 200);
    const client = await connectAsync(server.mqtt, { username: device.id, password: device.password });
    for (let n = 0; n < 20; n += 1) {
      await client.publishAsync('$SCW/twins/me/d/put', JSON.stringify({ data: { mqtt: `mqtt-${n}-` } }), {
        qos: 1,
      });
    }
    await client.endAsync();
    await server.stop();
    const lines = readFileSync(trace, 'utf8').split('\n');
    for (const over of ['rest', 'mqtt']) {
      for (let n = 0; n < 20; n += 1)
        assert.equal(orderOfWrite(lines, `${over}-${n}-`), ['journal', 'synced', 'answered']);
    }
  },
);

/**
 * In which order the system calls of one write ended. The journal's bytes hold the mark; the first write to a socket
 * after them that is HTTP's 200 or MQTT's PUBACK (0x40 0x02) is the answer.
 */
function orderOfWrite(lines: string[], mark: string): string[] {
  const start = lines.findIndex((line) => line.includes('pwrite64(') && line.includes(mark));
  const order = start === -1 ? [] : ['journal'];
  for (const line of lines.slice(start + 1)) {
    if (/fdatasync.* = 0$/.test(line)) order.push('synced');
    if (/write.*"(HTTP\/1.1 200|@\\2)/.test(line)) return [...new Set([...order, 'answered'])];
  }
  return order;
}

needsNamespaces(test)(
  'on a full disk the greedy device is refused, a panel is armed and a token revoked, and all recovers by itself',
  async ({ data }) => {
    const mount = join(data, 'disk');
    mkdirSync(mount);
    const server = await startServer({
      data: mount,
      limits: { storage: { journalRetryMs: 10, diskLookMs: 50, writeBehindMs: 50 } },
      wrapper: ['unshare', '-rm', 'sh', '-c', 'mount -t tmpfs -o size=32m tmpfs "$0" && exec "$@"', mount],
    });
    // The file system is seen by the server's process only.
    const inside = `/proc/${server.pid}/root${mount}`;
    const gauge = async (name: string): Promise<number> => {
      const text = await (
        await fetch(`${server.http}/metrics`, { headers: { 'X-Auth-Token': server.token } })
      ).text();
      return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
    };
    const greedy = await createDevice(server, 'greedy');
    const panel = await createDevice(server, 'panel');
    const documentOf = ({ id }: { id: string }, name: string) => `/twins/${id}/documents/${name}`;
    const made = await server.api('/tokens', { method: 'POST', body: JSON.stringify({ role: 'app' }) });
    const { token } = (await made.json()) as { token: { id: string } };
    assert.is((await put(server, documentOf(greedy, 'd'), { n: 1 })).status, 200);
    await until(async () => (await gauge('twin_disk_reserve_bytes')) === 4 * 1024 * 1024);
    try {
      for (let size = 128 * 1024; size >= 1; ) {
        try {
          writeFileSync(join(inside, 'ballast'), Buffer.alloc(size), { flag: 'a' });
        } catch {
          size = Math.floor(size / 2);
        }
      }
      const large = { text: 'x'.repeat(20_000) };
      await until(async () => (await put(server, documentOf(greedy, 'd'), large)).status === 503);
      const refused = await put(server, documentOf(greedy, 'd'), large);
      assert.is(refused.status, 503);
      assert.is(((await refused.json()) as { type: string }).type, 'transient_state');
      const before = (await (await server.api(documentOf(greedy, 'd'))).json()) as { version: number };

      const client = await connectAsync(server.mqtt, { username: greedy.id, password: greedy.password });
      await client.subscribeAsync('$SCW/twins/me/#');
      const answer = new Promise<string>((told) =>
        client.once('message', (topic, payload) => told(`${topic} ${payload}`)),
      );
      let acknowledged = false;
      client.publishAsync('$SCW/twins/me/d/put', JSON.stringify({ data: large }), { qos: 1 }).then(
        () => {
          acknowledged = true;
        },
        () => undefined,
      );
      assert.match(await answer, /d\/put\/response\/error .*storage unavailable/);
      assert.not(acknowledged);
      await client.endAsync(true);
      assert.equal(await (await server.api(documentOf(greedy, 'd'))).json(), before);

      for (let n = 1; n <= 40; n += 1) {
        const armed = { alarm_armed: n % 2 === 0 };
        assert.is((await put(server, documentOf(panel, 'desired'), armed)).status, 200);
        assert.is((await put(server, documentOf(panel, 'current'), armed)).status, 200);
      }
      assert.is((await server.api(`/tokens/${token.id}`, { method: 'DELETE' })).status, 204);
      assert.is((await fetch(`${server.http}/healthz`)).status, 200);
      assert.is(await gauge('twin_disk_short'), 1);

      rmSync(join(inside, 'ballast'));
      await until(async () => (await gauge('twin_disk_short')) === 0);
      const after = (await (await put(server, documentOf(greedy, 'd'), large)).json()) as { version: number };
      assert.is(after.version, before.version + 1);
      await until(async () => (await gauge('twin_disk_reserve_bytes')) === 4 * 1024 * 1024);
    } finally {
      await server.stop();
    }
  },
);

test('a second server on one data directory refuses to start and names the first', async ({ data }) => {
  const first = await startServer({ data });
  const second = startServerProcess(data);
  assert.is((await second.ended).code, 1);
  const said = second.lines.join('\n');
  assert.match(said, `process ${first.pid}`);
  assert.is(second.lines.length, 1, said);
  assert.is((await fetch(`${first.http}/healthz`)).status, 200);
  await first.stop();
});

test('the lock that a killed server leaves does not keep the next one out', async ({ data }) => {
  await (await startServer({ data })).stop('SIGKILL');
  assert.equal(await (await startServer({ data })).stop(), { code: 0, signal: null });
});

test('after kill -9 the server knows when a device that was connected was heard last', async ({ data }) => {
  const options = { data, token: randomUUID(), limits: { devices: { heardEveryMs: 1 } } };
  const first = await startServer(options);
  const device = await createDevice(first, 'cut off');
  const lastHeard = async (server: Server) =>
    ((await (await server.api(`/devices/${device.id}`)).json()) as { last_activity_at: string })
      .last_activity_at;
  const connect = () =>
    connectAsync(first.mqtt, { username: device.id, password: device.password, reconnectPeriod: 0 });
  await (await connect()).endAsync();
  const client = await connect();
  client.on('error', () => undefined);
  const packet = await lastHeard(first);
  await client.publishAsync('$SCW/twins/me/current/put', '{"data":{}}', { qos: 1 });
  const truth = await lastHeard(first);
  assert.ok(truth > packet);
  const segments = () => readdirSync(join(data, 'journal')).map((name) => join(data, 'journal', name));
  const kept = `"${device.id}":${Date.parse(truth)}`;
  await until(() => segments().some((path) => readFileSync(path, 'utf8').includes(kept)));
  await first.stop('SIGKILL');
  const second = await startServer(options);
  assert.is(await lastHeard(second), truth);
  await second.stop();
  await client.endAsync(true);
});

test('a damaged journal stops the start with one line that names it', async ({ data }) => {
  const options = { data, token: randomUUID(), limits: { storage: { writeBehindMs: 1_000_000 } } };
  const server = await startServer(options);
  const device = await createDevice(server, 'damaged');
  for (const n of [1, 2, 3]) await put(server, `/twins/${device.id}/documents/d`, { n, mark: 'here' });
  await server.stop('SIGKILL');
  const [name = ''] = readdirSync(join(data, 'journal'));
  const segment = join(data, 'journal', name);
  const bytes = readFileSync(segment);
  bytes.write('HERE', bytes.indexOf('here'));
  writeFileSync(segment, bytes);
  const next = startServerProcess(data);
  assert.is((await next.ended).code, 1);
  assert.is(next.lines.length, 1, next.lines.join('\n'));
  assert.match(next.lines[0] ?? '', segment);
});

test('a damaged file that the server needs stops the start and is named', async ({ data }) => {
  await (await startServer({ data })).stop();
  const path = join(data, 'server.json');
  writeFileSync(path, 'null');
  const next = startServerProcess(data);
  assert.is((await next.ended).code, 1);
  assert.match(next.lines.at(-1) ?? '', `alarm-twin: ${path} is damaged`);
  assert.is(readFileSync(path, 'utf8'), 'null');
});

function startServerProcess(data: string) {
  return startProgram(SERVER, {
    TWIN_DATA: data,
    TWIN_HTTP: '127.0.0.1:0',
    TWIN_MQTT: '127.0.0.1:0',
  });
}

test.run();
