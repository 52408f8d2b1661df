import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { digest } from '../../../server/access/secret.js';
import type { Authority } from '../../../server/tls/authority.js';
import { issue } from '../../../server/tls/issue.js';
import type { KeyPair } from '../../../server/tls/key-pair.js';
import { judge } from '../../../server/tls/shown-certificate.js';
import { mutated } from '../../fuzz/mutate.js';
import { Random } from '../../fuzz/random.js';
import { needs } from '../../programs.js';
import {
  daysFromNow,
  deviceCertificate,
  openAuthority,
  serverCertificate,
  temporaryDirectory,
  x509,
} from './authority.js';

const SEED = 4;
const ID = 'db9ef9e3-a767-4d22-9e5f-a3c5a71519ff';

let authority: Authority;
let pair: KeyPair;

test.before(async () => {
  authority = await openAuthority();
  pair = await deviceCertificate(authority, ID, 30);
});

const faultOf = (shown: KeyPair, at = new Date()): string | undefined =>
  judge(x509(shown), authority, at).fault;

test("a device's certificate is read as its id and its SHA-256", () => {
  const shown = judge(x509(pair), authority, new Date());
  assert.equal(shown, { deviceId: ID, sha256: digest(x509(pair).raw) });
});

test('it is valid from its first moment to its last', () => {
  assert.is(faultOf(pair, daysFromNow(-0.9)), undefined);
  assert.is(faultOf(pair, daysFromNow(29.9)), undefined);
  assert.is(faultOf(pair, daysFromNow(-1.1)), 'it is not valid yet');
  assert.is(faultOf(pair, daysFromNow(30.1)), 'it has expired');
});

test('one of another authority is not valid, even with the same name', async () => {
  const validity = { notBefore: daysFromNow(-1), notAfter: daysFromNow(1) };
  const commonName = authority.x509.subject.replace('CN=', '');
  const namesake = await issue({ usage: 'authority', commonName, names: [], ...validity, issuer: undefined });
  const ofDevice = { usage: 'device' as const, commonName: ID, names: [], ...validity };
  for (const issuer of [namesake, undefined]) {
    assert.is(faultOf(await issue({ ...ofDevice, issuer })), 'it is of another authority');
  }
});

test('the certificates of the authority and of the server are not valid for a device', async () => {
  assert.is(faultOf(await serverCertificate(authority)), 'it is not for a device');
  assert.is(judge(authority.x509, authority, new Date()).fault, 'it is not for a device');
});

test('a common name that is empty, or only begins with an id, does not name that device', async () => {
  for (const commonName of ['', `${ID}\nCN=${ID}`]) {
    const { deviceId } = judge(x509(await deviceCertificate(authority, commonName)), authority, new Date());
    assert.is.not(deviceId, ID);
  }
});

test('any certificate that a stranger makes is judged, and is not valid', async () => {
  const validity = { notBefore: daysFromNow(-1), notAfter: daysFromNow(1) };
  const stranger = { usage: 'device' as const, commonName: ID, names: [], ...validity };
  const { raw } = x509(await issue({ ...stranger, issuer: undefined }));
  let readable = 0;
  for (let round = 0; round < 20_000; round += 1) {
    const certificate = parsed(mutated(raw, new Random(SEED, round)));
    if (certificate === undefined) continue;
    readable += 1;
    assert.ok(judge(certificate, authority, new Date()).fault, `round ${round}`);
  }
  assert.ok(readable > 1000, `${readable}`);
});

function parsed(bytes: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(bytes);
  } catch {
    return undefined;
  }
}

needs('openssl')('one without a subject names no device, and is not valid', () => {
  const key = join(temporaryDirectory(), 'key');
  const text = execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/', '-days', '3', '-keyout', key],
    { stdio: 'pipe' },
  );
  const { deviceId, fault } = judge(new X509Certificate(text), authority, new Date());
  assert.equal([deviceId, fault], ['', 'it is of another authority']);
});

test.run();
