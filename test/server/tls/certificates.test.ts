/** All of it together, made by the thread as the server does. */

import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digest } from '../../../server/access/secret.js';
import { readSettings } from '../../../server/config.js';
import { Authority } from '../../../server/tls/authority.js';
import { fileKeeper } from '../../../server/tls/authority-keeper.js';
import { type Certificates, openCertificates } from '../../../server/tls/certificates.js';
import { issue } from '../../../server/tls/issue.js';
import { judge } from '../../../server/tls/shown-certificate.js';
import type { TlsLimits } from '../../../server/tls/tls.js';
import { DAY_MS, daysFromNow, temporaryDirectory } from './authority.js';

const ID = 'db9ef9e3-a767-4d22-9e5f-a3c5a71519ff';

interface Context {
  data: string;
  log: { level: number; msg: string }[];
  open(
    limits?: Partial<TlsLimits>,
    environment?: Record<string, string>,
    now?: () => Date,
  ): Promise<Certificates>;
}

const test = suite<Context>('certificates');

test.before.each((context) => {
  context.data = temporaryDirectory();
  context.log = [];
  const log = pino({ level: 'info' }, { write: (line: string) => context.log.push(JSON.parse(line)) });
  context.open = (limits = {}, environment = {}, now = () => new Date()) =>
    openCertificates({
      settings: { ...readSettings(environment), data: context.data },
      shared: undefined,
      limits,
      log,
      now,
    });
});

test('the first opening makes its files in `tls`, and the next one finds them', async ({ data, open }) => {
  const first = await open();
  const made = () =>
    readdirSync(join(data, 'tls')).map((name) => readFileSync(join(data, 'tls', name), 'utf8'));
  const files = made();
  assert.is(files.length, 3);
  await first.close();
  const again = await open();
  assert.equal(made(), files);
  assert.is(again.authority.certificate, first.authority.certificate);
  assert.equal(again.tls.options.cert, first.tls.options.cert);
  assert.equal(again.tls.options.ticketKeys, first.tls.options.ticketKeys);
  await again.close();
});

test('a device is given a certificate for as long as the limit says, with its SHA-256', async ({ open }) => {
  const certificates = await open({ deviceDays: 5 });
  const { certificate, sha256 } = await certificates.certify(ID, 'ecdsa');
  const x509 = new X509Certificate(certificate.crt);
  assert.is(sha256, digest(x509.raw));
  assert.equal(judge(x509, certificates.authority, new Date()), { deviceId: ID, sha256 });
  const days = (new Date(x509.validTo).getTime() - Date.now()) / DAY_MS;
  assert.ok(days > 4.9 && days < 5.1, `${days}`);
  await certificates.close();
});

test('a given certificate is shown, and the server makes none', async ({ data, open }) => {
  const authority = await Authority.open(fileKeeper(temporaryDirectory()), issue);
  const wanted = { usage: 'server' as const, commonName: 'alarm.example', names: [], days: 9 };
  const pair = await authority.issue(wanted);
  const path = join(data, 'given.pem');
  writeFileSync(path, pair.certificate + pair.key);
  const certificates = await open({}, { TWIN_TLS_CERT: path, TWIN_TLS_KEY: path });
  assert.is(certificates.tls.options.cert, pair.certificate);
  assert.equal(readdirSync(join(data, 'tls')), ['authority.pem', 'ticket-keys.txt']);
  await certificates.close();
});

test('a year before the authority ends there is a warning', async ({ data, open, log }) => {
  const warnings = () => log.filter(({ level }) => level === 40).map(({ msg }) => msg);
  await (await open()).close();
  assert.equal(warnings(), []);
  const [notBefore, notAfter] = [daysFromNow(-1), daysFromNow(300)];
  const request = { usage: 'authority' as const, commonName: 'a', names: [], notBefore, notAfter };
  const { certificate, key } = await issue({ ...request, issuer: undefined });
  writeFileSync(join(data, 'tls', 'authority.pem'), certificate + key);
  await (await open()).close();
  assert.is(warnings().length, 1);
  assert.match(warnings()[0] ?? '', `ends at ${notAfter.toISOString().slice(0, 10)}`);
});

test("there is a warning when the authority is not valid yet, and the server's certificate is made again", async (context) => {
  const { data, log, open } = context;
  const ahead = () => daysFromNow(400);
  const jumped = await open({}, {}, ahead);
  const shown = jumped.tls.options.cert;
  await jumped.close();
  const certificates = await open();
  const warnings = log.filter(({ level }) => level === 40).map(({ msg }) => msg);
  assert.is(warnings.length, 1);
  const day = daysFromNow(399).toISOString().slice(0, 10);
  assert.match(warnings[0] ?? '', `the authority of all certificates is not valid before ${day}`);
  assert.is.not(certificates.tls.options.cert, shown);
  assert.ok(readdirSync(join(data, 'tls')).includes('authority.pem'));
  await certificates.close();
});

test.run();
