import { execFileSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Authority } from '../../../server/tls/authority.js';
import { needs } from '../../programs.js';
import {
  DAY_MS,
  daysFromNow,
  deviceCertificate,
  openAuthority,
  serverCertificate,
  temporaryDirectory,
  x509,
} from './authority.js';

let authority: Authority;

test.before(async () => {
  authority = await openAuthority();
});

test("a device's certificate has its id as common name, is for clients, and cannot sign", async () => {
  const certificate = x509(await deviceCertificate(authority, 'db9ef9e3-a767-4d22-9e5f-a3c5a71519ff'));
  assert.is(certificate.subject, 'CN=db9ef9e3-a767-4d22-9e5f-a3c5a71519ff');
  assert.equal(certificate.keyUsage, ['1.3.6.1.5.5.7.3.2']);
  assert.not(certificate.ca);
  assert.is(certificate.subjectAltName, undefined);
  assert.ok(authority.signed(certificate));
});

test("a server's certificate has its names, and is for servers", async () => {
  const certificate = x509(await serverCertificate(authority));
  assert.ok(certificate.checkHost('localhost', { subject: 'never' }));
  assert.ok(certificate.checkIP('127.0.0.1'));
  assert.is(certificate.checkHost('elsewhere'), undefined);
  assert.equal(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1']);
  assert.not(certificate.ca);
});

test('key and certificate belong together, on the curve P-256', async () => {
  const pair = await serverCertificate(authority);
  const key = createPrivateKey(pair.key);
  assert.ok(x509(pair).checkPrivateKey(key));
  assert.equal(key.asymmetricKeyDetails, { namedCurve: 'prime256v1' });
});

test('an RSA key is made on request, in PKCS #8', async () => {
  const pair = await authority.issue({
    usage: 'device',
    keyType: 'rsa',
    commonName: 'd',
    names: [],
    days: 1,
  });
  const key = createPrivateKey(pair.key);
  assert.ok(x509(pair).checkPrivateKey(key));
  assert.equal([key.asymmetricKeyType, key.asymmetricKeyDetails?.modulusLength], ['rsa', 2048]);
  assert.match(pair.key, '-----BEGIN PRIVATE KEY-----');
});

test('no two certificates have a serial number or a key in common', async () => {
  const made = await Promise.all(Array.from({ length: 20 }, () => deviceCertificate(authority, 'd')));
  const certificates = made.map(x509);
  assert.is(new Set(certificates.map(({ serialNumber }) => serialNumber)).size, made.length);
  assert.is(new Set(made.map(({ key }) => key)).size, made.length);
  for (const { serialNumber } of certificates) assert.match(serialNumber, /^[4-7][0-9A-F]{31}$/);
});

const near = (text: string, days: number) =>
  assert.ok(Math.abs(new Date(text).getTime() - Date.now() - days * DAY_MS) < 60_000, text);

test("a server's certificate is valid from a day ago, for late clocks, and for the given time", async () => {
  const { validFrom, validTo } = x509(await serverCertificate(authority, 7));
  near(validFrom, -1);
  near(validTo, 7);
});

test("a device's certificate is valid from the beginning of its authority, also if the clock was ahead", async () => {
  const directory = temporaryDirectory();
  const { x509: own } = await openAuthority(directory);
  const ahead = await openAuthority(directory, () => daysFromNow(400));
  const { validFrom, validTo } = x509(await deviceCertificate(ahead, 'd', 7));
  assert.is(validFrom, own.validFrom);
  near(validTo, 407);
});

test('a certificate ends with its authority at the latest', async () => {
  const { validTo } = x509(await deviceCertificate(authority, 'd', 100_000));
  assert.is(validTo, authority.x509.validTo);
});

needs('openssl')('OpenSSL verifies each for its purpose, and for no other', async () => {
  const directory = temporaryDirectory();
  const files = {
    ca: authority.certificate,
    server: (await serverCertificate(authority)).certificate,
    device: (await deviceCertificate(authority, 'd')).certificate,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  const verify = (name: string, purpose: string): boolean => {
    try {
      const args = ['verify', '-x509_strict', '-CAfile', 'ca', '-purpose', purpose, name];
      execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
      return true;
    } catch {
      return false;
    }
  };
  assert.ok(verify('server', 'sslserver'));
  assert.ok(verify('device', 'sslclient'));
  assert.not(verify('server', 'sslclient'));
  assert.not(verify('device', 'sslserver'));
});

test('the authority may sign only certificates, and only those that cannot sign', () => {
  const { x509: certificate } = authority;
  assert.ok(certificate instanceof X509Certificate && certificate.ca);
  assert.ok(certificate.verify(certificate.publicKey));
});

test.run();
