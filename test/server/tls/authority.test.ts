import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ClockNotSet } from '../../../server/tls/authority.js';
import { KeyPairUnusable } from '../../../server/tls/key-pair.js';
import { DAY_MS, deviceCertificate, openAuthority, temporaryDirectory, x509 } from './authority.js';

const modeOf = (path: string): number => statSync(path).mode & 0o777;

test('the first opening makes an authority for ten years, and the next ones find it', async () => {
  const directory = join(temporaryDirectory(), 'tls');
  const first = await openAuthority(directory);
  const years = (first.notAfter.getTime() - Date.now()) / DAY_MS / 365.25;
  assert.ok(Math.abs(years - 10) < 0.01, `${years}`);
  const again = await openAuthority(directory);
  assert.is(again.certificate, first.certificate);
  assert.match(first.fingerprint, /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  assert.ok(first.signed(x509(await deviceCertificate(again, 'd'))));
});

test('its key is in a file, in a directory, that only their owner can read', async () => {
  const directory = join(temporaryDirectory(), 'tls');
  await openAuthority(directory);
  assert.equal(readdirSync(directory), ['authority.pem']);
  assert.is(modeOf(directory), 0o700);
  assert.is(modeOf(join(directory, 'authority.pem')), 0o600);
});

test('a file that others could read becomes readable by its owner only', async () => {
  const directory = temporaryDirectory();
  await openAuthority(directory);
  const path = join(directory, 'authority.pem');
  chmodSync(path, 0o644);
  await openAuthority(directory);
  assert.is(modeOf(path), 0o600);
});

test('two authorities have different names, and neither takes the certificates of the other', async () => {
  const [one, other] = await Promise.all([openAuthority(), openAuthority()]);
  assert.is.not(one.x509.subject, other.x509.subject);
  const certificate = x509(await deviceCertificate(one, 'd'));
  for (const _ of ['first', 'again']) {
    assert.ok(one.signed(certificate));
    assert.not(other.signed(certificate));
    assert.not(one.signed(other.x509));
  }
});

test('with a clock that was never set no authority is made, and an existing one is opened', async () => {
  const directory = temporaryDirectory();
  const in1970 = () => new Date(60_000);
  try {
    await openAuthority(directory, in1970);
    assert.unreachable('it was made');
  } catch (error) {
    assert.instance(error, ClockNotSet);
    assert.match((error as Error).message, 'says 1970-01-01T00:01:00.000Z: set it');
  }
  assert.equal(readdirSync(directory), []);
  const { certificate } = await openAuthority(directory);
  assert.is((await openAuthority(directory, in1970)).certificate, certificate);
});

test('a damaged file is refused in one line that names it, and stays as it is', async () => {
  const directory = temporaryDirectory();
  const authority = await openAuthority(directory);
  const path = join(directory, 'authority.pem');
  const whole = readFileSync(path, 'utf8');
  const device = await deviceCertificate(authority, 'd');
  for (const damaged of ['', 'x', whole.slice(0, 300), '\0'.repeat(900), device.certificate + device.key]) {
    writeFileSync(path, damaged);
    try {
      await openAuthority(directory);
      assert.unreachable(`it was taken: ${damaged}`);
    } catch (error) {
      assert.instance(error, KeyPairUnusable);
      const { message } = error as Error;
      assert.ok(message.startsWith(path), message);
      assert.match(message, 'put it back from a backup');
      assert.not.match(message, '\n');
    }
    assert.is(readFileSync(path, 'utf8'), damaged);
  }
});

test("a file that cannot be read rejects with the system's error", async () => {
  const file = join(temporaryDirectory(), 'file');
  writeFileSync(file, '');
  try {
    await openAuthority(file);
    assert.unreachable('it was opened');
  } catch (error) {
    assert.is((error as NodeJS.ErrnoException).code, 'ENOTDIR');
  }
});

test.run();
