/** `npm run flash` against the real server, with an SDK that only writes down how it was called. */

import { X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type BoardConfig, pathOf } from '../../firmware/desktop/board/local-manifest.js';
import { startPanel } from '../../firmware/desktop/desktop-panel.js';
import { callsOf, fakeSdk, fakeTarget } from '../firmware/desktop/board/fake-sdk.js';
import { openAuthority, serverCertificate } from '../server/tls/authority.js';
import { startProgram } from './process.js';
import { type Server, startServer } from './server.js';

interface Context {
  server: Server;
  /** Of the SDK. */
  directory: string;
  /** Of the panel. */
  name: string;
  /** Runs the command for a board; the SDK is there unless it is said otherwise. */
  flash: (
    args?: string[],
    environment?: Record<string, string>,
  ) => Promise<{ code: number | null; said: string }>;
}

const test = suite<Context>('flash');
const COMMAND = [process.execPath, '--import', 'tsx', 'firmware/desktop/board/flash.ts'];
const BOARD = ['--target', 'esp32/nodemcu', '--port', '/dev/ttyUSB0', '--ssid', 'home', '--open'];

let runs = 0;

test.before(async (context) => {
  context.server = await startServer();
});
test.before.each((context) => {
  runs += 1;
  context.directory = mkdtempSync(join(tmpdir(), 'flash-'));
  context.name = `test-${process.pid}-${runs}`;
  fakeSdk(context.directory);
  fakeTarget(context.directory, 'm5atom_lite', {});
  context.flash = async (args = [], environment = {}) => {
    const { server, directory, name } = context;
    const mqtts = server.mqtts.replace('127.0.0.1', 'alarm.example');
    const program = startProgram([...COMMAND, ...BOARD, '--name', name, '--server', mqtts, ...args], {
      ...{
        MODDABLE: directory,
        IDF_PATH: join(directory, 'idf'),
        TWIN_URL: server.http,
        TWIN_TOKEN: server.token,
      },
      ...environment,
    });
    const { code } = await program.ended;
    return { code, said: program.lines.join('\n') };
  };
});
test.after.each(({ directory, name }) => {
  rmSync(directory, { recursive: true });
  rmSync(dirname(pathOf(name)), { recursive: true, force: true });
});
test.after(async ({ server }) => {
  await server.stop();
});

const configOf = (name: string): BoardConfig => JSON.parse(readFileSync(pathOf(name), 'utf8')).config;

const devicesOf = async (server: Server): Promise<{ id: string; name: string; allow_insecure: boolean }[]> =>
  ((await (await server.api('/devices?page_size=100')).json()) as { devices: [] }).devices;

const pem = (kind: string, text = ''): string => `-----BEGIN ${kind}-----\n${text}\n-----END ${kind}-----\n`;

test('a device is made, its proof is written for the owner alone, and mcconfig is called', async ({
  server,
  directory,
  name,
  flash,
}) => {
  const { code, said } = await flash();
  assert.is(code, 0, said);
  const { device, ssid, key = '' } = configOf(name);
  const [known] = (await devicesOf(server)).filter((each) => each.id === device);
  assert.equal([known?.name, known?.allow_insecure, ssid], [name, false, 'home']);
  assert.is(statSync(pathOf(name)).mode & 0o777, 0o600);
  assert.equal(callsOf(directory), [`/dev/ttyUSB0 -m -p esp32/nodemcu ${pathOf(name)}`]);
  assert.not.ok(said.includes(key));
});

test('with what was written a panel proves itself to the server', async ({
  server,
  directory,
  name,
  flash,
}) => {
  await flash();
  const { device, ca, certificate, key } = configOf(name);
  assert.is(new X509Certificate(pem('CERTIFICATE', certificate)).publicKey.asymmetricKeyType, 'rsa');
  const panel = await startPanel({
    server: server.mqtts,
    device,
    password: '',
    flash: join(directory, 'flash.json'),
    tls: { ca: pem('CERTIFICATE', ca), cert: pem('CERTIFICATE', certificate), key: pem('PRIVATE KEY', key) },
  });
  await panel.until(({ online }) => online);
  panel.stop();
});

test('flashed again, a panel keeps its device and its proof, unless new ones are wanted', async ({
  server,
  name,
  flash,
}) => {
  await flash();
  const first = configOf(name);
  await flash(['--siren-mode', 'follow']);
  const second = configOf(name);
  assert.equal(second, { ...first, flashedAt: second.flashedAt, sirenMode: 'follow' });
  assert.ok(Number(second.flashedAt) > Number(first.flashedAt));
  await flash(['--renew']);
  const third = configOf(name);
  assert.is(third.device, first.device);
  assert.is.not(third.key, first.key);
  await server.api(`/devices/${first.device}`, { method: 'DELETE' });
  await flash();
  assert.is.not(configOf(name).device, first.device);
});

const CONTACTS = ['front door:27:entry', 'window:33:instant:away:resistor', 'key switch:32:key'].flatMap(
  (contact) => ['--contact', contact],
);

test('contacts and beeper are written as the board reads them, and lines that cannot be are refused before', async ({
  name,
  directory,
  flash,
}) => {
  const { code, said } = await flash([...CONTACTS, '--beeper-pin', '25']);
  assert.is(code, 0, said);
  const { contacts, beeperPin } = configOf(name);
  assert.equal(contacts, [
    { name: 'front door', kind: 'entry', pin: 27 },
    { name: 'window', kind: 'instant', modes: ['away'], line: 'resistor', pin: 33 },
    { name: 'key switch', kind: 'key', pin: 32 },
  ]);
  assert.is(beeperPin, 25);
  for (const [contact, reason] of [
    ['cellar:6:entry', `--contact "cellar": GPIO 6 of the ESP32 belongs to the chip's flash memory`],
    ['cellar:13:entry:resistor', '--contact "cellar": GPIO 13 of the ESP32 measures no voltage'],
    ['cellar:26:entry', 'GPIO 26 is there twice'],
    ['window:13:entry', 'two contacts have the name "window"'],
  ] as const) {
    const refused = await flash([...CONTACTS, '--contact', contact]);
    assert.is(refused.code, 2);
    assert.match(refused.said, reason);
  }
  assert.is(callsOf(directory).length, 1);
});

test('contacts that a person wrote into the manifest are checked as well, and kept', async ({
  name,
  flash,
}) => {
  await flash();
  const edit = (contacts: unknown): void => {
    const manifest = JSON.parse(readFileSync(pathOf(name), 'utf8'));
    writeFileSync(pathOf(name), JSON.stringify({ ...manifest, config: { ...manifest.config, contacts } }));
  };
  edit([{ name: 'door', kind: 'exit', pin: 27 }]);
  const { code, said } = await flash();
  assert.is(code, 2);
  assert.match(said, 'expected as its kind entry');
  const mine = [{ name: 'door', kind: 'entry', pin: 27 }];
  edit(mine);
  assert.is((await flash()).code, 0);
  assert.equal(configOf(name).contacts, mine);
});

test('a device that is there already is taken', async ({ server, name, flash }) => {
  const body = JSON.stringify({ name: 'mine' });
  const made = (await (await server.api('/devices', { method: 'POST', body })).json()) as {
    device: { id: string };
  };
  assert.is((await flash(['--device', made.device.id])).code, 0);
  assert.is(configOf(name).device, made.device.id);
  const { code, said } = await flash([
    '--device',
    made.device.id.replace(/^./, (c) => (c === '0' ? '1' : '0')),
  ]);
  assert.is(code, 2);
  assert.match(said, 'the server knows no');
});

test('without TLS the device is allowed to do without, and proves itself by its password', async ({
  server,
  name,
  flash,
}) => {
  const { code } = await flash(['--server', 'mqtt://alarm.example:1883']);
  assert.is(code, 0);
  const { device, password, certificate } = configOf(name);
  assert.equal([typeof password, certificate], ['string', undefined]);
  const [known] = (await devicesOf(server)).filter(({ id }) => id === device);
  assert.ok(known?.allow_insecure);
});

test('an address that only this machine reaches is refused before anything is made', async ({
  server,
  name,
  flash,
}) => {
  const before = (await devicesOf(server)).length;
  const { code, said } = await flash(['--server', server.mqtts]);
  assert.is(code, 2);
  assert.match(said, 'a board does not find 127.0.0.1');
  assert.is((await devicesOf(server)).length, before);
  assert.not.ok(existsSync(pathOf(name)));
});

test('without the SDK nothing is made, and it is said how to get it', async ({ server, name, flash }) => {
  const before = (await devicesOf(server)).length;
  const { code, said } = await flash([], { MODDABLE: '' });
  assert.is(code, 1);
  assert.match(said, 'npx xs-dev@0.30.3 setup --device esp32');
  assert.is((await devicesOf(server)).length, before);
  assert.not.ok(existsSync(pathOf(name)));
});

test('a dry run shows everything, and neither asks nor changes anything', async ({ server, name, flash }) => {
  const nowhere = { MODDABLE: '', TWIN_URL: 'http://127.0.0.1:1', TWIN_TOKEN: '' };
  const { code, said } = await flash(['--dry-run'], nowhere);
  assert.is(code, 0, said);
  for (const text of [
    'POST http://127.0.0.1:1/iot/v1/regions/fr-par/devices',
    'renew-certificate?key_type=rsa',
    `${pathOf(name)}, mode 0600`,
    '"ssid": "home"',
    `UPLOAD_PORT=/dev/ttyUSB0 mcconfig -m -p esp32/nodemcu ${pathOf(name)}`,
  ])
    assert.ok(said.includes(text), text);
  assert.not.ok((await devicesOf(server)).some((device) => device.name === name));
  assert.not.ok(existsSync(pathOf(name)));
});

for (const [what, args, environment, reason] of [
  [
    'a target without pins in the manifest',
    ['--target', 'esp32/m5atom_lite'],
    {},
    '--door-pin, --siren-pin, --led-pin',
  ],
  ['one pin for two things', ['--door-pin', '26'], {}, 'need a pin each'],
  [
    'a pin that the chip needs to boot',
    ['--siren-pin', '12'],
    {},
    '--siren-pin: GPIO 12 of the ESP32 chooses',
  ],
  ['a pin that the chip does not have', ['--led-pin', '48'], {}, '--led-pin: the ESP32 has no GPIO 48'],
  [
    'a simulator that is to find localhost',
    ['--target', 'sim/nodemcu', '--server', 'mqtts://localhost:8883'],
    {},
    '--server mqtts://127.0.0.1:8883',
  ],
  [
    'a file of an authority that is not there',
    ['--ca', 'nowhere.pem'],
    {},
    '--ca: nowhere.pem holds no certificate',
  ],
  ['another ESP-IDF', [], { IDF_PATH: '/nowhere' }, 'builds with ESP-IDF 6.0'],
  ['no token', [], { TWIN_TOKEN: '' }, 'TWIN_TOKEN'],
  ['a token that is not valid', [], { TWIN_TOKEN: '00000000-0000-4000-8000-000000000000' }, '401'],
  ['no server', [], { TWIN_URL: 'http://127.0.0.1:1' }, 'is the server running?'],
] as const) {
  test(`${what} is one clear line and a failure`, async ({ name, flash }) => {
    const { code, said } = await flash([...args], environment);
    // 2 where the command line is wrong.
    assert.ok(code === 1 || code === 2, `${code}`);
    assert.match(said, reason);
    assert.not.ok(said.includes('    at '), said);
    assert.not.ok(existsSync(pathOf(name)));
  });
}

test('a hand edit of the file survives, until the command line says otherwise', async ({ name, flash }) => {
  await flash();
  const manifest = JSON.parse(readFileSync(pathOf(name), 'utf8'));
  Object.assign(manifest.config, { pollInterval: 60_000, ledPin: 25, host: 'elsewhere' });
  manifest.include.push('./mine.json');
  manifest.creation = { stack: 768 };
  writeFileSync(pathOf(name), JSON.stringify(manifest));
  const { said } = await flash();
  assert.match(said, 'Your own edits of that file are kept: pollInterval, ledPin, creation');
  const second = JSON.parse(readFileSync(pathOf(name), 'utf8'));
  assert.equal(
    [second.config.pollInterval, second.config.ledPin, second.creation],
    [60_000, 25, { stack: 768 }],
  );
  assert.equal(second.include, ['../../esp32.json', './mine.json']);
  assert.is(second.config.host, 'alarm.example');
  await flash(['--led-pin', '33']);
  const third = configOf(name);
  assert.equal([third.pollInterval, third.ledPin], [60_000, 33]);
});

test('a server with a certificate from elsewhere needs --ca, which the board then trusts', async ({
  directory,
  name,
  flash,
}) => {
  const authority = await openAuthority();
  const pair = await serverCertificate(authority);
  const path = (file: string): string => join(directory, file);
  writeFileSync(path('server.crt'), pair.certificate);
  writeFileSync(path('server.key'), pair.key);
  writeFileSync(path('ca.crt'), authority.certificate);
  const env = {
    TWIN_MQTTS: '127.0.0.1:0',
    TWIN_TLS_CERT: path('server.crt'),
    TWIN_TLS_KEY: path('server.key'),
  };
  const other = await startServer({ env });
  const args = ['--target', 'sim/nodemcu', '--server', other.mqtts];
  const environment = { TWIN_URL: other.http, TWIN_TOKEN: other.token };
  const refused = await flash(args, environment);
  assert.is(refused.code, 2);
  assert.match(refused.said, 'its authority is another. --ca FILE');
  assert.equal([(await devicesOf(other)).length, existsSync(pathOf(name))], [0, false]);
  const { code, said } = await flash([...args, '--ca', path('ca.crt')], environment);
  assert.is(code, 0, said);
  assert.equal(Buffer.from(configOf(name).ca ?? '', 'base64'), authority.x509.raw);
  await other.stop();
});

test('a console is a pin of the serial port in a release build', async ({ directory, name, flash }) => {
  const { code, said } = await flash(['--console']);
  assert.is(code, 0, said);
  assert.is(configOf(name).consolePin, 1);
  assert.equal(callsOf(directory), [`/dev/ttyUSB0 -m -p esp32/nodemcu ${pathOf(name)}`]);
});

test("mcconfig's exit code is the command's", async ({ directory, flash }) => {
  fakeSdk(directory, 7);
  assert.is((await flash()).code, 7);
});

test.run();
