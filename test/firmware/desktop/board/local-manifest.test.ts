import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  boardConfig,
  editsOf,
  manifestFor,
  pathOf,
  proofFrom,
  proofKept,
  readConfig,
  shown,
  withEdits,
  writeManifest,
} from '../../../../firmware/desktop/board/local-manifest.js';
import { deviceCertificate, openAuthority } from '../../../server/tls/authority.js';

const test = suite<{ root: string }>('local manifest');

test.before.each((context) => {
  context.root = mkdtempSync(join(tmpdir(), 'board-'));
});
test.after.each(({ root }) => rmSync(root, { recursive: true }));

const DEVICE = 'db9ef9e3-a767-4d22-9e5f-a3c5a71519ff';
const FLASHED_AT = Date.UTC(2026, 10, 26);
const CONFIG = boardConfig(
  { wifi: { ssid: 'home', passphrase: 'hidden' }, wiring: { doorPin: 4 }, config: { sirenCutOff: 0 } },
  'mqtts://alarm.example:8883',
  DEVICE,
  { ca: 'a', certificate: 'b', key: 'hidden too' },
  FLASHED_AT,
);

const mode = (path: string): number => statSync(path).mode & 0o777;

test('the config has the server apart, the proof, the Wi-Fi, the time of flashing and the settings', () => {
  assert.equal(CONFIG, {
    server: 'mqtts://alarm.example:8883',
    host: 'alarm.example',
    port: 8883,
    device: DEVICE,
    ca: 'a',
    certificate: 'b',
    key: 'hidden too',
    ssid: 'home',
    passphrase: 'hidden',
    doorPin: 4,
    flashedAt: FLASHED_AT,
    sirenCutOff: 0,
  });
});

test('what was written is read back, and is for its owner alone', ({ root }) => {
  assert.is(readConfig(root, 'door'), undefined);
  writeManifest(root, 'door', manifestFor('esp32/nodemcu', CONFIG, undefined), undefined);
  assert.equal(readConfig(root, 'door'), CONFIG);
  assert.equal([mode(join(root, pathOf('door'))), mode(dirname(join(root, pathOf('door'))))], [0o600, 0o700]);
});

test('a file that others could read is not so any more when it is written again', ({ root }) => {
  const path = join(root, pathOf('door'));
  for (let times = 0; times < 2; times += 1) {
    writeManifest(root, 'door', manifestFor('esp32/nodemcu', CONFIG, undefined), undefined);
    assert.is(mode(path), 0o600);
    chmodSync(path, 0o644);
  }
});

test('a damaged file is named, and left as it is', ({ root }) => {
  const path = join(root, pathOf('door'));
  mkdirSync(dirname(path), { recursive: true });
  for (const text of ['', '{', 'null', '{}', '{"config":{}}']) {
    writeFileSync(path, text);
    assert.throws(
      () => readConfig(root, 'door'),
      (error: Error) => error.message.includes(path),
    );
    assert.is(readFileSync(path, 'utf8'), text);
  }
});

test('a board includes the manifest of its kind', () => {
  assert.equal(manifestFor('esp32/esp32c3', CONFIG, undefined).include, ['../../esp32.json']);
  assert.equal(manifestFor('sim/nodemcu', CONFIG, undefined).include, ['../../simulator.json']);
});

test("a target's own configuration of ESP-IDF is written beside, and included after its own", ({ root }) => {
  const sdkconfig = 'CONFIG_A=y\n';
  const manifest = manifestFor('esp32/lolin_c3mini', CONFIG, sdkconfig);
  assert.equal(manifest.include, ['../../esp32.json', './sdkconfig/manifest.json']);
  writeManifest(root, 'door', manifest, sdkconfig);
  const folder = join(dirname(join(root, pathOf('door'))), 'sdkconfig');
  assert.is(readFileSync(join(folder, 'sdkconfig.defaults'), 'utf8'), sdkconfig);
  assert.equal(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')), {
    build: { SDKCONFIGPATH: './' },
  });
});

test('an edit is what differs from what was written, and lasts until the command line has the same setting', ({
  root,
}) => {
  const written = manifestFor('esp32/nodemcu', CONFIG, undefined);
  assert.equal(editsOf(root, 'door'), { include: [], config: {}, others: {} });
  writeManifest(root, 'door', written, undefined);
  assert.equal(editsOf(root, 'door'), { include: [], config: {}, others: {} });
  const path = join(root, pathOf('door'));
  const edited = { ...written, include: [...written.include, './mine.json'], creation: { stack: 768 } };
  const config = { ...CONFIG, doorPin: 33, pollInterval: 1, host: 'elsewhere' };
  writeFileSync(path, JSON.stringify({ ...edited, config }));
  const edits = editsOf(root, 'door');
  assert.equal(edits, {
    include: ['./mine.json'],
    config: { doorPin: 33, pollInterval: 1 },
    others: { creation: { stack: 768 } },
  });
  const next = withEdits(written, edits, ['ssid']);
  assert.equal(next.config, { ...CONFIG, doorPin: 33, pollInterval: 1 });
  assert.equal([next.include, next.creation], [['../../esp32.json', './mine.json'], { stack: 768 }]);
  assert.is(withEdits(written, edits, ['doorPin']).config.doorPin, 4);
  writeManifest(root, 'door', next, undefined, written);
  assert.equal(editsOf(root, 'door').config, { doorPin: 33, pollInterval: 1 });
  assert.is(mode(join(dirname(path), 'written.json')), 0o600);
});

test('what is shown has no secret in it', () => {
  const text = shown(manifestFor('esp32/nodemcu', { ...CONFIG, password: 'hidden as well' }, undefined));
  assert.not.match(text, 'hidden');
  assert.match(text, '"ssid": "home"');
});

test('over TLS the proof is certificates and a key in DER, else the password', async () => {
  const authority = await openAuthority();
  const { certificate: crt, key } = await deviceCertificate(authority, DEVICE);
  const proof = { password: 'p', certificate: { crt, key } };
  assert.equal(proofFrom(proof, undefined), { password: 'p' });
  const secure = proofFrom(proof, authority.certificate);
  assert.is(secure.password, undefined);
  assert.is(Buffer.from(secure.ca ?? '', 'base64').compare(authority.x509.raw), 0);
  for (const text of Object.values(secure)) assert.match(text ?? '', /^[A-Za-z0-9+/]+=*$/);
});

test('what an earlier flash left is kept as long as it proves the board for some time', async () => {
  const authority = await openAuthority();
  const made = async (days: number) => {
    const { certificate: crt, key } = await deviceCertificate(authority, DEVICE, days);
    const proof = proofFrom({ password: 'p', certificate: { crt, key } }, authority.certificate);
    return { ...CONFIG, ...proof };
  };
  const long = await made(100);
  const { ca, certificate, key } = long;
  assert.equal(proofKept(long, authority.certificate, 90), { ca, certificate, key });
  assert.is(proofKept(await made(80), authority.certificate, 90), undefined);
  assert.is(proofKept({ ...long, certificate: '' }, authority.certificate, 90), undefined);
  assert.is(proofKept(long, undefined, 90), undefined);
  assert.equal(proofKept({ ...long, password: 'p' }, undefined, 90), { password: 'p' });
});

test.run();
