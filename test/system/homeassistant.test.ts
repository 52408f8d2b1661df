/** The real server, a real Mosquitto with TLS and a password, and a panel: as in a house with Home Assistant. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { needsIn, pathOf } from '../programs.js';
import { type Mosquitto, mosquitto, type Recorder, record } from '../server/homeassistant/mosquitto.js';
import { until } from '../until.js';
import { type LightPanel, startLightPanel } from './light-panel.js';
import { startProgram } from './process.js';
import { type Credentials, createDevice, SERVER, type Server, startServer } from './server.js';

interface Context {
  directory: string;
  broker: Mosquitto;
  recorder: Recorder;
  data: string;
  server: Server;
  device: Credentials;
  panel: LightPanel;
}

const test = suite<Context>('a house with Home Assistant');
const withMosquitto = needsIn(test, 'mosquitto', 'mosquitto_passwd', 'openssl');
const isThere = ['mosquitto', 'mosquitto_passwd', 'openssl'].every((name) => pathOf(name) !== undefined);

const environment = ({ broker, directory }: Context): Record<string, string> => ({
  TWIN_HOMEASSISTANT: `mqtts://twin:s3cret@localhost:${broker.port}`,
  TWIN_HOMEASSISTANT_CA: join(directory, 'broker.crt'),
});

const start = (context: Context): Promise<Server> =>
  startServer({ data: context.data, env: environment(context) });

test.before(async (context) => {
  if (!isThere) return;
  const directory = mkdtempSync(join(tmpdir(), 'homeassistant-'));
  const file = (name: string): string => join(directory, name);
  execFileSync(
    pathOf('openssl') ?? '',
    [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
      ],
      ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
      ...['-keyout', file('broker.key'), '-out', file('broker.crt')],
    ],
    { stdio: 'ignore' },
  );
  execFileSync(pathOf('mosquitto_passwd') ?? '', ['-b', '-c', file('passwords'), 'twin', 's3cret']);
  const broker = await mosquitto([
    ...[`certfile ${file('broker.crt')}`, `keyfile ${file('broker.key')}`],
    ...['allow_anonymous false', `password_file ${file('passwords')}`, 'user root'],
  ]);
  const url = `mqtts://twin:s3cret@localhost:${broker.port}`;
  await broker.start();
  Object.assign(context, { directory, broker, data: file('data') });
  context.recorder = await record(url, { rejectUnauthorized: false });
  context.server = await start(context);
  context.device = await createDevice(context.server, 'front door');
  context.panel = startLightPanel(new URL(context.server.mqtt), context.device);
});
test.after(async ({ directory, broker, recorder, server, panel }) => {
  if (!isThere) return;
  panel.stop();
  await server.stop();
  await recorder.end();
  await broker.remove();
  rmSync(directory, { recursive: true });
});

const says = ({ topics }: Recorder, topic: string, payload: string): Promise<void> =>
  until(() => topics.get(topic) === payload);

/** The topics of the panel and of the bridge, once both are there. */
async function places({ recorder, device }: Context): Promise<{ panel: string; bridge: string }> {
  const find = () =>
    [...recorder.topics.keys()].find((topic) => topic.endsWith(`/${device.id}/availability`));
  await until(() => find() !== undefined);
  const panel = (find() as string).replace(/\/availability$/, '');
  return { panel, bridge: panel.replace(/\/[^/]+$/, '/availability') };
}

withMosquitto('the panel shows up by itself over TLS, and arming there arms it', async (context) => {
  const { recorder, panel } = context;
  const at = await places(context);
  await says(recorder, at.bridge, 'online');
  await says(recorder, `${at.panel}/availability`, 'online');
  await says(recorder, `${at.panel}/state`, 'disarmed');
  await recorder.client.publishAsync(`${at.panel}/command`, 'ARM_AWAY');
  await says(recorder, `${at.panel}/state`, 'armed_away');
  assert.ok(panel.status.armed);
  await until(() => recorder.topics.get(`${at.panel}/attributes`) === '{"armed_by":"Home Assistant"}');
  await recorder.client.publishAsync(`${at.panel}/command`, 'DISARM');
  await says(recorder, `${at.panel}/state`, 'disarmed');
});

withMosquitto(
  'the broker says offline of a killed server, and the next one states everything again',
  async (context) => {
    const { recorder, server } = context;
    const at = await places(context);
    await says(recorder, at.bridge, 'online');
    await server.stop('SIGKILL');
    await says(recorder, at.bridge, 'offline');
    context.server = await start(context);
    await says(recorder, at.bridge, 'online');
    assert.is(recorder.topics.get(`${at.panel}/state`), 'disarmed');
    // The server listens on another port now, and the panel is not there any more.
    await says(recorder, `${at.panel}/availability`, 'offline');
  },
);

withMosquitto(
  'the metrics count the connection, and neither log nor metrics show the password',
  async (context) => {
    const { server, recorder } = context;
    await says(recorder, (await places(context)).bridge, 'online');
    const text = await (
      await fetch(`${server.http}/metrics`, { headers: { 'X-Auth-Token': server.token } })
    ).text();
    assert.match(text, /^twin_homeassistant_connected 1$/m);
    assert.match(text, /^twin_homeassistant_panels 1$/m);
    assert.not.match(text + server.program.lines.join('\n'), 's3cret');
  },
);

for (const [what, settings, message] of [
  [
    'an address of another kind',
    { TWIN_HOMEASSISTANT: 'http://user:s3cret@host' },
    /^alarm-twin: TWIN_HOMEASSISTANT=…: expected a URL/m,
  ],
  [
    'a missing certificate',
    { TWIN_HOMEASSISTANT: 'mqtts://host', TWIN_HOMEASSISTANT_CA: 'none' },
    /^alarm-twin: TWIN_HOMEASSISTANT_CA=none/m,
  ],
  [
    'a wildcard in a topic',
    { TWIN_HOMEASSISTANT_TOPIC: 'alarm/#' },
    /^alarm-twin: TWIN_HOMEASSISTANT_TOPIC=alarm\/#: expected a topic/m,
  ],
] as const) {
  test(`${what} is one clear line at the start, without the password`, async () => {
    const data = mkdtempSync(join(tmpdir(), 'twin-'));
    const program = startProgram(SERVER, {
      ...{ TWIN_DATA: data, TWIN_HTTP: '127.0.0.1:0', TWIN_MQTT: '127.0.0.1:0', ...settings },
    });
    assert.is((await program.ended).code, 1);
    const said = program.lines.filter((line) => !line.startsWith('{')).join('\n');
    assert.match(said, message);
    assert.not.match(said, 's3cret');
    rmSync(data, { recursive: true });
  });
}

test.run();
