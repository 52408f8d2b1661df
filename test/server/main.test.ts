/** The server's own process: how it starts, how it refuses to, and how it ends. */

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { keepInDirectory } from '../database-under-test.js';
import { needsNamespaces } from '../programs.js';
import { type Program, startProgram } from '../system/process.js';
import { createDevice, SERVER, startServer } from '../system/server.js';
import { until } from '../until.js';

keepInDirectory();

const test = suite<{ directory: string }>('the process of the server');

test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'twin-main-'));
});
test.after.each(({ directory }) => rmSync(directory, { recursive: true, force: true }));

const start = (data: string, env: Record<string, string> = {}): Program =>
  startProgram(SERVER, {
    TWIN_DATA: data,
    TWIN_HTTP: '127.0.0.1:0',
    TWIN_MQTT: '127.0.0.1:0',
    TWIN_TOKEN: '',
    TWIN_LOG: 'info',
    ...env,
  });

const listening = (program: Program): Promise<{ http: string; mqtt: string }> =>
  program.line((line) => (line.includes('"msg":"listening"') ? JSON.parse(line) : undefined));

/** What it says to people, beside its log. */
const saidBy = ({ lines }: Program): string[] => lines.filter((line) => !line.startsWith('{'));

const TOKEN_LINE = /^Owner token, shown this once: ([0-9a-f-]{36})$/;
const tokenIn = (lines: string[]): string | undefined =>
  lines.map((line) => TOKEN_LINE.exec(line)?.[1]).find((token) => token !== undefined);

const devicesStatus = async (http: string, token: string): Promise<number> => {
  const response = await fetch(`http://${http}/iot/v1/regions/fr-par/devices`, {
    headers: { 'X-Auth-Token': token },
  });
  await response.arrayBuffer();
  return response.status;
};

test('the first start without a token makes one, shows it once, and keeps it', async ({ directory }) => {
  const first = start(directory);
  const token = tokenIn((await listening(first).then(() => first)).lines) ?? '';
  assert.is(await devicesStatus((await listening(first)).http, token), 200);
  assert.is(first.lines.filter((line) => line.includes(token)).length, 1);
  await first.stop();
  const second = start(directory);
  const { http } = await listening(second);
  assert.is(tokenIn(second.lines), undefined);
  assert.is(await devicesStatus(http, token), 200);
  await second.stop();
});

test('the code and the links of the first start pair a phone, with a token that makes no other', async ({
  directory,
}) => {
  const first = start(directory);
  const { http } = await listening(first);
  const links = first.lines.flatMap((line) => /^ {2}https?:\/\/\S+#token=(\S+)$/.exec(line)?.[1] ?? []);
  assert.ok(links.length > 0);
  assert.is(new Set(links).size, 1);
  const answer = await fetch(`http://${http}/iot/v1/regions/fr-par/tokens/self`, {
    headers: { 'X-Auth-Token': links[0] ?? '' },
  });
  assert.is(((await answer.json()) as { role: string }).role, 'app');
  await first.stop();
});

test('a token given from outside is the owner, is shown nowhere, and goes with the process', async ({
  directory,
}) => {
  const token = randomUUID();
  const first = start(directory, { TWIN_TOKEN: token });
  const { http } = await listening(first);
  assert.is(await devicesStatus(http, token), 200);
  await first.stop();
  assert.not.ok(first.lines.join('\n').includes(token));
  const second = start(directory);
  assert.is(await devicesStatus((await listening(second)).http, token), 401);
  await second.stop();
});

test('a port that is taken is one clear line and exit 1', async ({ directory }) => {
  const other = createServer();
  await new Promise<void>((ready) => other.listen(0, '127.0.0.1', ready));
  const { port } = other.address() as { port: number };
  for (const variable of ['TWIN_HTTP', 'TWIN_MQTT', 'TWIN_HTTPS', 'TWIN_MQTTS']) {
    const taken = { [variable]: `127.0.0.1:${port}` };
    const others = { TWIN_HTTPS: '127.0.0.1:0', TWIN_MQTTS: '127.0.0.1:0' };
    const program = start(directory, { ...others, ...taken, TWIN_TOKEN: randomUUID() });
    assert.is((await program.ended).code, 1);
    assert.equal(saidBy(program), [
      `alarm-twin: 127.0.0.1:${port} is taken by another program; ${variable} chooses where to listen`,
    ]);
  }
  other.close();
});

test('a data directory that cannot be made is one clear line and exit 1', async ({ directory }) => {
  const file = join(directory, 'file');
  writeFileSync(file, '');
  for (const data of [file, join(file, 'below')]) {
    const program = start(data);
    assert.is((await program.ended).code, 1, data);
    assert.is(program.lines.length, 1, program.lines.join('\n'));
    assert.ok(program.lines[0]?.startsWith('alarm-twin: '));
    assert.ok(program.lines[0]?.includes(file), program.lines[0]);
  }
});

(existsSync('/sys/kernel') ? test : test.skip)(
  'a data directory that may not be written is one clear line and exit 1',
  async () => {
    const program = start('/sys/kernel/twin');
    assert.is((await program.ended).code, 1);
    assert.is(program.lines.length, 1, program.lines.join('\n'));
    assert.match(program.lines[0] ?? '', /^alarm-twin: (no permission for \/sys|\/sys.* read-only)/);
  },
);

test('a wrong setting is one clear line and exit 1', async ({ directory }) => {
  const cases: [Record<string, string>, string][] = [
    [{ TWIN_HTTP: 'nowhere' }, 'TWIN_HTTP=nowhere: expected host:port, such as 127.0.0.1:8080'],
    [{ TWIN_LOG: 'loud' }, 'TWIN_LOG=loud: expected one of trace, debug, info, warn, error, fatal, silent'],
  ];
  for (const [env, message] of cases) {
    const program = start(directory, env);
    assert.is((await program.ended).code, 1);
    assert.equal(program.lines, [`alarm-twin: ${message}`]);
  }
});

test('a wrong option is one line that says where the help is, and the help names the settings', async ({
  directory,
}) => {
  for (const args of [['--colour', 'red'], ['--data'], ['start']]) {
    const program = startProgram([...SERVER, ...args], { TWIN_DATA: directory });
    assert.is((await program.ended).code, 2);
    assert.is(program.lines.length, 1, program.lines.join('\n'));
    assert.match(program.lines[0] ?? '', /^alarm-twin: .+ \(see npm run server -- --help\)$/);
  }
  const help = startProgram([...SERVER, '--help'], { TWIN_DATA: directory });
  assert.is((await help.ended).code, 0);
  assert.match(help.lines.join('\n'), '--http (TWIN_HTTP)');
});

test('an address that this machine does not have is one clear line and exit 1', async ({ directory }) => {
  const program = start(directory, { TWIN_HTTPS: '192.0.2.1:0', TWIN_TOKEN: randomUUID() });
  assert.is((await program.ended).code, 1);
  assert.equal(saidBy(program), [
    'alarm-twin: 192.0.2.1 is no address of this machine; TWIN_HTTPS chooses where to listen',
  ]);
});

test('a listener without TLS for other machines is refused in one line, or logged as a warning when it is allowed', async ({
  directory,
}) => {
  const open = { TWIN_HTTP: '0.0.0.0:0' };
  const refused = start(directory, open);
  assert.is((await refused.ended).code, 1);
  assert.is(refused.lines.length, 1);
  assert.match(
    refused.lines[0] ?? '',
    /^alarm-twin: TWIN_HTTP=0\.0\.0\.0:0 would serve other machines without TLS/,
  );
  const allowed = start(directory, { ...open, TWIN_ALLOW_INSECURE: '1' });
  await listening(allowed);
  const warnings = allowed.lines.filter((line) => line.includes('"level":40'));
  assert.is(warnings.length, 1);
  assert.match(warnings[0] ?? '', /TWIN_HTTP=0\.0\.0\.0:0 serves other machines WITHOUT TLS/);
  await allowed.stop();
});

test('a wrong certificate or authority is one clear line and exit 1', async ({ directory }) => {
  const key = join(directory, 'no-such-key.pem');
  const given = start(directory, { TWIN_TLS_CERT: 'package.json', TWIN_TLS_KEY: key });
  assert.is((await given.ended).code, 1);
  assert.match(saidBy(given).join('\n'), `alarm-twin: TWIN_TLS_KEY=${key} cannot be read: ENOENT`);
  writeFileSync(join(directory, 'tls', 'authority.pem'), 'damaged');
  const damaged = start(directory);
  assert.is((await damaged.ended).code, 1);
  assert.is(saidBy(damaged).length, 1);
  assert.match(saidBy(damaged)[0] ?? '', `alarm-twin: ${join(directory, 'tls', 'authority.pem')} holds no`);
});

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  test(`${signal} ends it with exit 0, also with open connections`, async ({ directory }) => {
    const server = await startServer({
      data: directory,
      limits: { rest: { stopMs: 200 }, tls: { handshakeMs: 600_000 } },
    });
    const device = await createDevice(server, 'connected');
    const client = await connectAsync(server.mqtt, {
      username: device.id,
      password: device.password,
      reconnectPeriod: 0,
    });
    const path = `/iot/v1/regions/fr-par/twins/${device.id}/documents/d`;
    const head = `HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: ${server.token}\r\n`;
    const sockets = await Promise.all(
      ['', 'GET / HT', `PUT ${path} ${head}Content-Length: 100\r\n\r\n{"da`, `GET /healthz ${head}\r\n`].map(
        (bytes) => open(server.http, bytes),
      ),
    );
    for (const url of [server.https, server.mqtts]) sockets.push(await open(url, '\x16\x03\x01'));
    assert.equal(await server.stop(signal), { code: 0, signal: null });
    await Promise.all(
      sockets.map((socket) => socket.closed || new Promise((closed) => socket.on('close', closed))),
    );
    client.end(true);
  });
}

/** A connection on which these bytes have been sent. */
function open(http: string, bytes: string): Promise<Socket> {
  const { hostname, port } = new URL(http);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes, () => resolve(socket)));
    socket.on('error', () => undefined);
    socket.resume();
  });
}

/** Sends the process a SIGTERM as soon as it listens for one: the rest of the program is still being loaded. */
const STOPPED_WHILE_LOADING = `process.on('newListener', (name) => {
  if (name === 'SIGTERM') setImmediate(() => process.kill(process.pid, 'SIGTERM'));
})`;

const isolated = needsNamespaces(test);
for (const [who, wrapper, define] of [
  ['the server', [], test],
  ['the first process of a container', ['unshare', '-rpf', '--kill-child'], isolated],
] as const) {
  define(
    `${who} that is stopped while it is being loaded does not start, and ends with exit 0`,
    async ({ directory }) => {
      const inside = `data:text/javascript,${encodeURIComponent(STOPPED_WHILE_LOADING)}`;
      const [node = '', ...args] = SERVER;
      const program = startProgram([...wrapper, node, '--import', inside, ...args], { TWIN_DATA: directory });
      assert.equal(await program.ended, { code: 0, signal: null });
      assert.equal(program.lines, []);
      assert.not.ok(existsSync(join(directory, 'journal')));
    },
  );
}

test('a stop during the start is obeyed when the start is done', async ({ directory }) => {
  const program = start(directory);
  await program.line((line) => line.includes('made a certificate') || undefined);
  assert.equal(await program.stop('SIGTERM'), { code: 0, signal: null });
  assert.match(program.lines.at(-1) ?? '', '"msg":"stopped"');
});

test('a full disk under the log loses lines, and the server goes on', async ({ directory }) => {
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const { port } = free.address() as { port: number };
  free.close();
  const program = startProgram(['sh', '-c', 'exec "$@" > /dev/full', 'sh', ...SERVER], {
    TWIN_DATA: directory,
    TWIN_HTTP: `127.0.0.1:${port}`,
    TWIN_HTTPS: '',
    TWIN_MQTT: '127.0.0.1:0',
    TWIN_LOG: 'trace',
  });
  const ask = (path: string) =>
    fetch(`http://127.0.0.1:${port}${path}`).then(
      ({ status }) => status,
      () => 0,
    );
  await until(async () => (await ask('/healthz')) === 200);
  for (let n = 0; n < 500; n += 1) assert.is(await ask('/iot/v1/regions/fr-par/hubs'), 401);
  assert.is(await ask('/healthz'), 200);
  assert.equal(await program.stop(), { code: 0, signal: null });
  assert.equal(program.lines, []);
});

for (const [what, before] of [
  ['empty', ''],
  ['with data', ' && mkdir "$0"/journal'],
]) {
  isolated(`a read-only disk, ${what}, is one clear line and exit 1`, async ({ directory }) => {
    const mount = `mount -t tmpfs tmpfs "$0"${before} && mount -o remount,ro "$0" && exec "$@"`;
    const program = startProgram(['unshare', '-rm', 'sh', '-c', mount, directory, ...SERVER], {
      TWIN_DATA: directory,
      TWIN_HTTP: '127.0.0.1:0',
      TWIN_MQTT: '127.0.0.1:0',
    });
    assert.is((await program.ended).code, 1);
    assert.equal(program.lines, [`alarm-twin: ${directory} is on a read-only file system`]);
  });
}

test('acknowledged writes, and when a device was last heard, outlive a stop', async ({ directory }) => {
  const token = randomUUID();
  const first = await startServer({ data: directory, token });
  const device = await createDevice(first, 'kept');
  await first.api(`/twins/${device.id}/documents/d`, { method: 'PUT', body: '{"data":{"n":1}}' });
  const client = await connectAsync(first.mqtt, {
    username: device.id,
    password: device.password,
    reconnectPeriod: 0,
  });
  const show = async (server: typeof first) =>
    (await (await server.api(`/devices/${device.id}`)).json()) as {
      is_connected: boolean;
      last_activity_at: string | null;
    };
  assert.ok((await show(first)).is_connected);
  await first.stop();
  client.end(true);
  const second = await startServer({ data: directory, token });
  const { is_connected, last_activity_at } = await show(second);
  assert.not(is_connected);
  assert.type(last_activity_at, 'string');
  const document = (await (await second.api(`/twins/${device.id}/documents/d`)).json()) as { data: object };
  assert.equal(document.data, { n: 1 });
  await second.stop();
});

test('the hub is the same one after a restart', async ({ directory }) => {
  const token = randomUUID();
  const hubs: unknown[] = [];
  for (let n = 0; n < 2; n += 1) {
    const server = await startServer({ data: directory, token });
    const { hubs: found } = (await (await server.api('/hubs')).json()) as { hubs: { id: string }[] };
    hubs.push(found[0]?.id);
    await server.stop();
  }
  assert.type(hubs[0], 'string');
  assert.is(hubs[0], hubs[1]);
});

for (const fault of ['throw new Error("our fault")', 'Promise.reject(new Error("our fault"))']) {
  test(`an exception that is not caught is logged and ends it with exit 1: ${fault}`, async ({
    directory,
  }) => {
    const module = `process.on('SIGUSR2', () => { ${fault} })`;
    const program = startProgram(
      [
        process.execPath,
        '--import',
        `data:text/javascript,${encodeURIComponent(module)}`,
        ...SERVER.slice(1),
      ],
      { TWIN_DATA: directory, TWIN_HTTP: '127.0.0.1:0', TWIN_MQTT: '127.0.0.1:0', TWIN_LOG: 'info' },
    );
    await listening(program);
    assert.equal(await program.stop('SIGUSR2'), { code: 1, signal: null });
    const last = JSON.parse(program.lines.at(-1) ?? '{}') as { level: number; err: { message: string } };
    assert.is(last.level, 60);
    assert.is(last.err.message, 'our fault');
  });
}

test.run();
