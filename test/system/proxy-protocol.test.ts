/** The server behind Debian's HAProxy, configured as `server/README.md` says. HAProxy connects from an address of its own. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync, type IClientOptions } from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freePort } from '../free-port.js';
import { needsIn, pathOf } from '../programs.js';
import { until } from '../until.js';
import { type Program, startProgram } from './process.js';
import { authorityOf, type Credentials, createDevice, type Server, startServer } from './server.js';

interface Context {
  directory: string;
  server: Server;
  haproxy: Program;
  /** HAProxy's ports. */
  https: number;
  mqtts: number;
  ca: string;
  device: Credentials;
}

const BALANCER = '127.0.0.9';
const GUESSER = '127.0.0.2';
const NEIGHBOUR = '127.0.0.3';

const tests = suite<Context>('behind HAProxy');
const test = needsIn(tests, 'haproxy');

tests.before.each(async (context) => {
  if (pathOf('haproxy') === undefined) return;
  context.directory = mkdtempSync(join(tmpdir(), 'twin-haproxy-'));
  context.server = await startServer({ env: { TWIN_NAMES: 'localhost', TWIN_PROXIES: BALANCER } });
  context.ca = await authorityOf(context.server);
  context.device = await createDevice(context.server, 'balanced');
  [context.https, context.mqtts] = [await freePort(), await freePort()];
  const file = join(context.directory, 'haproxy.cfg');
  writeFileSync(file, configuration(context));
  context.haproxy = startProgram([pathOf('haproxy') ?? '', '-db', '-f', file]);
  await until(() =>
    hubs(context, NEIGHBOUR, context.server.token).then(
      (status) => status === 200,
      () => false,
    ),
  );
});

tests.after.each(async ({ directory, server, haproxy }) => {
  if (directory === undefined) return;
  await haproxy.stop('SIGTERM');
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
});

function configuration({ server, https, mqtts }: Context): string {
  const [, text = ''] = /^```haproxy\n(.*?)^```$/ms.exec(readFileSync('server/README.md', 'utf8')) ?? [];
  assert.match(text, 'send-proxy-v2');
  const [ofHttps, ofMqtts] = [new URL(server.https).host, new URL(server.mqtts).host];
  const settings = text
    .replace('send-proxy-v2', `send-proxy-v2 source ${BALANCER}`)
    .replace('bind :443', `bind 127.0.0.1:${https}`)
    .replace('bind :8883', `bind 127.0.0.1:${mqtts}`)
    .replace('127.0.0.1:8443', ofHttps)
    .replace('127.0.0.1:8883 port 8443', `${ofMqtts} port ${new URL(server.https).port}`);
  return `global\n  log stdout format raw local0\n${settings}`.replace('mode tcp', 'mode tcp\n  log global');
}

/** The status of a request through HAProxy. */
function hubs({ https: port, ca }: Context, from: string, token: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const path = '/iot/v1/regions/fr-par/hubs';
    const headers = { 'X-Auth-Token': token };
    const target = {
      host: '127.0.0.1',
      servername: 'localhost',
      port,
      ca,
      path,
      headers,
      localAddress: from,
    };
    request({ ...target, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });
}

/** The code of the CONNACK for a device that connects through HAProxy. */
async function connack(
  { ca, https, mqtts }: Context,
  transport: 'mqtts' | 'wss',
  from: string,
  { id: username, password }: Pick<Credentials, 'id' | 'password'>,
): Promise<number> {
  const url = transport === 'mqtts' ? `mqtts://localhost:${mqtts}` : `wss://localhost:${https}/mqtt`;
  const way = { ca, host: '127.0.0.1', servername: 'localhost', localAddress: from };
  const options: IClientOptions = { username, password, reconnectPeriod: 0 };
  try {
    const client = await connectAsync(url, { ...options, ...way, wsOptions: way });
    await client.endAsync();
    return 0;
  } catch (error) {
    return (error as { code: number }).code;
  }
}

/** The sources that were refused so far, by the audit log. */
const refused = ({ server }: Context): Set<string> =>
  new Set(
    server.program.lines.flatMap((line) => /"audit":"\w+_refused".*"source":"([^"]+)"/.exec(line)?.[1] ?? []),
  );

const WRONG = '00000000-0000-4000-8000-000000000000';
const ACCEPTED = 0;
const UNAVAILABLE = 3;
const BAD_PASSWORD = 4;

test('wrong tokens by HTTPS block the client that sent them, and neither the balancer nor others', async (context) => {
  const { token } = context.server;
  await until(async () => (await hubs(context, GUESSER, WRONG)) === 429);
  assert.is(await hubs(context, GUESSER, token), 429);
  assert.is(await hubs(context, NEIGHBOUR, token), 200);
  assert.equal(refused(context), new Set([GUESSER]));
});

for (const transport of ['mqtts', 'wss'] as const) {
  test(`wrong passwords by ${transport} block the client that sent them, and no other`, async (context) => {
    const { device } = context;
    const wrong = { id: device.id, password: WRONG };
    assert.is(await connack(context, transport, GUESSER, wrong), BAD_PASSWORD);
    await until(async () => (await connack(context, transport, GUESSER, wrong)) === UNAVAILABLE);
    assert.is(await connack(context, transport, GUESSER, device), UNAVAILABLE);
    assert.is(await connack(context, transport, NEIGHBOUR, device), ACCEPTED);
    assert.is(await connack(context, 'mqtts', GUESSER, device), UNAVAILABLE);
    assert.equal(refused(context), new Set([GUESSER]));
  });
}

test('a server that stops says first that it is not ready, and HAProxy sends no client there', async (context) => {
  const stopped = context.server.stop();
  for (const listener of ['https', 'mqtts']) {
    const isDown = new RegExp(`^Server ${listener}/twin is DOWN, reason: Layer7 wrong status, code: 503`);
    await context.haproxy.line((line) => isDown.test(line) || undefined);
  }
  assert.equal(await stopped, { code: 0, signal: null });
});

tests.run();
